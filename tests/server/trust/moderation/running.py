"""A screener that runs, with its process."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

from ext.net.tap import Tap
from server.ops.config.settings import Screening
from server.trust.screening.screening_client import Screener

Found = list[tuple[int, int, int, str, int]]


class Run:
    """A screener that runs, and what it found."""

    def __init__(self, data: Path, **chosen: object) -> None:
        self.found: Found = []
        settings = Screening.model_validate({"every": 0.01, **chosen})
        self.screener = Screener("server", settings, data, self.found.extend)
        self.task = asyncio.create_task(self.screener.run())

    @property
    def tap(self) -> Tap:
        return self.screener.tap

    async def until(self, true: Callable[[], bool]) -> None:
        while not true():  # noqa: ASYNC110 - what is waited for is another process
            await asyncio.sleep(0.01)

    def number(self, name: str) -> float:
        value = self.screener.reading()[f"serendip_screening_{name}"]
        value = value[("server",)] if isinstance(value, Mapping) else value
        assert isinstance(value, int | float)
        return value

    async def close(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        self.screener.close()

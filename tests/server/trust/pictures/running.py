"""Run a picture process, and make the pictures that a page would send."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from server.ops.config.picture_settings import Pictures
from server.trust.pictures.picture_client import PictureClient
from tests.support import scenes


class Run:
    """A picture client with its process."""

    def __init__(self, data: Path, **chosen: object) -> None:
        self.judging = PictureClient("server", Pictures.model_validate(chosen), data)
        self.task = asyncio.create_task(self.judging.run())

    async def until(self, true: Callable[[], bool]) -> None:
        while not true():  # noqa: ASYNC110 - what is waited for is another process
            await asyncio.sleep(0.01)

    async def ready(self) -> "Run":
        await self.until(lambda: self.judging.up)
        return self

    async def close(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


def harmless(number: int = 0, comment: bytes = b"") -> bytes:
    """A strip of a scene."""
    return scenes.jpeg(scenes.strip(scenes.scene(number)), comment=comment)


def own(number: int = 0) -> bytes:
    """A tile of it."""
    return scenes.jpeg(scenes.scene(number))

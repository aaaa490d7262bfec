"""Lines are looked at behind their delivery (`server.trust.screening.screening_client`). Rule: each process that has people has a program beside it.

One for a whole host would need the memory of each worker, anew whenever one is started; one beside each takes memory instead.
"""

from collections.abc import Sequence
from functools import partial

from server.ops.config.settings import Settings
from server.ops.health.background_tasks import Tasks
from server.ops.metrics.exposition import Board
from server.realtime.worker.worker_loop import Worker
from server.trust.screening.screening_client import Finding, Screener

TASK = "screening"


class Looking:
    """Of one process, where the settings want it. From here on each line of `worker` is looked at, until `stop`."""

    def __init__(self, process: str, settings: Settings, worker: Worker, board: Board, tasks: Tasks) -> None:
        self._worker, self._tasks = worker, tasks
        self._screener: Screener | None = None
        if settings.screening.text != "off":
            self._screener = screener = Screener(process, settings.screening, settings.data, self._found)
            worker.reactor.screen(screener.tap)
            board.add(screener.reading)
            tasks.start(TASK, screener.run)

    def _found(self, found: Sequence[Finding]) -> None:
        self._worker.act(partial(self._tell, found))  # one turn for all of them

    def _tell(self, found: Sequence[Finding], now: float) -> None:
        worker = self._worker
        for chat, side, number, rule, age in found:
            worker.engine.found(chat, side, number, rule, now, age)
            worker.deliver(now)  # what one causes is told before the next

    async def stop(self) -> None:
        """Nothing is looked at any more; a second time does nothing."""
        screener, self._screener = self._screener, None
        if screener is not None:
            self._worker.reactor.screen(None)
            await self._tasks.end(TASK)
            screener.close()

"""Start the screening process that belongs to this worker, and pass it the worker's chat lines after their delivery
(`server.trust.screening.screening_client`); and the provider process, if the operator named a provider of text.
"""

from collections.abc import Sequence
from functools import partial

from server.ops.config.settings import Settings
from server.ops.health.background_tasks import Tasks
from server.ops.metrics.exposition import MetricsBoard
from server.realtime.worker.worker_loop import Worker
from server.trust.screening.screening_client import Finding, Screener
from server.trust.text_provider.provider_client import Explanation, TextProvider

TASK = "screening"
PROVIDER_TASK = "provider"


class LineScreening:
    """Line screening of one process, if the settings enable it: all lines of `worker`, until `stop`.

    One program for a whole host would have to map the memory of each worker, and again at each start; one per process costs memory instead.
    """

    def __init__(self, process: str, settings: Settings, worker: Worker, board: MetricsBoard, tasks: Tasks) -> None:
        self._worker, self._tasks = worker, tasks
        self._screener: Screener | None = None
        self._provider: TextProvider | None = None
        if settings.screening.asks_provider:
            self._provider = provider = TextProvider(process, settings.screening, self._found)
            board.add(provider.reading)
            tasks.start(PROVIDER_TASK, provider.run)
        if settings.screening.text != "off":
            lines = None if self._provider is None else self._provider.lines
            self._screener = screener = Screener(process, settings.screening, settings.data, self._found, lines)
            worker.reactor.screen(screener.tap)
            board.add(screener.reading)
            tasks.start(TASK, screener.run)

    def _found(self, found: Sequence[Finding]) -> None:
        self._worker.act(partial(self._tell, found))  # one turn for all

    def _tell(self, found: Sequence[Finding], now: float) -> None:
        worker = self._worker
        for chat, side, number, rule, age in found:
            worker.engine.found(chat, side, number, rule, now, age)
            worker.deliver(now)  # deliver the effects of one before the next

    async def explain(self, text: str) -> tuple[Explanation, ...]:
        """Return what the provider finds in a text of a case; nothing without a provider."""
        return () if self._provider is None else await self._provider.explain(text)

    async def stop(self) -> None:
        """Stop screening; a second call does nothing."""
        screener, self._screener = self._screener, None
        if screener is not None:
            self._worker.reactor.screen(None)
            await self._tasks.end(TASK)
            screener.close()
        provider, self._provider = self._provider, None
        if provider is not None:
            await self._tasks.end(PROVIDER_TASK)
            provider.close()

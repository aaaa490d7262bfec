"""Supervise background tasks: a task that raises is logged with the exception's type and place, counted and restarted.

The pause before a restart doubles up to a bound, and is short again after a time without exceptions. A task that returns is not restarted.
"""

# A task handles expected errors itself; an exception that it lets through is a fault in this program or of the machine. The pause doubles from FIRST
# to LONGEST seconds, and is FIRST again after STEADY seconds without a fault.

import asyncio
from collections.abc import Callable, Collection, Coroutine
from typing import Any, Final

from server.ops import log
from server.ops.health.stop_limit import task_place

FIRST: Final = 1.0  # seconds before the first restart
LONGEST: Final = 60.0  # seconds at most before a restart
STEADY: Final = 300.0  # seconds without a fault after which a task counts as healthy
AGAIN: Final = 4.0  # seconds after which a task that was cancelled and still runs is cancelled again
CANCELS: Final = 2  # cancellations after which a task is left to itself
# Every task that exists: the values of the metric's label.
NAMES: Final = (
    *(
        "certificates",
        "cluster",
        "console-sessions",
        "core-wait",
        "free-memory",
        "live",
        "live-store",
        "loop-lag",
        "nats",
        "recipients",
        "reload",
        "requests",
        "safety-attended",
        "safety-bans",
        "safety-figures",
    ),
    *(
        "figures",
        "pictures",
        "pictures-looked",
        "provider",
        "safety-intake",
        "safety-minors",
        "screening",
        "sent-pictures",
        "statement",
    ),
    *(
        "objects-probe",
        "store-keys",
        "store-open",
        "store-probe",
        "store-purge",
        "store-statistics",
        "store-backup",
        "store-sweep",
        "store-upkeep",
    ),
    "store-writer",
)

Run = Callable[[], Coroutine[Any, Any, None]]
logger = log.get()


async def cancel_all(tasks: Collection[asyncio.Task[Any]], again: float = AGAIN) -> None:
    """Cancel tasks, and wait until they have ended. No fault is raised.

    A library may swallow a cancellation: a task that still runs after `again` seconds is cancelled once more. After CANCELS of them it is logged
    and left.
    """
    left = set(tasks)
    for _ in range(CANCELS):
        for task in left:
            task.cancel()
        if not left:
            return
        ended, left = await asyncio.wait(left, timeout=again)
        for task in ended:
            if not task.cancelled():
                task.exception()  # retrieved, so that the loop does not log it
    for task in left:
        logger.error("task.unended", task=task.get_name(), where=task_place(task))


class Tasks:
    """The background tasks of one process. Make it in the loop."""

    def __init__(self, first: float = FIRST, again: float = AGAIN) -> None:
        self._first = first
        self._again = again
        self._running: dict[str, asyncio.Task[None]] = {}
        self._failed_at: dict[str, float] = {}
        self.failures: dict[str, int] = {}

    def start(self, name: str, run: Run) -> None:
        """Run `run` until it returns, restarting it after faults. Raises ValueError if the name is not in NAMES, or is running already."""
        if name not in NAMES or name in self._running:
            raise ValueError(f"{name}: no such task, or it runs already")
        self.failures.setdefault(name, 0)
        self._running[name] = asyncio.create_task(self._supervise(name, run), name=name)

    async def end(self, name: str) -> None:
        """Cancel a task and wait for its end, as `cancel_all`; does nothing if it is not running."""
        task = self._running.pop(name, None)
        if task is not None:
            await cancel_all((task,), self._again)

    def unwell(self) -> list[str]:
        """List the tasks that failed within the last STEADY seconds, as sentences."""
        now = asyncio.get_running_loop().time()
        return [
            f"task {name}: failed and was started again" for name, at in self._failed_at.items() if now - at < STEADY
        ]

    def reading(self) -> dict[str, dict[tuple[str, ...], float]]:
        """Return the failures by task, as a source of metrics."""
        return {"serendip_task_failures": {(name,): count for name, count in self.failures.items()}}

    async def _supervise(self, name: str, run: Run) -> None:
        loop = asyncio.get_running_loop()
        pause = self._first
        while True:
            begun = loop.time()
            try:
                await run()
                return
            except asyncio.CancelledError as fault:
                if _asked_to_end():
                    raise
                self._failed(name, fault)  # an awaited operation was cancelled, not this task
            except Exception as fault:  # noqa: BLE001 - whatever it is, the task must go on
                self._failed(name, fault)
                if _asked_to_end():  # a library made another exception of the cancellation
                    return
            if loop.time() - begun >= STEADY:
                pause = self._first
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST)

    def _failed(self, name: str, fault: BaseException) -> None:
        self.failures[name] += 1
        self._failed_at[name] = asyncio.get_running_loop().time()
        logger.error("task.failed", task=name, **log.described(fault))


def _asked_to_end() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0

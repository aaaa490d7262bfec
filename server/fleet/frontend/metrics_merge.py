"""Serve the metrics of all processes of a host at one port: at each scrape the frontend asks the other processes for their metrics and merges the
answers. A process that does not answer is shown as down.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from engine.views import MODES, WAIT_BOUNDS
from server.fleet.frontend.process_figures import MetricSums
from server.fleet.ipc.ipc_link import Kind, Message
from server.fleet.ipc.ipc_peers import FRONTEND, Peers
from server.ops.health.background_tasks import Tasks
from server.ops.health.core_wait import CoreWait
from server.ops.metrics import resource_usage
from server.ops.metrics.exposition import MetricsBoard, read_log_counts
from server.ops.metrics.histogram import Buckets
from server.ops.metrics.ipc_metrics import DEATHS
from server.ops.metrics.metric_type import Reading, Series
from server.ops.metrics.readings import LoopLag
from server.ops.metrics.resource_usage import ProcessUsage
from server.ops.process.first_done import is_set_within

WITHIN: Final = 0.5  # seconds for an answer
APART: Final = 5.0  # seconds at least between two requests for pages
WAITS: Final = "serendip_match_wait_seconds"


def packed(read: Series) -> list[Any]:
    """Return metrics as JSON: [name, [[labels, number, or counts and sum of a histogram], …]]."""
    return [
        [name, [[labels, list(value) if isinstance(value, Buckets) else value] for labels, value in series.items()]]
        for name, series in read.items()
    ]


def unpacked(rows: list[Any]) -> Series:
    """Parse what `packed` returned. Raises TypeError, ValueError."""
    return {
        name: {tuple(labels): Buckets(*value) if isinstance(value, list) else value for labels, value in series}
        for name, series in rows
    }


class Waits(NamedTuple):
    """Waiting times (`server.http.request.match_wait_estimate.WaitHistogram`)."""

    bounds: tuple[float, ...]
    counts: Sequence[int]


class MetricsAnswers:
    """The side of a process that answers, and the metrics that each such process has. Make it in the loop."""

    def __init__(self, name: str, board: MetricsBoard, peers: Callable[[], Peers]) -> None:
        self._board = board
        self._peers = peers
        lag, self._tasks = LoopLag(name), Tasks()
        self._tasks.start("loop-lag", lag.run)
        self._tasks.start("core-wait", CoreWait(name).run)
        board.add(ProcessUsage(name).reading, apart=True)
        for source in (lag.reading, self._tasks.reading, read_log_counts, lambda: peers().reading()):
            board.add(source)

    def read(self, name: str, message: Message) -> None:
        """Handle a request of the frontend."""
        told = asyncio.get_running_loop().run_in_executor(None, self._ask)
        told.add_done_callback(partial(self._answer, name, message.records[0]))

    def _ask(self) -> int:
        self._board.ask()
        return resource_usage.start_ticks()

    def _answer(self, name: str, asked: int, told: asyncio.Future[int]) -> None:
        begun = told.result()  # an exception is handled by the loop
        self._peers().send(name, Kind.FIGURES, asked, begun, packed(self._board.read()))


class MetricsMerge:
    """The frontend's side. `gather` is given to `MetricsBoard`; `run` is a task, for `waits`. `begun`: when the frontend was forked."""

    def __init__(self, board: MetricsBoard, peers: Callable[[], Peers], begun: int) -> None:
        self._board = board
        self._peers = peers
        self._ledger = MetricSums(begun)
        self._asked = 0
        self._asking: asyncio.Task[None] | None = None
        self._up: dict[str, bool] = {}  # whether it answered last, of all processes so far
        self._died: dict[str, int] = {}  # how often it had died when it joined
        self._missing: set[str] = set()
        self._answered: set[str] = set()
        self._news = asyncio.Event()
        self._wanted = asyncio.Event()
        self._waits = {mode: Waits(WAIT_BOUNDS, [0] * (len(WAIT_BOUNDS) + 1)) for mode in MODES}

    async def gather(self) -> None:
        """Ask all processes, and wait for their answers, WITHIN seconds at most. Concurrent calls share one request."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        await asyncio.shield(self._asking)

    def waits(self) -> Mapping[str, Waits]:
        """Return the waiting times by mode, in all processes; some seconds old, and empty before the first answers."""
        self._wanted.set()
        return self._waits

    async def run(self) -> None:
        """Ask as often as `waits` is called, until cancelled."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            await self.gather()
            found = self._board.read().get(WAITS, {})
            self._waits |= {
                mode: Waits(WAIT_BOUNDS, value.counts) for (mode,), value in found.items() if isinstance(value, Buckets)
            }
            await asyncio.sleep(APART)

    async def _ask(self) -> None:
        peers = self._peers()
        self._asked += 1
        self._missing = {name for name in peers.others if peers.send(name, Kind.READ, self._asked) is not None}
        self._answered.clear()
        end = asyncio.get_running_loop().time() + WITHIN
        while self._missing and (left := end - asyncio.get_running_loop().time()) > 0:
            self._news.clear()
            await is_set_within(self._news, left)
        self._up = {name: name in self._answered for name in self._up}
        self._board.put_others([*self._ledger.readings(), self._reading()])

    def _reading(self) -> Reading:
        """Return which processes are up, and how many died. A process that an operator ended is neither down nor dead."""
        peers = self._peers()
        deaths = peers.deaths
        here = {name: up for name, up in self._up.items() if name in peers or self._deaths(name) > self._died[name]}
        return {
            "serendip_process_up": {(name,): 1.0 if up else 0.0 for name, up in here.items()},
            "serendip_deaths": {
                (name, why): deaths.get((name, why), 0) for name in (FRONTEND, *self._up) for why in DEATHS
            },
            "serendip_ipc_link_unknown": self._ledger.unknown,
        }

    def _deaths(self, name: str) -> int:
        """Return how often a process died, without ends by an operator."""
        return sum(count for (one, _), count in self._peers().deaths.items() if one == name)

    def joined(self, name: str) -> None:
        """Note a new process. What it counted before is asked for soon."""
        self._up[name] = False
        self._died[name] = self._deaths(name)
        self._wanted.set()

    def figures(self, name: str, message: Message) -> None:
        """Handle an answer. One to an earlier request is merged, but its process counts as silent."""
        asked, begun, rows = message.records
        self._ledger.told(name, begun, unpacked(rows))
        if asked == self._asked and name in self._missing:
            self._answered.add(name)
            self._over(name)

    def dead(self, name: str) -> None:
        """Note a death: the process will not answer."""
        self._ledger.dead(name)
        self._up[name] = False
        self._answered.discard(name)
        self._over(name)

    def _over(self, name: str) -> None:
        """Stop waiting for a process."""
        self._missing.discard(name)
        self._news.set()

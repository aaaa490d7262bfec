"""Read the counters of engine, reactor, HTTP and event loop, and return them under the names of the metrics.

**Invariant:** counters are read at a scrape only. Each function here that returns a Reading is a source of `exposition.Board`.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from aiohttp import web

from engine.core.ports import Room
from engine.engine import Engine
from engine.views import STATES, HistogramView
from engine.wire.protocol import FAULTS
from ext.reactor.reactor import Reactor
from server.ops.health.readiness import PATHS, TURNED_AWAY
from server.ops.metrics.challenge_metrics import CHALLENGE_SERIES
from server.ops.metrics.histogram import Buckets, Histogram
from server.ops.metrics.metric_table import LANGUAGES, VALUES
from server.ops.metrics.metric_type import Reading, Source, Value
from server.ops.metrics.socket_metrics import HTTP_BOUNDS, LAG_BOUNDS

LAG_EVERY: Final = 0.25  # seconds: a stall that a user would notice is measured
LAG_UNUSED: Final = 1.0  # seconds while no user is connected: each measurement wakes an idle process, for 0.1 ms
CENSUS_SECONDS = 1.0  # least seconds between counts of the sessions: 20,000 of them take about 2 ms
Labelled = Mapping[tuple[str, ...], Value]

# names of ext.net.counters, by the label's value
_HANDSHAKES = {
    "opened": "opened", "http": "handed", "bad": "head_bad", "host": "head_host", "origin": "head_origin", "version": "head_version",
    "large": "head_large", "slow": "head_slow", "limited": "head_limited", "busy": "head_busy", "short": "head_short", "lost": "head_lost",
}  # fmt: skip
_CLOSES = {
    ("client", "1000"): "client_normal", ("client", "1001"): "client_away", ("client", "other"): "client_other",
    ("client", "none"): "client_none", ("server", "unanswered"): "unanswered", ("server", "untaken"): "untaken",
    ("server", "1002"): "close_protocol", ("server", "1003"): "close_binary", ("server", "1007"): "close_encoding",
    ("server", "1009"): "close_too_big", ("server", "1011"): "close_internal", ("server", "1012"): "close_restart",
    ("server", "1013"): "close_busy", ("server", "4003"): "close_banned", ("server", "4008"): "close_flood",
    ("server", "4009"): "close_replaced",
}  # fmt: skip
# errors that the reactor sends without asking the engine
_ERRORS = {
    "slow": "slow", "too_fast": "too_fast", "protocol": "close_protocol", "binary": "close_binary", "encoding": "close_encoding",
    "too_big": "close_too_big", "flood": "close_flood",
}  # fmt: skip
_PLAIN = {
    "serendip_messages": "messages", "serendip_message_bytes": "message_bytes", "serendip_typing": "typing",
    "serendip_signals": "signals", "serendip_accepted": "accepted", "serendip_received_bytes": "bytes_in",
    "serendip_sent_bytes": "bytes_out", "serendip_reads": "reads", "serendip_sends": "sends", "serendip_frames": "frames",
    "serendip_decisions": "events", "serendip_pings": "pings", "serendip_turns": "turns", "serendip_ready_sockets": "ready",
}  # fmt: skip


def source(
    process: str,
    reactor: Reactor,
    engine: Engine,
    signals: Mapping[str, int],
    clock: Callable[[], float] = time.monotonic,
) -> Source:
    """Make the source of one worker's numbers. `process`: its name; `signals`: refused video signals by code; `clock`: seconds, for the count of
    sessions.
    """
    census = SessionCounts(engine, clock)

    def read() -> Reading:
        counts, times = reactor.counters(), reactor.times()
        return {
            **{metric: counts[name] for metric, name in _PLAIN.items()},
            "serendip_connections": reactor.online,
            "serendip_people": {(process,): engine.online},
            "serendip_sockets": reactor.connections,
            "serendip_relay_seconds": Buckets(*times["relayed"]),
            "serendip_turn_seconds": Buckets(*times["turns"]),
            "serendip_handshakes": {(result,): counts[name] for result, name in _HANDSHAKES.items()},
            "serendip_closes": {labels: counts[name] for labels, name in _CLOSES.items()},
            "serendip_backpressure": {(event,): counts[event] for event in ("blocked", "paused")},
            "serendip_errors": _errors(counts, engine.tally, signals),
            "serendip_limited": {
                ("message",): counts["too_fast"] - signals.get("too_fast", 0),
                ("find",): engine.tally.get("error too_fast", 0),  # the engine's only rate limit
                ("signal",): signals.get("too_fast", 0),
            },
            "serendip_sessions": census.read(),
            **_engine(engine),
        }

    return read


def _engine(engine: Engine) -> dict[str, Value | Labelled]:
    tally, measures, rings = engine.tally, engine.measures, engine.rings.counters()
    return {
        **of_room(engine.room),
        "serendip_matches": _tallied(tally, "match ", VALUES["serendip_matches"]["rule"]),
        "serendip_chats_ended": _tallied(tally, "left ", VALUES["serendip_chats_ended"]["by"]),
        "serendip_reports": _tallied(tally, "report ", VALUES["serendip_reports"]["reason"]),
        "serendip_age_questions": _tallied(tally, "age ", VALUES["serendip_age_questions"]["result"]),
        "serendip_tips": _tallied(tally, "tip ", VALUES["serendip_tips"]["kind"]),
        "serendip_snaps": _tallied(tally, "snap ", VALUES["serendip_snaps"]["result"]),
        "serendip_sent_pictures": _tallied(tally, "picture ", VALUES["serendip_sent_pictures"]["result"]),
        "serendip_snap_agreement": _tallied(tally, "agreement ", VALUES["serendip_snap_agreement"]["result"]),
        "serendip_veils": _tallied(tally, "veil ", VALUES["serendip_veils"]["result"]),
        "serendip_resumes": tally.get("resumed", 0),
        "serendip_match_wait_seconds": {(mode,): _buckets(wait) for mode, wait in measures.waits.items()},
        "serendip_match_common_interests": _buckets(measures.common),
        "serendip_chat_seconds": _buckets(measures.chats),
        "serendip_challenges": _challenges(tally),
        "serendip_challenge_solve_seconds": _buckets(measures.solved),
        "serendip_matcher_dropped": engine.words_dropped,
        "serendip_ring_bytes": rings["used"],
        "serendip_ring_limit_bytes": rings["limit"],
        "serendip_rings": rings["rings"],
        "serendip_ring_dropped": {("messages",): rings["dropped"], ("rings",): rings["evicted"]},
    }


def of_room(room: Room) -> dict[str, Value | Labelled]:
    """Return the size of the waiting room and the work of its index; zeros if another process has it and counts."""
    index = room.figures()
    return {
        "serendip_waiting": waiting(room.sizes()),
        "serendip_waiting_aside": index["aside"],
        "serendip_tickets": {(outcome,): count for outcome, count in room.counts.items()},
        "serendip_matcher_postings": index["postings"],
        "serendip_matcher_candidates": index["tickets"],
        "serendip_matcher_cut": index["cut"],
        "serendip_matcher_interests": index["interests"],
        "serendip_matcher_memory_bytes": index["bytes"],
        "serendip_pools": index["pools"],
    }


def waiting(sizes: Mapping[tuple[str, str], int]) -> Labelled:
    """Count waiting tickets by (mode, language), with a bounded number of series: languages that are not in LANGUAGES are one."""
    found: Counter[tuple[str, ...]] = Counter()
    for (mode, language), count in sizes.items():
        found[mode, "any" if language == "*" else language if language in LANGUAGES else "other"] += count
    for mode in ("text", "video"):
        found[mode, "en"] += 0  # an empty service shows zero instead of no series
    return found


class SessionCounts:
    """Sessions by state and presence, counted at most once a second, however often it is scraped."""

    def __init__(self, engine: Engine, clock: Callable[[], float]) -> None:
        self._engine = engine
        self._clock = clock
        self._at = float("-inf")
        self._found: dict[tuple[str, ...], Value] = {}

    def read(self) -> Labelled:
        """Return the counts, at most a second old."""
        now = self._clock()
        if now - self._at >= CENSUS_SECONDS:
            self._at = now
            counted = Counter((session.state, session.conn != 0) for session in self._engine.sessions.values())
            self._found = {
                (STATES[state], "here" if here else "away"): counted[state, here]
                for state in range(len(STATES) - 1)
                for here in (True, False)
            }
        return self._found


class ResponseCounts:
    """HTTP responses by class of status, and their durations by the first part of the route."""

    def __init__(self, app: web.Application) -> None:
        """Counts the responses of `app`, which must not run yet."""
        self._counts = dict.fromkeys(VALUES["serendip_http_responses"]["status"], 0)
        self._times: dict[str, Histogram] = {}
        app.on_response_prepare.append(self._count)
        app.middlewares.insert(0, self._timed)  # outside of all other middlewares

    def reading(self) -> Reading:
        """Return the numbers so far."""
        return {
            "serendip_http_responses": {(status,): count for status, count in self._counts.items()},
            "serendip_http_seconds": {(route,): times.reading() for route, times in self._times.items()},
        }

    @web.middleware
    async def _timed(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        begun = time.monotonic()
        try:
            return await handler(request)
        finally:
            route = _route(request)
            if route != "/ws":
                self._times.setdefault(route, Histogram(HTTP_BOUNDS)).add(time.monotonic() - begun)

    async def _count(self, request: web.BaseRequest, response: web.StreamResponse) -> None:
        status = f"{response.status // 100}xx"
        # /ws is handed back to the reactor, unanswered; 503 of a server that drains or is full is not a fault.
        if (
            status in self._counts
            and request.path != "/ws"
            and request.path not in PATHS
            and TURNED_AWAY not in request
        ):
            self._counts[status] += 1


class LoopLag:
    """Lag of a process's event loop: how late it runs a timer, as a histogram. `used`: whether any user is connected."""

    def __init__(self, process: str, used: Callable[[], bool] = lambda: True) -> None:
        self._process = process
        self._used = used
        self._timer: asyncio.TimerHandle | None = None
        self._lags = Histogram(LAG_BOUNDS)

    async def run(self) -> None:
        """Measure, until cancelled."""
        loop = asyncio.get_running_loop()
        over: asyncio.Future[None] = loop.create_future()
        # A timer instead of a task: a sleeping task would run twice each time, and an unused process does little else.
        self._later(loop)
        try:
            await over
        finally:
            if self._timer is not None:
                self._timer.cancel()

    def _later(self, loop: asyncio.AbstractEventLoop) -> None:
        every = self.every
        self._timer = loop.call_later(every, self._look, loop, loop.time() + every)

    def _look(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        self._lags.add(max(0.0, loop.time() - due))
        self._later(loop)

    @property
    def every(self) -> float:
        """Seconds between measurements."""
        return LAG_EVERY if self._used() else LAG_UNUSED

    def reading(self) -> Reading:
        """Return the histogram so far."""
        return {"serendip_loop_lag_seconds": {(self._process,): self._lags.reading()}}


def _route(request: web.Request) -> str:
    """Return the first part of the route's declared address, e.g. `/log` of `/log/{id}`; `none` if no route matches."""
    resource = request.match_info.route.resource
    return "none" if resource is None else "/" + resource.canonical.split("/")[1]


def _errors(counts: Mapping[str, int], tally: Mapping[str, int], signals: Mapping[str, int]) -> Labelled:
    """Count errors by code: the engine's, and the reactor's, which include refused signals except those without a chat."""
    return {
        (code,): tally.get("error " + code, 0)
        + (counts[_ERRORS[code]] if code in _ERRORS else 0)
        + (signals.get(code, 0) if code == "no_chat" else 0)
        for code in FAULTS
    }


def _tallied(tally: Mapping[str, int], prefix: str, values: tuple[str, ...]) -> Labelled:
    return {(value,): tally.get(prefix + value, 0) for value in values}


def _challenges(tally: Mapping[str, int]) -> Labelled:
    """Return the outcomes of challenges, as `engine.chats.challenges` counts them."""
    return {series: tally.get(f"challenge {' '.join(series)}", 0) for series in CHALLENGE_SERIES}


def _buckets(histogram: HistogramView) -> Buckets:
    return Buckets(tuple(histogram.counts), histogram.total)

"""Move the sessions of a process whose host ends to other hosts, without their connections; each client is then told to reconnect, through the load
balancer to any host, and resumes its session there.

**Invariant:** a session is this host's until the other host acknowledges it; only then is its client told. No line is lost or doubled. Sessions
still here at the deadline end.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import orjson

from engine.engine import SessionRecord
from engine.views import error
from engine.wire.protocol import FAULTS
from server.fleet.cluster.known_nodes import Place
from server.fleet.ipc.ipc_link import LinkDown
from server.fleet.migrate.migration_order import MigrationOrder
from server.fleet.migrate.transfer import CannotMoveError, Exports, GroupTransfer, Stage
from server.fleet.rpc.rpc_envelope import LARGEST
from server.ops import log
from server.ops.metrics.migration_metrics import DRAIN
from server.ops.process import fault_points
from server.realtime.worker.session_moves import Released, ask_again

AHEAD: Final = 4  # groups under way: the sessions in them are out of service
ASIDE: Final = 1.0  # seconds for which a process that refused is not asked
GIVEN_UP: Final = 2.0  # seconds without any acceptance, after which no host will accept
AGAIN: Final = 0.02  # seconds until it is checked again whether a host accepts, or a session may move
SPREAD: Final = (0.1, 3.0)  # seconds after which clients are to return: those of a chat together
HEAD: Final = 512  # bytes of a request beside sessions

_spread = random.SystemRandom().uniform
logger = log.get()

# (to, transfer): a group moves to a process of another host, by its name (`process_names`), without its connections, whose descriptors stay
# here; the transfer ends. Whether that process has it.
Send = Callable[[str, GroupTransfer], Awaitable[bool]]


def fits(session_record: SessionRecord) -> bool:
    """Whether a group, without its connections, fits into one request."""
    record, blobs = session_record
    wires = {person["wire"].get("bytes") for person in record["people"] if "wire" in person}
    size = sum(len(blob) for place, blob in enumerate(blobs) if place not in wires)
    return HEAD + len(orjson.dumps(record)) + size <= LARGEST


class EmptiestHost:
    """Target that is all other hosts: the one with the fewest users. `send`: see the type; `places`: its processes; `gone`: called with a group
    that moved.
    """

    def __init__(self, places: Callable[[], Sequence[Place]], send: Send, gone: Callable[[Released], None]) -> None:
        self._places = places
        self._cross = send
        self._gone = gone
        self._sent: Counter[str] = Counter()  # sessions, by target
        self._aside: dict[str, float] = {}  # processes that refused, and until when they are left out
        self._under_way: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self.took = self._loop.time()  # when a host accepted last
        self._failing = 0.0  # since when every host refuses; 0.0: one accepted, or none was asked
        self.went = self.chats = 0

    def send(self, transfer: GroupTransfer) -> None:
        """See `server.fleet.migrate.transfer.Target`."""
        if not fits(transfer.sessions.session_record):
            raise CannotMoveError
        to = self._emptiest()
        self._sent[to] += transfer.people
        transfer.begin(to)  # now: they are here no more, and a client may ask before the task runs
        task = self._loop.create_task(self._go(to, transfer))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _go(self, to: str, transfer: GroupTransfer) -> None:
        if not await self._cross(to, transfer):
            self._aside[to] = self._loop.time() + ASIDE
            self._failing = self._failing or self._loop.time()
            self._sent[to] -= transfer.people
            return
        released = transfer.sessions
        self.took, self._failing = self._loop.time(), 0.0
        self.went += transfer.people
        self.chats += sum("ended" not in chat["ring"] for chat in released.session_record.record["chats"])
        fault_points.at("away")
        self._gone(released)
        fault_points.at("told")

    async def room(self) -> None:
        """See `server.fleet.migrate.transfer.Target`."""
        while len(self._under_way) >= AHEAD:
            await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)

    async def landed(self) -> None:
        """Wait until no group is under way; the sender bounds the time."""
        while self._under_way:
            await asyncio.wait(self._under_way)

    def _emptiest(self) -> str:
        now = self._loop.time()
        if (
            self._failing and now - self._failing > GIVEN_UP
        ):  # the next host would refuse too, though each is tried again after a while
            raise LinkDown("no other host accepts sessions, or can be reached")
        there = [one for one in self._places() if self._aside.get(one.name, now) <= now]
        if not there:
            raise LinkDown("no other host exists, or accepts sessions")
        return min(there, key=lambda one: one.people + self._sent[one.name]).name


def may_always_move(_: int) -> bool:
    """Return True: any session may move."""
    return True


def no_tunnel_stays() -> bool:
    """Return False: all clients with a tunnel may be told to return."""
    return False


class EvacuationOrder(MigrationOrder):
    """Order in which sessions move without their connections. `goes`: whether a session may, by its id."""

    def __init__(self, exports: Exports, target: EmptiestHost, goes: Callable[[int], bool]) -> None:
        super().__init__(exports, target, DRAIN, None)
        self._goes = goes

    def _may(self, id: int) -> bool:
        return super()._may(id) and all(map(self._goes, self._worker.engine.moves.group(id)))

    def on_end(self, transfer: GroupTransfer) -> None:
        """Send the groups of a refused message again, each alone: another host may take it. DOUBTFUL: the host may not have been able to read it.

        Ask anew for the saves of sessions that are here again: what came of them meanwhile, nothing heard.
        """
        if transfer.stage in (Stage.REFUSED, Stage.DOUBTFUL):
            self._alone.update(session.id for session in transfer.came)
        ask_again(self._worker, transfer.came)


class Evacuation:
    """Evacuation of one process that has sessions. Call it in the loop. `name`: its own; `tell_hub`: tells the hub, also a new one, that no user
    is to come here; `goes`: whether a session may move, by its id; others stay until they may; `stay`: whether a client with a tunnel remains
    connected here as long as possible.

    Sessions that wait or are away move first, then chats, each as one group (`server.fleet.migrate.migration_order`), to the host with the fewest
    users:

        release ──► another host acknowledges ──► each client: `restart`, with the time to return ──► resumes at any host (`session_search`)
           │
           └──► refused, or silent: the group is put back, and that host is left out for a moment

    The ring (last lines of a chat), message numbers, tickets and ages move too: the target knows each line that was accepted, and a client
    repeats the others.
    """

    def __init__(
        self,
        name: str,
        exports: Exports,
        tell_hub: Callable[[], object],
        places: Callable[[], Sequence[Place]],
        send: Send,
        goes: Callable[[int], bool] = may_always_move,
        stay: Callable[[], bool] = no_tunnel_stays,
    ) -> None:
        self._name = name
        self._stay = stay
        self._worker = exports.worker
        self.tell_hub = tell_hub
        self._way = EmptiestHost(places, send, self._tell)
        self._people = EvacuationOrder(exports, self._way, goes)
        self._stayed = 0

    @property
    def moved(self) -> tuple[int, int, int]:
        """Numbers of sessions that moved so far, of their chats, and, at the end, of sessions that did not move."""
        return self._way.went, self._way.chats, self._stayed

    def want(self, id: int) -> bool:
        """Move this session next, because its client returned at another host; False: it is not here, or cannot move."""
        return self._people.want(id)

    async def run(self, until: Callable[[], float]) -> None:
        """Move sessions until none is here, no host accepts any, or it is `until`, by the loop's clock, which may change."""
        begun, loop = time.monotonic(), asyncio.get_running_loop()
        self.tell_hub()
        self._worker.reactor.put_off_newcomers()
        moving = loop.create_task(self._move())
        try:
            while not moving.done() and loop.time() < until():
                await asyncio.wait({moving}, timeout=AGAIN)
        finally:
            moving.cancel()
        (fault,) = await asyncio.gather(moving, return_exceptions=True)
        if isinstance(fault, Exception):  # remaining sessions are asked to return, and the log says why
            logger.error("migration.fault", **log.described(fault))
        await self._way.landed()
        self._stayed = len(self._worker.engine.sessions)
        logger.info(
            "host.left", process=self._name, people=self._way.went, stayed=self._stayed,
            seconds=round(time.monotonic() - begun, 2),
        )  # fmt: skip

    async def _move(self) -> None:
        loop = asyncio.get_running_loop()
        self._way.took = loop.time()
        while True:
            try:
                await self._people.move()
                await self._way.landed()
                if len(self._worker.engine.sessions) <= self._people.stayed and not self._stay():
                    return
            except LinkDown:
                if loop.time() - self._way.took > GIVEN_UP:
                    return
            await asyncio.sleep(AGAIN)

    def _tell(self, released: Released) -> None:
        """Close the connections of a group that moved; its clients are to return, and find their sessions."""
        self._worker.act(lambda _: self._dismiss(released))

    def _dismiss(self, released: Released) -> None:
        reactor, session_record = self._worker.reactor, released.session_record
        waits: dict[str, float] = {}
        for person, descriptor in zip(session_record.record["people"], released.descriptors, strict=True):
            if descriptor < 0:
                continue
            wire, wait = person["wire"], round(_spread(*SPREAD), 2)
            if "seat" in person:
                wait = waits.setdefault(person["seat"]["chat"], wait)
            data = session_record.blobs[wire["bytes"]] if "bytes" in wire else b""
            try:
                conn = reactor.take(descriptor, wire.get("address", person["address"]), wire, data, None)
            except (OSError, ValueError):  # it is closed, which is as good
                continue
            reactor.close(conn, FAULTS["restart"].close, error("restart", None, None, wait))

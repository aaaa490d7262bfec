"""Hand over all sessions, connections and state to the new process in an upgrade, chat by chat while users talk. This code runs in the old process.

**Invariant:** a session is here until the new process acknowledges it. If the new process dies, what it acknowledged is lost with it, so that no
session is ever in two processes.
"""

import asyncio
import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol

from engine.engine import agreed
from server.fleet.ipc.ipc_link import Kind, Link, LinkDown, Message
from server.fleet.migrate.forwarding_table import ForwardingTable
from server.fleet.migrate.messages_in_flight import InFlight
from server.fleet.migrate.migration_order import MigrationOrder
from server.fleet.migrate.session_sender import ProcessTarget
from server.fleet.migrate.sessionless_state import OMEGLE, SiteRecords
from server.fleet.migrate.transfer import Exports, Transfer
from server.fleet.migrate.upgrade_contents import UpgradeParts
from server.fleet.migrate.upgrade_target import CHAT, CLIENT, SESSION
from server.ops import log
from server.ops.metrics.migration_metrics import UPGRADE
from server.ops.process import fault_points

START_WITHIN: Final = 300.0  # seconds: the default of `server.start_within`
SAVES_WITHIN: Final = 5.0  # seconds that saves may take that were under way
DEATH_WITHIN: Final = 1.0  # seconds until a process whose link is down counts as hung
LAND_WITHIN: Final = 2.0  # seconds for messages under way to be acknowledged, if both processes end
TELL_EVERY: Final = 0.25  # seconds between two reports of how many sessions are left
AHEAD_HTTP: Final = 64  # messages under way, beyond which an HTTP connection waits here

AGAIN: Final = 0.02  # seconds between two checks whether other processes still send sessions here

Tell = Callable[[Mapping[str, Any]], None]
logger = log.get()


def not_ready(within: float) -> str:
    """Return why an upgrade failed: the new process was too slow. `within`: seconds."""
    return f"the new process was not ready within {within:g} s (server.start_within)"


def alone() -> bool:
    """Return True: no other process sends sessions or connections to this one."""
    return True


class Failed(Exception):
    """The hand-over did not happen, or not all of it; the text says why. This process continues to serve."""


class Child(Protocol):
    """Process of the successor (`server.ops.process.successor.Process`)."""

    pid: int

    @property
    def running(self) -> bool: ...
    async def ended(self) -> int: ...
    def kill(self) -> None: ...


class Doors(Protocol):
    """Sockets at which clients connect."""

    async def pause(self) -> None:
        """Accept no connection: clients wait for `listen` here, or for another process that has the sockets."""

    async def listen(self) -> None:
        """Accept connections again."""


@dataclass
class Result:
    """Counts of migrated sessions and chats."""

    people: int = 0
    chats: int = 0
    stayed: int = 0  # sessions that could not move
    seconds: float = 0.0


class UpgradeSource:
    """One hand-over: `run`, then `linger` while requests are under way, then `close`. `last`: whether all that comes to this process has come;
    `start_within`: seconds the successor may take to start; `forwarding`: the table that notes migrated sessions, and the successor's name in
    it.

        start ── sockets ──► ready ── begin, sessions …, rest, end ──► done
          └────────────────────┴──── it fails or dies: it is killed, what it did not acknowledge is put back, this process listens again
    """

    def __init__(
        self,
        has: UpgradeParts,
        child: Child,
        sock: socket.socket,
        sockets: Mapping[str, socket.socket],
        doors: Doors,
        tell: Tell,
        last: Callable[[], bool] = alone,
        start_within: float = START_WITHIN,
        forwarding: tuple[ForwardingTable, str] | None = None,
    ) -> None:
        self._has = has
        self._child = child
        self._sockets = sockets
        self._doors = doors
        self._tell = tell
        loop = asyncio.get_running_loop()
        self._ready: asyncio.Future[list[Any]] = loop.create_future()
        self._fallen: asyncio.Future[str] = loop.create_future()
        self._stopped: asyncio.Future[None] = loop.create_future()
        self._flight = InFlight()
        self._saved: list[tuple[int, str | None, str, float]] = []  # answers that were sent
        self._begun = False
        self._link = Link(sock, self._came, self._fell)
        self._faces = SiteRecords(has, self._link, self._flight)
        self._last = last
        self._start_within = start_within
        table, name = forwarding or (None, "")
        exports = Exports(has.worker, has.moving, has.tally, has.adapter, table)
        target = ProcessTarget(self._link.send, self._link.room, self._flight, name)
        self._people = MigrationOrder(exports, target, UPGRADE, target)
        self.result = Result()

    # the order

    async def run(self) -> Result:
        """Hand everything over. Raises Failed: everything is here again, except sessions that a dead successor had acknowledged."""
        work = asyncio.create_task(self._go())
        died = asyncio.create_task(self._child.ended())
        awaited: set[asyncio.Future[Any]] = {work, died, self._fallen, self._stopped}
        try:
            await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
            if work.done() and work.exception() is None:
                return self.result
            broken = self._fallen.done() or (work.done() and isinstance(work.exception(), LinkDown))
            if broken and not (died.done() or self._stopped.done()):
                await asyncio.wait({died}, timeout=DEATH_WITHIN)  # how it ended says more than that its link is closed
            said = self._said(work, died)
        finally:
            for task in (work, died):
                task.cancel()
            await asyncio.gather(work, died, return_exceptions=True)
        if self._stopped.done() and self._begun and self._child.running:
            await self._part()
        else:
            await self._stay(said)
        raise Failed(said)

    def stop(self) -> None:
        """End the hand-over because both processes must end: no further session moves, and each process ends with those that it has."""
        if not self._stopped.done():
            self._stopped.set_result(None)

    async def _part(self) -> None:
        """Let messages under way arrive, and tell the successor to end as well."""
        with contextlib.suppress(TimeoutError, LinkDown):
            async with asyncio.timeout(LAND_WITHIN):
                await self._flight.landed()
            self._link.send(Kind.END, {"people": self.result.people})
        os.kill(self._child.pid, signal.SIGTERM)  # it was not waited for, so that the number is its own

    async def _go(self) -> None:
        self._tell({"step": "starting"})
        self._link.send(
            Kind.SOCKETS, list(self._sockets), descriptors=[sock.fileno() for sock in self._sockets.values()]
        )
        fault_points.at("sockets")
        version = await self._until_ready()
        self._tell({"step": "ready", "pid": self._child.pid, "version": version})
        begun = time.monotonic()
        await self._begin()
        telling = asyncio.create_task(self._report())
        try:
            await self._move()
            while not self._last() or len(self._has.worker.engine.sessions) > self._people.stayed:
                await asyncio.sleep(AGAIN)
                await self._move()
            await self._finish()
        finally:
            telling.cancel()
        self.result.stayed = self._people.stayed
        self.result.seconds = round(time.monotonic() - begun, 2)
        logger.info(
            "upgrade.ended", people=self.result.people, chats=self.result.chats, stayed=self.result.stayed,
            seconds=self.result.seconds,
        )  # fmt: skip

    async def _until_ready(self) -> str:
        """Wait until the successor is ready; returns its version. Raises Failed."""
        try:
            async with asyncio.timeout(self._start_within):
                versions, version = await asyncio.shield(self._ready)
        except TimeoutError:
            raise Failed(not_ready(self._start_within)) from None
        writes = agreed((versions[0], versions[1]))
        if writes is None:
            raise Failed("the new version and this one know no common form of what moves: stop and start instead")
        self._has.worker.engine.moves.writes = writes
        return str(version)

    async def _move(self) -> None:
        """Move all sessions, and wait until it is known which were refused."""
        await self._people.move()
        await self._flight.landed()

    async def _begin(self) -> None:
        """Stop accepting here: clients wait at the same sockets, which the successor opens."""
        has = self._has
        logger.info("upgrade.begun", online=has.worker.engine.online, pid=self._child.pid)
        self._begun = True
        await self._doors.pause()
        self._link.send(Kind.BEGIN, has.worker.engine.moves.pace(time.monotonic()))
        await self._faces.first()
        fault_points.at("begin")
        has.door.leave(self._give_http)
        if has.recorder is not None:
            has.recorder.redirect(self._answer)

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(TELL_EVERY)
            left = len(self._has.worker.engine.sessions) + self._flight.people
            self._has.tally.left = left
            self._tell({"step": "moving", "left": left})
            self._link.send(Kind.LEFT, left)

    async def _finish(self) -> None:
        """Send what belongs to no session: saves, what is known of absent users; then the end."""
        has = self._has
        if has.recorder is not None:
            await has.recorder.settled(SAVES_WITHIN)
        await self._faces.last()
        await self._flight.landed()
        for piece in has.worker.engine.moves.rest(time.monotonic()):
            await self._link.room()
            self._link.send(Kind.REST, piece)
            await asyncio.sleep(0)
        self._link.send(Kind.END, {"people": self.result.people})
        fault_points.at("end")
        has.tally.left = 0

    async def linger(self, seconds: float) -> None:
        """Wait until the requests under way are answered, `seconds` at most; sessions that they leave behind move too."""
        door, ends = self._has.door, time.monotonic() + seconds
        try:
            while (door.busy or self._flight) and time.monotonic() < ends:
                await self._people.move()
                await asyncio.sleep(0.02)
        except LinkDown:  # the successor ended meanwhile: by itself, as any process may
            logger.warning("upgrade.cut", why="while the last requests were answered")

    def close(self) -> None:
        """Close the link."""
        self._link.close()

    # what comes

    def _came(self, message: Message) -> None:
        records = message.records
        if message.kind == Kind.READY:
            if not self._ready.done():
                self._ready.set_result(records)
        elif message.kind == Kind.FAILED:
            if not self._ready.done():
                self._ready.set_exception(Failed(str(records[0])))
        elif message.kind == Kind.TOOK:
            people = self._flight.took(records[0])
            self.result.people += people
            self.result.chats += records[1] if len(records) > 1 else 0
        elif message.kind == Kind.NO:
            self._flight.refused(records[0])
        elif message.kind == Kind.WANT:
            self._wanted(*records)

    def _wanted(self, what: str, key: Any) -> None:
        """Move next the session that a client asks for at the successor. A chat that is over is sent at once, and behind it that it is not here."""
        found = self._has.worker.engine.moves.find(key) if what == SESSION else None
        if what == CLIENT:
            found = self._session_of(key)
        elif what == CHAT:
            self._give_chat(key)
        if not self._people.want(found):
            self._link.send(Kind.NONE, what, key)

    def _session_of(self, id: str) -> int | None:
        """Return the session id of an HTTP client; a client whose session is over is sent by itself, at once."""
        adapter = self._has.adapter
        client = adapter.clients.get(id) if adapter is not None else None
        if adapter is None or client is None:
            return None
        if client.session.id not in self._has.worker.engine.sessions and adapter.ready(client):
            self._faces.send(OMEGLE, *adapter.alone(client, time.monotonic()))
        return client.session.id

    def _give_chat(self, name: str) -> None:
        """Send the latest chat of an HTTP client that is gone, whose log is wanted at the successor."""
        adapter = self._has.adapter
        piece = adapter.gone.give(name, time.monotonic()) if adapter is not None else None
        if piece is not None:
            self._faces.send(OMEGLE, *piece)

    def _fell(self, why: str) -> None:
        if not self._fallen.done():
            self._fallen.set_result(why)

    def _said(self, work: asyncio.Task[None], died: asyncio.Task[int]) -> str:
        """Return why the hand-over failed, in words; the successor's own words come first."""
        fault = work.exception() if work.done() and not work.cancelled() else None
        if isinstance(fault, Failed):
            return str(fault)
        if self._stopped.done():
            return "this server was told to stop"
        if self._ready.done() and self._ready.exception() is not None:
            return str(self._ready.exception())
        if fault is not None and not isinstance(fault, LinkDown):
            logger.error("migration.fault", **log.described(fault))
            return "a fault of this process's; its log says where"
        if died.done() and not died.cancelled():
            status = died.result()
            return (
                f"the new process ended ({f'signal {-status}' if status < 0 else f'status {status}'}); its log says why"
            )
        return f"the way to the new process is broken: {self._link.down or self._link.broken}"

    # what moves beside sessions

    def _give_http(self, descriptor: int, where: str, begun: bytes) -> bool:
        """Send an HTTP connection; False: the link is full or down."""
        if len(self._flight) >= AHEAD_HTTP:
            return False
        try:
            number = self._link.send(Kind.HTTP, where, pieces=[begun], descriptors=[descriptor])
        except LinkDown:
            return False
        self._flight.add(number, Transfer(partial(self._has.door.arrive, descriptor, where, begun), [descriptor]))
        return True

    def _answer(self, id: int, url: str | None, delete: str, wait: float) -> None:
        """Send the result of a save whose session has moved."""
        self._saved.append((id, url, delete, wait))
        if self._link.is_up:
            self._link.send(Kind.SAVED, id, url, delete, wait)

    # back again

    async def _stay(self, said: str) -> None:
        """Resume service here: the successor is dead, or will be; what it did not acknowledge is put back."""
        has = self._has
        if self._child.running:
            self._child.kill()
        await self._child.ended()
        self._link.read_all()  # what it acknowledged before it died
        self._link.close()
        gone = self.result.people
        has.door.stay()
        back = self._flight.dead()
        has.tally.left = 0
        if self._begun:
            await self._doors.listen()
        if has.recorder is not None:
            has.recorder.redirect(None)
        for saved in self._saved:
            has.worker.saved(*saved)
        has.worker.engine.moves.forget()
        logger.error("upgrade.failed", why=said, people=gone, back=back)

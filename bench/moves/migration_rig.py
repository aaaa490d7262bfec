"""Run both sides of a migration in one process, and migrate sessions to and fro while users chat. All parts are the service's.

Worker, reactor and engine exist twice in one loop, with the ipc link of two processes between them, so the CPU of this process is that of both
sides. Unlike in an upgrade, sessions migrate without waiting for their turn.
"""

import asyncio
import gc
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final
from unittest.mock import patch

from aiohttp import web

from bench.server.relay_program import HEAD, TEXT, framed
from engine.core.ports import Bus, Out, Outside
from engine.core.states import CHATTING, IDLE, WAITING
from engine.engine import Engine, Settings
from ext.accept.address_limits import Addresses
from ext.accept.handshake import Judge
from ext.net.chat_ring import Rings
from ext.reactor.reactor import Reactor
from server.fleet.ipc.acknowledgement_ring import AcknowledgementRing
from server.fleet.ipc.ipc_link import Kind, Link, Message
from server.fleet.migrate import migration_order, session_sender
from server.fleet.migrate.messages_in_flight import InFlight
from server.fleet.migrate.migration_counts import MigrationCounts
from server.fleet.migrate.session_import import Imports
from server.fleet.migrate.transfer import Exports
from server.fleet.migrate.upgrade_contents import UpgradeParts
from server.fleet.migrate.upgrade_target import UpgradeTarget
from server.http.request.reactor_handoff import Door
from server.ops.metrics.migration_metrics import MEET, UPGRADE
from server.ops.security import secret_keys
from server.ops.security.identity_cookie import Identities
from server.ops.security.resume_tokens import Tokens
from server.ops.security.secret_keys import Keys
from server.realtime.worker import gc_tuning
from server.realtime.worker.session_moves import SessionMoves
from server.realtime.worker.worker_loop import Worker

IDLING, WAITS, TALKS = "idle", "waits, with three interests", "talks, ten lines said"
MEETS = "is matched with a user there, with three interests"
KINDS: Final = {IDLING: IDLE, WAITS: WAITING, MEETS: WAITING, TALKS: CHATTING}
ALONE, TOGETHER = "alone", "16 in a message"
BATCHES: Final = {ALONE: 1, TOGETHER: migration_order.BATCH}  # people of a message; a chat's go together all the same
MEETING: Final = [
    "meet", 1 << 40, [(1 << 62, 1, 1), (1 << 61, 1, 2)], (2.5, 1.5), ["sail 1", "chess 1", "book 1"], 3.5, "common", False, None,
]  # fmt: skip
LINES: Final = 10  # of each chat, before anybody goes
MANY: Final = 1 << 20
SILENT: Final = 3_600  # seconds until a ping
PATIENCE: Final = 20.0  # seconds for whatever is waited for


async def nobody(_: web.BaseRequest) -> web.StreamResponse:
    """Handle no HTTP."""
    return web.Response()


def nothing() -> None:
    """Do nothing."""


def fell(why: str) -> None:
    """Fail when the link is down. Raises RuntimeError."""
    raise RuntimeError(f"the link is down: {why}")


class Side:
    """One process's part: the worker with its sessions, and its end of the link."""

    def __init__(self, sock: socket.socket, secret: Keys) -> None:
        judge = Judge(hosts=("localhost",), origins=(), proxies=())
        addresses = Addresses(open_max=MANY, burst=MANY, rate=MANY, limits=False)
        # nobody here answers a ping: on a busy machine, or under callgrind, a case outlasts the silence that is allowed
        reactor = Reactor(judge=judge, addresses=addresses, now=time.monotonic(), idle=SILENT)

        def make_engine(outside: Outside, out: Out, bus: Bus) -> Engine:
            return Engine.build(Rings(1 << 26), outside, out, bus, Settings(), keeps=True)

        self.worker = Worker(reactor, make_engine, {}, Tokens(secret), Identities(bytes(32)), 15.0)
        self.worker.change_late(float("inf"))  # under callgrind it is late with everything
        self.worker.start()
        self._flight = InFlight()
        self._moving = SessionMoves(self.worker)
        self._link = Link(sock, self._came, fell)
        self._ring = AcknowledgementRing(self._link.send)
        self._ring.offer()
        self._target = session_sender.ProcessTarget(self._link.send, self._link.room, self._flight)
        self._exports = Exports(self.worker, self._moving, MigrationCounts())
        self._imports = Imports(self.worker, self._moving, MigrationCounts())
        door = Door(web.Server(nobody), judge, addresses)
        self._taking = UpgradeTarget(
            UpgradeParts(self.worker, self._moving, door, MigrationCounts()), self._link, nothing
        )

    def _came(self, message: Message) -> None:
        if message.kind == Kind.TAKEN:
            self._ring.accept(message)
        elif message.kind == Kind.TOOK:
            self._flight.took(message.records[0])
        elif message.kind == Kind.COME:
            self._imports.take_one(message, MEET, self._acknowledge)
        elif message.kind == Kind.MEET:
            self._imports.take_all(message, MEET, self._acknowledge)
        else:
            self._taking.came(message)

    def _acknowledge(self, kind: Kind, number: int) -> None:
        if kind != Kind.TOOK or not self._ring.write(number):
            self._link.send(kind, number)

    async def give(self) -> None:
        """Migrate all sessions to the other side, as in an upgrade; it has them when this returns."""
        going = migration_order.MigrationOrder(self._exports, self._target, UPGRADE, self._target)
        await going.move()
        await self._flight.landed()
        self.worker.engine.moves.forget()

    async def send_matched(self, batch: int) -> None:
        """Migrate all sessions to the other side, as if each were matched there, `batch` in one turn; it has them when this returns."""
        ids = list(self.worker.engine.sessions)
        for at in range(0, len(ids), batch):
            some = ids[at : at + batch]
            while self.worker.busy:  # noqa: ASYNC110 - a turn is put off for one round of the loop
                await asyncio.sleep(0)
            if not self._exports.transfer(some, self._target, MEET, meetings=[MEETING] * len(some), near=True):
                raise RuntimeError("a session cannot move")
            await asyncio.sleep(0)  # one round of the loop: the other side's turn
        while len(self._flight):
            await asyncio.sleep(0)
            for number in self._ring.read():
                self._flight.took(number)
        self.worker.engine.moves.forget()

    def stand(self, state: int) -> int:
        """Return how many sessions here are in this state."""
        return sum(session.state == state and session.conn != 0 for session in self.worker.engine.sessions.values())

    def end(self) -> None:
        """Close everything."""
        self._link.close()
        self.worker.stop()


class Crowd:
    """Both sides, and `count` users of a kind at one of them; call `come` first."""

    def __init__(self, secret: Keys, kind: str, count: int, batch: int) -> None:
        ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sides = tuple([Side(end, secret) for end in ends])
        self.count = count
        self._kind = kind
        self._batch = batch
        self._socks: list[socket.socket] = []

    async def come(self) -> None:
        """Connect all users and bring them into the kind's state. Raises TimeoutError."""
        here = self.sides[0]
        for number in range(self.count):
            ours, theirs = socket.socketpair()
            for end in (ours, theirs):
                end.setblocking(False)
            # the cookie of a browser, 22 characters
            theirs.send(HEAD.replace(b"\r\n\r\n", b"\r\nCookie: id=%022d\r\n\r\n" % number))
            here.worker.reactor.adopt_socket(ours.detach(), f"10.{number >> 8}.{number & 255}.1")
            self._socks.append(theirs)
        await self._until(lambda: here.stand(IDLE) == self.count)
        for number, sock in enumerate(self._socks):
            if self._kind != IDLING:
                pair = number // 2 if self._kind == TALKS else number
                words = ",".join(f'"{word} {pair}"' for word in ("sail", "chess", "book"))
                sock.send(framed(f'{{"type":"find","interests":[{words}],"strict":true}}'.encode()))
        await self._until(lambda: here.stand(KINDS[self._kind]) == self.count)
        for _ in range(LINES // 2):
            await self.talk()

    async def talk(self) -> None:
        """Send a line in each chat, and receive one. Raises TimeoutError."""
        if self._kind != TALKS:
            return
        for sock in self._socks:
            self._heard(sock)
            sock.send(framed(TEXT))
        for sock in self._socks:
            await self._until(lambda sock=sock: b'"message"' in self._heard(sock))  # type: ignore[misc]  # bound now

    def _heard(self, sock: socket.socket) -> bytes:
        try:
            return sock.recv(1 << 16)
        except BlockingIOError:
            return b""

    async def _until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():  # noqa: ASYNC110 - of parts that have no event for it
                await asyncio.sleep(0)

    async def to_and_fro(self) -> None:
        """Migrate all to the other side and back. Raises RuntimeError if one is missing, or in another state."""
        for one, other in (self.sides, self.sides[::-1]):
            await (one.send_matched(self._batch) if self._kind == MEETS else one.give())
            if one.worker.engine.sessions or other.stand(KINDS[self._kind]) != self.count:
                raise RuntimeError(
                    f"{len(one.worker.engine.sessions)} stayed, {len(other.worker.engine.sessions)} came"
                )

    def end(self) -> None:
        """Disconnect all."""
        for side in self.sides:
            side.end()
        for sock in self._socks:
            sock.close()


@asynccontextmanager
async def crowd(kind: str, count: int, batch: int) -> AsyncIterator[Crowd]:
    """Return users of a kind who have migrated to and fro once, to warm up; `batch` of them per message."""
    ahead, thresholds = session_sender.AHEAD if batch > 1 else 1, gc.get_threshold()
    with (
        tempfile.TemporaryDirectory() as folder,
        patch.object(migration_order, "BATCH", batch),
        patch.object(migration_order, "RATE", float("inf")),
        patch.object(session_sender, "AHEAD", ahead),
    ):
        made = Crowd(secret_keys.load(Path(folder)), kind, count, batch)
        try:
            await made.come()
            await made.to_and_fro()
            gc.collect()
            gc_tuning.begin()
            yield made
            await made.talk()
        finally:
            gc.set_threshold(*thresholds)
            made.end()


async def clocked(kind: str, count: int, batch: int, rounds: int) -> list[float]:
    """Return microseconds of CPU per user and migration, of both sides together, per round of to and fro."""
    found = []
    async with crowd(kind, count, batch) as made:
        for _ in range(rounds):
            begun = time.process_time_ns()
            await made.to_and_fro()
            found.append((time.process_time_ns() - begun) / (2 * count) / 1000)
    return found


async def counted(cases: Sequence[tuple[str, int]], count: int, rounds: int) -> None:
    """Run for a counter outside: print when a case is ready and when it is over, and continue at each line of input."""
    for kind, batch in cases:
        async with crowd(kind, count, batch) as made:
            for said in ("ready", "over"):
                print(said, flush=True)
                input()  # noqa: ASYNC250 - nobody else is there
                for _ in range(rounds if said == "ready" else 0):
                    await made.to_and_fro()

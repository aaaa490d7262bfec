"""Let users on open connections chat in one worker, for callgrind to count: `chat_program.py ROUNDS open|kept|rows`.

A chat is two `find`, a match, a line each way, a `leave` and the partner's `left`. `open`: without a store; `kept`: a record of each chat is queued;
`rows`: as `kept`, but counted is that the queued records are written to SQLite. The program prints `ready` before what is counted and the number
of chats after it, and each time waits for a line of input.
"""

import asyncio
import gc
import socket
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from bench.server.relay_program import HEAD, TEXT, framed
from bench.storage.store_kit import Kit
from engine.core.ports import Bus, Out, Outside
from engine.engine import Engine, Settings
from ext.accept.address_limits import Addresses
from ext.accept.handshake import Judge
from ext.net.chat_ring import Rings
from ext.reactor.reactor import Reactor
from server.data.database import database, schema_migration
from server.data.records.store_ports import Saved
from server.data.store import writer
from server.data.store.writer import Writer
from server.ops.security import secret_keys
from server.ops.security.identity_cookie import Identities
from server.ops.security.resume_tokens import Tokens
from server.realtime.worker import worker_loop
from server.realtime.worker.recorder import Recorder
from server.realtime.worker.worker_dependencies import WorkerPorts, ignore
from server.realtime.worker.worker_loop import Worker

USERS: Final = 200
WARM: Final = 25  # chats of each user before those that are counted: from then on an older one is dropped for each that is kept for a while
MANY: Final = 1 << 20
SILENT: Final = 1_000_000  # seconds until a ping
UNBOUND: Final = 1e9  # seconds: no turn and no batch ends by the clock, and SQLite's log stays: callgrind is slow
FIND: Final = framed(b'{"type":"find","interests":["load"]}')
LINE: Final = framed(TEXT)
LEAVE: Final = framed(b'{"type":"leave"}')


class Recorded:
    """Pass records to a writer, as the store does."""

    def __init__(self, store: Writer) -> None:
        self.record = store.record

    async def save(self, *_: Any, **__: Any) -> Saved:
        """Fail: no user asks for it."""
        raise NotImplementedError


class Chatting:
    """A worker and its connected users."""

    def __init__(self, folder: Path, store: Writer | None) -> None:
        self._recorder: Recorder | None = None
        secret = secret_keys.load(folder)
        judge = Judge(hosts=("localhost",), origins=(), proxies=())
        addresses = Addresses(open_max=MANY, burst=MANY, rate=MANY, limits=False)
        reactor = Reactor(judge=judge, addresses=addresses, now=time.monotonic(), limits=False, idle=SILENT)

        def make_engine(outside: Outside, out: Out, bus: Bus) -> Engine:
            return Engine.build(Rings(1 << 26), outside, out, bus, Settings(limits=False), keeps=store is not None)

        ports = WorkerPorts(keep=self._keep)
        self._worker = Worker(reactor, make_engine, {}, Tokens(secret), Identities(bytes(32)), 0.0, ports=ports)
        if store is not None:
            self._recorder = Recorder(self._worker, Recorded(store), ignore)
        self._waiting: set[socket.socket] = set()
        self._users = [self._connect(reactor, number) for number in range(USERS)]
        self._turn(self._users, b"")

    @staticmethod
    def _connect(reactor: Reactor, number: int) -> socket.socket:
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            end.setblocking(False)
        # the cookie of a browser, 22 characters
        theirs.send(HEAD.replace(b"\r\n\r\n", b"\r\nCookie: id=%022d\r\n\r\n" % number))
        reactor.adopt_socket(ours.detach(), f"10.{number >> 8}.{number & 255}.1")
        return theirs

    def _keep(self, item: Any) -> None:
        if self._recorder is not None:
            self._recorder.take(item)

    def chat(self, rounds: int) -> int:
        """Let all users chat once per round, but for those whom no partner is left for: they wait. Return the number of chats."""
        chats = 0
        for _ in range(rounds):
            heard = self._turn([user for user in self._users if user not in self._waiting], FIND)
            matched = {user: frames for user, frames in heard.items() if b'"matched"' in frames}
            self._waiting = heard.keys() - matched.keys()
            self._turn([*matched], LINE)
            heard = self._turn([user for user, frames in matched.items() if b'"side":1' in frames], LEAVE)
            left = sum(b'"left"' in frames for frames in heard.values())
            if 2 * left != len(matched):
                raise RuntimeError(f"{len(matched)} users were matched, and {left} were left")
            chats += left
        return chats

    def _turn(self, users: Sequence[socket.socket], packet: bytes) -> dict[socket.socket, bytes]:
        """Send a packet of each of these users, let the worker take a turn, and return what all users received."""
        for user in users:
            user.send(packet)
        self._worker._ready()  # as the loop does
        return {user: self._received(user) for user in self._users}

    @staticmethod
    def _received(user: socket.socket) -> bytes:
        try:
            return user.recv(65_536)
        except BlockingIOError:
            return b""


async def main(rounds: int, what: str) -> None:
    """Let users chat `rounds` times for the counter."""
    worker_loop.TURN = worker_loop.PACKED = worker_loop.READ = writer.TURN = writer.HELD = database.TIDY = UNBOUND
    with tempfile.TemporaryDirectory() as folder:
        kit = Kit("", Path(folder))
        await schema_migration.migrate(kit.database)
        store = kit.writer()
        chatting = Chatting(Path(folder), None if what == "open" else store)
        chats = chatting.chat(WARM)
        if what == "rows":
            store.start()
            await store.flush()  # the statements are parsed, and the users' values are made
            chats = chatting.chat(rounds)
        listen("ready")
        if what == "rows":
            await store.flush()
        else:
            chats = chatting.chat(rounds)
        listen(str(chats))
        await store.close(0.0)
        await kit.database.close()


def listen(said: str) -> None:
    """Say how far this is, and wait for a line."""
    print(said, flush=True)
    input()


if __name__ == "__main__":
    gc.disable()
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))

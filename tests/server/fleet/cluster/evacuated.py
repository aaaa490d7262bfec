"""Two hosts in one loop, people who talk in numbered lines and come back as a page does, and a way from one host to the other.

Rule: worker, engine, reactor and record are the service's. What is played is the network: a request is packed, and read where it arrives.
"""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import orjson

from engine.engine import BadRecord, SessionRecord
from server.fleet.cluster.known_nodes import Place
from server.fleet.migrate.transfer import GroupTransfer
from server.fleet.roaming.evacuation import Evacuation, may_always_move
from server.fleet.roaming.move_request import Move, pack, unpack
from server.ops.metrics.migration_metrics import DRAIN, NONE
from server.ops.security.secret_keys import Keys
from server.realtime.worker.session_moves import SessionMoves
from tests.ext.net.rig import TEXT, frame, head, split, whole_frames
from tests.server.fleet.migrate.rig import until
from tests.server.fleet.processes.rig import Host, host

NODES = ("00000000aa", "00000000bb", "00000000cc")
ENDED = ("left", "no_session")


def name(place: int) -> str:
    """The first worker of a host, as others call it."""
    return f"@{NODES[place]} 1"


def bare(people: SessionRecord) -> SessionRecord:
    """People without their connections, as a crossing sends them."""
    blobs, without = list(people.blobs), []
    for person in people.record["people"]:
        wire = person.get("wire", {})
        if "bytes" in wire:
            blobs[wire["bytes"]] = b""
        without.append({field: value for field, value in person.items() if field != "wire"})
    return SessionRecord({**people.record, "people": without}, blobs)


class Cell:
    """Hosts of one worker each. `lives`, `takes`: by the place of a host."""

    def __init__(self, hosts: list[Host]) -> None:
        self.hosts = hosts
        self.workers = {at: one.worker(1) for at, one in enumerate(hosts)}  # of those that live
        self.lives = [True] * len(hosts)
        self.takes = [True] * len(hosts)
        self.asked: list[str] = []
        self.people: list[Person] = []
        self.places = lambda: [Place(name(at), 0) for at in range(1, len(hosts))]

    def evacuation(self, goes: Callable[[int], bool] = may_always_move) -> Evacuation:
        """Of the first host."""
        one = self.workers[0]
        return Evacuation("worker 1", one.links.across.exports, lambda: None, self.places, self.send, goes)

    async def send(self, to: str, transfer: GroupTransfer) -> bool:
        """The network (`evacuation.Send`)."""
        assert transfer.cause == DRAIN
        at = next(place for place in range(len(NODES)) if name(place) == to)
        self.asked.append(to)
        transfer.way = NONE
        body = pack(Move(NODES[at], 1, DRAIN, 0, None, 0.0, bare(transfer.sessions.session_record)))
        transfer.sent()
        for _ in range(random.randint(1, 5)):
            await asyncio.sleep(0)  # people talk meanwhile
        if self.lives[at] and self.takes[at]:
            with suppress(BadRecord):
                SessionMoves(self.workers[at].worker).take(unpack(body).people, [])
                transfer.take()
                return True
        transfer.cut()
        return False

    def kill(self, at: int, people: Sequence[Person] = ()) -> None:
        """A host is dead, with all that it has; of these people those whose connection it had are cut."""
        self.lives[at] = False
        del self.workers[at]
        self.hosts[at].kill("worker 1")
        for person in people:
            if person.at == at:
                person.look()
                person.cut()


@asynccontextmanager
async def cell(secret: Keys, count: int = 2) -> AsyncIterator[Cell]:
    """So many hosts, and their end."""
    async with AsyncExitStack() as stack:
        hosts = [await stack.enter_async_context(host(secret)) for _ in range(count)]
        for one in hosts:
            one.hub()
        made = Cell(hosts)
        for one in hosts:
            await one.joined()
        yield made
        for person in made.people:
            person.sock.close()


class Person:
    """Somebody who says numbered lines and comes back wherever they are told to, or are cut; as a page does.

    `sent`: lines of theirs, in their order; `heard`: what they heard; `ends`: how it ended.
    """

    def __init__(self, cell: Cell, at: int, next_at: Callable[[], int]) -> None:
        self._cell = cell
        cell.people.append(self)
        self._next_at = next_at
        self.at = at
        self.token = ""
        self.sent: list[str] = []
        self.heard: list[str] = []
        self.kinds: list[str] = []  # of all frames
        self.states: list[str] = []  # of the other one
        self.restarts: list[float] = []  # `retry_after` of each
        self.ends = ""
        self._last = 0
        self._resuming = False
        self._data = b""
        self._open()

    def _open(self) -> None:
        ours, self.sock = socket.socketpair()
        for end in (ours, self.sock):
            end.setblocking(False)
        self._cell.workers[self.at].worker.reactor.adopt_socket(ours.detach(), "192.0.2.1")
        self._begun, self._data = False, b""
        self.sock.send(head())
        if self.token:
            self._resuming = True
            self.ask("resume", token=self.token, last=self._last)

    def ask(self, kind: str, **fields: Any) -> None:
        """Send a frame."""
        with suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
            self.sock.send(frame(orjson.dumps({"type": kind, **fields})))

    def say(self, text: str) -> None:
        """A line, said again after a resume where it was not taken."""
        self.sent.append(text)
        if not self._resuming:
            self.ask("message", text=text)

    def look(self) -> None:
        """Read what came, and come back where that is over."""
        try:
            data = self.sock.recv(1 << 20)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        if not data:
            self.cut()
            return
        self._data += data
        if not self._begun:
            if b"\r\n\r\n" not in self._data:
                return
            self._begun, self._data = True, self._data.partition(b"\r\n\r\n")[2]
        whole, self._data = whole_frames(self._data)
        for opcode, payload in split(whole):
            if opcode == TEXT:
                self._hear(orjson.loads(payload))

    def cut(self) -> None:
        """The connection is gone: they come back."""
        self.sock.close()
        self.at = self._next_at()
        self._open()

    def _hear(self, said: dict[str, Any]) -> None:
        kind = said["type"]
        self.kinds.append(kind)
        if kind == "hello":
            self._next = said["token"]
            self.token = self.token or said["token"]
        elif kind == "resumed":
            self._resuming = False
            self.token = self._next
            for text in self.sent[said.get("taken", 0) :] if said["chat"] is not None else ():
                self.ask("message", text=text)
        elif kind == "message":
            self._last = said["seq"]
            self.heard.append(said["text"])
        elif kind == "partner":
            self.states.append(said["state"])
        elif kind == "left":
            self.ends = "left"
        elif kind == "error" and said["code"] == "restart":
            self.restarts.append(said["retry_after"])
        elif kind == "error":
            self.ends = said["code"]

    async def hears(self, kind: str) -> None:
        """Wait until a frame of this type came; it is taken away."""

        def came() -> bool:
            self.look()
            return kind in self.kinds

        await until(came)
        self.kinds.remove(kind)


class Talk:
    """Two who send each other numbered lines; what was lost, doubled or out of order stands in `wrong` at the end."""

    def __init__(self, pair: tuple[Person, Person]) -> None:
        self.pair = pair
        self._stop = False
        self._task = asyncio.create_task(self._run())

    @property
    def lines(self) -> int:
        """How many were said so far."""
        return sum(len(person.sent) for person in self.pair)

    async def _run(self) -> None:
        while not self._stop:
            for side, person in enumerate(self.pair):
                person.look()
                person.say(f"{side} {len(person.sent)}")
            await asyncio.sleep(0.001)

    def _whole(self) -> bool:
        one, two = self.pair
        for person in self.pair:
            person.look()
        return one.heard == two.sent and two.heard == one.sent

    async def end(self) -> list[str]:
        """What is wrong."""
        self._stop = True
        await self._task
        with suppress(TimeoutError):
            async with asyncio.timeout(40):
                await until(self._whole)
        one, two = self.pair
        return [
            f"{a.sent[-3:]} {b.heard[-3:]} {a.ends} {b.ends}" for a, b in ((one, two), (two, one)) if a.sent != b.heard
        ]

    async def over(self) -> tuple[str, str]:
        """How it ended, for each."""
        self._stop = True
        await self._task

        def ended() -> bool:
            for person in self.pair:
                person.look()
            return all(person.ends for person in self.pair)

        await until(ended)
        return self.pair[0].ends, self.pair[1].ends


async def meet(cell: Cell, word: str, next_at: Callable[[], int], at: int = 0) -> tuple[Person, Person]:
    """Two who chat."""
    pair = Person(cell, at, next_at), Person(cell, at, next_at)
    for person in pair:
        await person.hears("hello")
        person.ask("find", interests=[word], strict=True)
    for person in pair:
        await person.hears("matched")
    return pair

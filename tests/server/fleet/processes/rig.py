"""Several processes of a host in one loop: a hub, workers, and who plays a process and says what the test wants.

Rule: all parts are the service's. Only the supervisor is not: `Host` makes the pairs of links and tells of deaths, by the same messages. A
process that is killed here says nothing more, and nothing more reaches it.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar, cast

import orjson

from engine.core.ports import Bus, Out, Outside
from engine.engine import Engine, Settings, Thresholds
from engine.rooms import hub_messages as rows
from engine.rooms.hub_messages import Meeting, Member, Row
from engine.rooms.remote_waiting_room import RemoteRoom
from ext.accept.address_limits import Addresses
from ext.accept.handshake import Judge
from ext.net.chat_ring import Rings
from ext.reactor.reactor import Reactor
from server.fleet.ipc.ipc_link import Kind, Link, Message
from server.fleet.ipc.ipc_peers import FRONTEND, HUB, Peers, name_of
from server.fleet.ipc.process_names import Names
from server.fleet.processes.process_links import WorkerLinks, ports_of, room_of
from server.fleet.roaming.host_migration_parts import OtherHosts
from server.main.processes.hub_process import HubProcess
from server.ops.security.identity_cookie import Identities
from server.ops.security.resume_tokens import Tokens
from server.ops.security.secret_keys import Keys
from server.realtime.worker.worker_loop import Worker
from tests.engine.meetings import row_of
from tests.ext.net.rig import head
from tests.server.fleet.migrate.rig import until
from tests.server.realtime.worker.late_ports import LatePorts
from tests.server.realtime.worker.test_worker_loop import Client

Pair = tuple[socket.socket, socket.socket]


def pair() -> Pair:
    """The two ends of a link, not yet in any loop."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


class Visitor(Client):
    """A person: what they were told stands in `told`."""

    def __init__(self, worker: Worker) -> None:
        super().__init__(worker)
        self.told: list[dict[str, Any]] = []
        self.sock.send(head())

    def ask(self, kind: str, **fields: Any) -> None:
        """Send a frame."""
        self.say(orjson.dumps({"type": kind, **fields}))

    def find(self, word: str) -> None:
        """Look for somebody who says the same word."""
        self.ask("find", interests=[word], strict=True)

    async def hears(self, *kinds: str) -> dict[str, Any]:
        """The next frame of one of these types; what comes before is forgotten."""
        while True:
            await until(lambda: self.told or self._more())
            frame = self.told.pop(0)
            if frame["type"] in kinds:
                return frame

    def _more(self) -> bool:
        self.told.extend(self.hear())
        return bool(self.told)


class Told:
    """Plays a process: the service's own links, and what came by them stands in `came`."""

    def __init__(self, up: socket.socket) -> None:
        self.came: list[tuple[str, Message]] = []
        self.joined: list[str] = []
        self.dead: list[str] = []
        self.orphaned = asyncio.Event()
        handlers = {int(kind): self._take for kind in Kind}
        self.peers = Peers(up, handlers, self.joined.append, self.dead.append, self.orphaned.set)

    def _take(self, name: str, message: Message) -> None:
        self.came.append((name, message))

    def of(self, kind: Kind) -> list[Message]:
        """What came of a kind."""
        return [message for _, message in self.came if message.kind == kind]

    async def next(self, kind: Kind) -> Message:
        """Wait for the first of a kind, and take it away."""
        await until(lambda: self.of(kind))
        message = self.of(kind)[0]
        self.came = [one for one in self.came if one[1] is not message]
        return message

    async def rows(self, *kinds: str) -> list[Row]:
        """As the hub: wait until rows of these kinds came, in this order and no others; they are taken away."""
        heard: list[Row] = []
        while len(heard) < len(kinds):
            heard += (await self.next(Kind.ROWS)).records
        assert [row[0] for row in heard] == list(kinds)
        return heard

    def end(self) -> None:
        """It is dead, with all that it has."""
        self.peers.close()
        for _, message in self.came:
            for descriptor in message.descriptors:
                os.close(descriptor)
        self.came.clear()


class Waiting:
    """The hub, as a process."""

    def __init__(self, up: socket.socket) -> None:
        self.process = HubProcess(up, Thresholds())
        self.peers = self.process.peers

    def end(self) -> None:
        """It is dead."""
        self.peers.close()
        if self.process._timer is not None:
            self.process._timer.cancel()


class Working:
    """A process that has people: worker, engine and links."""

    def __init__(
        self,
        up: socket.socket,
        number: int,
        secret: Keys,
        node: str = "",
        others: OtherHosts | None = None,
        grace: float = 15.0,
    ) -> None:
        names = Names(node)
        self.ports = LatePorts()
        reactor = Reactor(
            judge=Judge(hosts=("localhost",), origins=(), proxies=()),
            addresses=Addresses(open_max=1000, burst=1000, rate=1000, limits=False),
            now=0.0,
            limits=False,
        )
        make_room = room_of(names.number(name_of(number)), lambda: links)

        def make_engine(outside: Outside, out: Out, bus: Bus) -> Engine:
            return Engine.of_hub(make_room, Rings(1 << 20), outside, out, bus, Settings(limits=False, grace=grace))

        self.tokens = Tokens(secret)
        ports = ports_of(lambda: links, self.ports.given())
        self.worker: Worker = Worker(reactor, make_engine, {}, self.tokens, Identities(bytes(32)), grace, ports=ports)
        self.room: RemoteRoom = cast(RemoteRoom, self.worker.engine.room)
        links = self.links = WorkerLinks(up, self.worker, {}, names=names, others=others)
        self.peers = self.links.peers
        self.worker.start()

    @property
    def sessions(self) -> set[int]:
        """Who is here."""
        return set(self.worker.engine.sessions)

    def end(self) -> None:
        """It is dead: its people's connections are gone."""
        self.links.close()
        self.worker.stop()
        del self.worker, self.room, self.peers
        del self.links, self.ports


def hearing(said: list[Message]) -> Callable[[Message], None]:
    """What a supervisor that is played does with a message: it notes it, and needs no descriptor."""

    def hear(message: Message) -> None:
        for descriptor in message.descriptors:
            os.close(descriptor)
        said.append(message)

    return hear


class Served:
    """The whole life of a process, in this loop, beside a supervisor that is played."""

    def __init__(self, serve: Callable[[socket.socket], Coroutine[Any, Any, int]]) -> None:
        ours, theirs = pair()
        self.said: list[Message] = []
        self.up = Link(ours, hearing(self.said), lambda _: None)
        self.task = asyncio.create_task(serve(theirs))

    async def ready(self) -> None:
        """Wait until it says that it serves."""
        await until(lambda: self.said or self.task.done())
        assert self.said[0].kind == Kind.UP

    async def status(self) -> int:
        """Of its end."""
        try:
            return await asyncio.wait_for(self.task, 20)
        finally:
            self.up.close()
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                asyncio.get_running_loop().remove_signal_handler(number)


class Whole:
    """A process that is put together as the service does it."""

    def __init__(self, process: Any, peers: Peers, close: Callable[[], None]) -> None:
        self.process, self.peers, self.end = process, peers, close


Process = Told | Waiting | Working | Whole
P = TypeVar("P", Told, Waiting, Working, Whole)


class Host:
    """See the module."""

    def __init__(self, secret: Keys, node: str = "", collect: Callable[[], object] = gc.collect) -> None:
        """`collect`: called after a death, to close what the process had open."""
        self._secret = secret
        self._node = node
        self._collect = collect
        self._ups: dict[str, Link] = {}
        self.said: dict[str, list[Message]] = {}  # to the supervisor, by process
        self.processes: dict[str, Process] = {}
        self._visitors: list[Visitor] = []
        self._pids: dict[str, int] = {}  # as the supervisor would give them

    # processes

    def play(self, name: str) -> Told:
        """A process that says what the test wants."""
        return self.start(name, Told)

    def hub(self) -> Waiting:
        """A hub."""
        return self.start(HUB, Waiting)

    def worker(self, number: int, others: OtherHosts | None = None) -> Working:
        """A worker."""
        return self.start(f"worker {number}", lambda up: Working(up, number, self._secret, self._node, others))

    def frontend(self, others: OtherHosts | None = None) -> Working:
        """A frontend, of which nothing is here but its people."""
        return self.start(FRONTEND, lambda up: Working(up, 0, self._secret, self._node, others))

    def start(self, name: str, make: Callable[[socket.socket], P], serves: bool = True) -> P:
        """A process, by its end of the link to the supervisor."""
        ours, theirs = pair()
        self.said[name] = []
        self._pids[name] = 1 + max(self._pids.values(), default=0)
        self._ups[name] = Link(ours, hearing(self.said[name]), lambda _: None)
        made = make(theirs)
        for other in self.processes:
            one, two = pair()
            for to, peer, end in ((name, other, one), (other, name, two)):
                self._ups[to].send(Kind.PEER, peer, self._pids[peer], serves, descriptors=[end.fileno()])
                end.close()
        self.processes[name] = made
        return made

    def kill(self, name: str) -> None:
        """It is dead, and the others are told."""
        self.processes.pop(name).end()
        self._collect()
        self._ups.pop(name).close()
        for up in self._ups.values():
            up.send(Kind.DEAD, name)

    def leave(self, name: str) -> None:
        """The supervisor is gone, as this one sees it."""
        self._ups[name].close()

    def tell(self, name: str, kind: int, *records: Any, descriptors: tuple[int, ...] = ()) -> None:
        """The supervisor says something."""
        self._ups[name].send(kind, *records, descriptors=descriptors)  # type: ignore[arg-type]  # of another release

    async def joined(self) -> None:
        """Each has a link to each."""
        await until(
            lambda: all(
                other in process.peers
                for name, process in self.processes.items()
                for other in self.processes
                if other != name
            )
        )

    # people

    async def visitor(self, process: Working) -> tuple[Visitor, int, str]:
        """Somebody who was greeted: with the id of their session, and the token that resumes it."""
        visitor = Visitor(process.worker)
        self._visitors.append(visitor)
        hello = await visitor.hears("hello")
        return visitor, int(hello["session"], 16), hello["token"]

    async def waiting(self, process: Working, word: str) -> tuple[Visitor, int]:
        """Somebody who waits for who says the same word."""
        visitor, id, _ = await self.visitor(process)
        visitor.find(word)
        await visitor.hears("waiting")
        return visitor, id

    def end(self) -> None:
        """Nothing stays."""
        for process in self.processes.values():
            process.end()
        for up in self._ups.values():
            up.close()
        for visitor in self._visitors:
            visitor.sock.close()


@asynccontextmanager
async def host(secret: Keys) -> AsyncIterator[Host]:
    """A host without processes, and its end."""
    made = Host(secret)
    try:
        yield made
    finally:
        made.end()


async def talk(one: Visitor, two: Visitor) -> None:
    """Each hears the other."""
    for speaker, hearer, text in ((one, two, "hello"), (two, one, "hello yourself")):
        speaker.ask("message", text=text)
        assert (await hearer.hears("message"))["text"] == text


async def sent_to(hub: Told, visitor: Visitor, id: int, to: int) -> Row:
    """A hub that is played tells somebody of worker 1, who looks now, to meet client 77 of another worker there; the row of the meeting."""
    visitor.find("sailing")
    (ticket,) = await hub.rows(rows.TICKET)
    return sends(hub, id, ticket, to, 1)


def sends(hub: Told, id: int, ticket: Row, to: int, home: int) -> Row:
    """As `sent_to`, of somebody of worker 1, which is `home` to the hub, whose ticket it has; at once."""
    who = Member(id, ticket[2], home), Member(77, 1, to)
    meeting = row_of(Meeting(1, who, (0.0, 0.0), ("sailing",), 1.0, "any"))
    hub.peers.send("worker 1", Kind.ROWS, [rows.GO, id, to, meeting])
    return meeting


async def answers(visitor: Visitor) -> None:
    """Somebody is served."""
    visitor.ask("ping")
    await visitor.hears("pong")

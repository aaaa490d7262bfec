"""Two hosts in one loop, and people of one who talk at the other. Rule: all is the service's but the crossing, which is done here by hand.

The way between them is a TCP connection; with `Relay` it is two, and the test says what passes.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from engine.engine import SessionRecord
from engine.rooms.hub_messages import Meeting, Member
from ext.migrate.tunnel_transfer import prepare
from server.fleet.ipc.ipc_peers import HUB
from server.ops.security.secret_keys import Keys
from server.realtime.worker.session_moves import SessionMoves
from tests.engine.meetings import row_of
from tests.server.fleet.migrate.rig import until
from tests.server.fleet.processes.rig import Host, Visitor, Working, host

AWAY = "@0000000002 2"  # the home, as the edge calls it


def joined() -> tuple[socket.socket, socket.socket]:
    """Both ends of a connection between two hosts."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        one = socket.create_connection(listener.getsockname())
        other = listener.accept()[0]
    prepare(one)
    prepare(other)
    return one, other


class Relay:
    """Between two hosts: passes all on, until so many bytes of one direction passed; then it breaks both ways off."""

    def __init__(self, up: int = 1 << 60, down: int = 1 << 60) -> None:
        self.left = {"up": up, "down": down}
        self.passed = {"up": bytearray(), "down": bytearray()}
        self.edge, near = joined()
        far, self.home = joined()
        self._ends = near, far
        self.cut = False
        self._tasks = [
            asyncio.create_task(self._pass(near, far, "up")),
            asyncio.create_task(self._pass(far, near, "down")),
        ]

    async def _pass(self, source: socket.socket, sink: socket.socket, way: str) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):
            while not self.cut:
                data = await loop.sock_recv(source, 65_536)
                if not data:
                    sink.shutdown(socket.SHUT_WR)
                    return
                data = data[: self.left[way]]
                self.left[way] -= len(data)
                self.passed[way] += data
                await loop.sock_sendall(sink, data)
                if not self.left[way]:
                    self.break_off()

    def break_off(self) -> None:
        """Both hosts see an end."""
        self.cut = True
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    async def over(self) -> None:
        """Nothing passes any more."""
        self.break_off()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for end in self._ends:
            end.close()


class Cell:
    """An edge with two workers, a home with one; both hubs are played, so that nobody meets but by `meet`."""

    def __init__(self, edge: Host, home: Host) -> None:
        self.hosts = edge, home
        self.edge_hub, self.home_hub = edge.play(HUB), home.play(HUB)
        self.edge, self.other = edge.worker(1), edge.worker(3)
        self.home = home.worker(2)
        self.relays: list[Relay] = []

    async def somebody(self, process: Working, word: str = "sailing", **fields: Any) -> tuple[Visitor, int]:
        """Who looks for somebody, at one of them."""
        made = self.hosts[process is self.home]
        visitor, id, _ = await made.visitor(process)
        visitor.ask("find", interests=[word], strict=True, **fields)
        await until(lambda: id in process.room._held)
        return visitor, id

    async def meet(self, relay: Relay | None = None, **fields: Any) -> tuple[Visitor, int, Visitor, int]:
        """Somebody of the edge talks at the home with somebody there: both, each with the id of their session."""
        one, a = await self.somebody(self.edge, **fields)
        two, b = await self.somebody(self.home, **fields)
        self.cross(a, b, relay)
        for visitor in (one, two):
            await visitor.hears("matched")
        return one, a, two, b

    def cross(self, a: int, b: int, relay: Relay | None = None) -> None:
        """Somebody of the edge goes to the home, to meet somebody there."""
        numbers = [process.room._held[id].number for process, id in ((self.edge, a), (self.home, b))]
        members = Member(a, numbers[0], 1), Member(b, numbers[1], 2)
        meeting = row_of(Meeting(1, members, (0.0, 0.0), ("sailing",), 1.0, "any"))
        self.send(a, relay, lambda: self.home.room.expect((a,)))
        self.home.worker.act(lambda now: self.home.room.arrived(meeting, now))

    def send(self, id: int, relay: Relay | None = None, before: Callable[[], None] = lambda: None) -> None:
        """The home has somebody of the edge from here on."""
        released = SessionMoves(self.edge.worker).release((id,))
        assert released is not None
        (one,), (descriptor,) = released.session_record.record["people"], released.descriptors
        record = json.loads(json.dumps(one))
        wire, blobs = dict(one["wire"]), list(released.session_record.blobs)
        place, unread, part = wire.pop("bytes", None), wire.pop("input", 0), wire.get("part", 0)
        data = blobs[place] if place is not None else b""
        if place is not None and part:
            wire["bytes"] = place
            blobs[place] = data[unread : unread + part]
        for name in ("out", "blocked", "held", "moved"):
            wire.pop(name, None)
        wire["visitor"] = 1
        near, far = joined() if relay is None else (relay.edge, relay.home)
        before()
        there = {**json.loads(json.dumps(released.session_record.record)), "people": [{**record, "wire": wire}]}
        SessionMoves(self.home.worker).take(SessionRecord(there, blobs), [far.detach()])
        self.edge.links.tunnels.open(
            descriptor, one["address"], dict(one["wire"]), data[:unread] + data[unread + part :], near, record, AWAY
        )

    async def relay(self, **bytes_: int) -> Relay:
        """See `Relay`."""
        self.relays.append(Relay(**bytes_))
        return self.relays[-1]

    async def back(self, id: int, at: Working | None = None) -> None:
        """Wait until somebody is at the edge."""
        await until(lambda: id in (at or self.edge).worker.engine.sessions)

    def ends(self, at: Working | None = None) -> dict[str, int]:
        """How tunnels of the edge ended."""
        return {why: count for why, count in (at or self.edge).links.tunnels.ends.items() if count}


@asynccontextmanager
async def cell(secret: Keys) -> AsyncIterator[Cell]:
    """Two hosts, and their end."""
    async with host(secret) as edge, host(secret) as home:
        made = Cell(edge, home)
        await edge.joined()
        await home.joined()
        try:
            yield made
        finally:
            for relay in made.relays:
                await relay.over()

"""Who meets whom over hosts, in the words of the tests. Rule: people and hubs that are played, of `rig`."""

from __future__ import annotations

import fcntl
import sys
import termios

from engine.rooms import hub_messages as rows
from engine.rooms.hub_messages import Row
from server.fleet.ipc.ipc_link import Kind
from server.fleet.ipc.ipc_peers import HUB
from tests.server.fleet.cluster.rig import Cell
from tests.server.fleet.migrate.rig import until
from tests.server.fleet.processes.rig import Told, Visitor, Working, sends


async def met(made: Cell) -> tuple[Visitor, Visitor]:
    """Two of two hosts who have met at one of them."""
    (one,), (other,) = made.workers
    first, a = await made.hosts[0].host.waiting(one, "sailing")
    second, b, _ = await made.hosts[1].host.visitor(other)
    second.find("sailing")
    for visitor in (first, second):
        assert (await visitor.hears("matched"))["common"] == ["sailing"]
    assert await made.owned(a) is await made.owned(b)
    return first, second


def sides(made: Cell) -> tuple[Working, Working]:
    """Of a cell in which two have met: their home, and the edge."""
    (home,) = [one for (one,) in made.workers if one.sessions]
    (edge,) = [one for (one,) in made.workers if not one.sessions]
    return home, edge


async def visitor_heard(visitor: Visitor, said: bytes) -> None:
    """Somebody says so much, and all of it was read."""
    visitor.sock.send(said)
    await until(lambda: not unread(visitor))


def unread(visitor: Visitor) -> int:
    """Bytes that the other end of a socket has not taken."""
    left = bytearray(4)
    fcntl.ioctl(visitor.sock.fileno(), termios.TIOCOUTQ, left)
    return int.from_bytes(left, sys.byteorder)


async def sent_far(hub: Told, visitor: Visitor, id: int, made: Cell) -> None:
    """A hub that is played tells somebody of the first host, who looks now, to meet somebody of the second."""
    visitor.find("sailing")
    (ticket,) = await hub.rows(rows.TICKET)
    far(hub, id, ticket, made)


def far(hub: Told, id: int, ticket: Row, made: Cell) -> None:
    """As `sent_far`, of somebody whose ticket the hub has; at once."""
    sends(hub, id, ticket, made.hosts[1].names.number("worker 1"), made.hosts[0].names.number("worker 1"))


def keeps_visitors(home: Working) -> None:
    """No visitor leaves a process: without a chat, one returns as soon as its client has read everything."""
    home.links.visitor_return.turn = lambda: None  # type: ignore[method-assign]


def lets_visitors_go(home: Working) -> None:
    """Undo `keeps_visitors`."""
    del home.links.visitor_return.turn


async def alone(made: Cell) -> tuple[Told, Working, Visitor, int]:
    """A hub that is played, the worker of the first host, and somebody there."""
    hub, one = made.hosts[0].host.play(HUB), made.workers[0][0]
    await made.hosts[0].host.joined()
    visitor, id, _ = await made.hosts[0].host.visitor(one)
    return hub, one, visitor, id


async def arrived(made: Cell) -> tuple[Visitor, int, Working]:
    """A client of the first host whose session came to the second one and stays there: the client, its id, and that process."""
    hub, _, visitor, id = await alone(made)
    home = made.workers[1][0]
    keeps_visitors(home)
    await sent_far(hub, visitor, id, made)
    await until(lambda: id in home.sessions)
    await made.settled()
    return visitor, id, home


async def rows_until_failed(hub: Told) -> list[str]:
    """Kinds of the rows that come, up to the word that a match has failed."""
    heard: list[str] = []
    while "failed" not in heard:
        heard += [row[0] for row in (await hub.next(Kind.ROWS)).records]
    return heard


def over(visitor: Visitor) -> bool:
    """Whether their connection was closed."""
    try:
        return visitor.sock.recv(1 << 16) == b""
    except BlockingIOError:
        return False

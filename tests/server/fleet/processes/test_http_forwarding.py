"""A request is its worker's until the frontend took it: no frontend, one that dies, and too many that wait."""

import os
import socket
from collections.abc import AsyncIterator

import pytest

from server.fleet.ipc.ipc_link import Kind
from server.fleet.ipc.ipc_peers import FRONTEND
from server.fleet.processes import http_forwarding as module
from server.fleet.processes.http_forwarding import HttpForwarding
from server.http.request.counted_connections import NEW
from tests.server.fleet.migrate.rig import until
from tests.server.fleet.processes.rig import Host, Told
from tests.support.descriptors import more_than, opened


class Asking:
    """A worker that is played, whose requests go out, and the clients."""

    def __init__(self, made: Host) -> None:
        self.worker: Told = made.play("worker 1")
        peers = self.worker.peers
        self.outward = outward = HttpForwarding(lambda: peers)
        peers._joined, peers._dead = outward.joined, outward.dead
        peers._handlers = {**peers._handlers, Kind.TOOK: lambda _, message: outward.took(message)}
        self.clients: list[socket.socket] = []

    def ask(self, begun: bytes) -> None:
        """Somebody asks for a page."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        self.clients.append(ours)
        self.outward.take(theirs.detach(), begun, 0.0)


@pytest.fixture
async def asking(made: Host) -> AsyncIterator[Asking]:
    one = Asking(made)
    yield one
    one.outward.close()
    for client in one.clients:
        client.close()


async def test_it_goes_to_the_frontend_and_stays_here_until_it_was_taken(made: Host, asking: Asking) -> None:
    frontend = made.play(FRONTEND)
    await made.joined()
    before = opened()
    asking.ask(b"GET / HTTP/1.1\r\n\r\n")
    came = await frontend.next(Kind.HTTP)
    assert (came.records, came.pieces) == ([NEW], [b"GET / HTTP/1.1\r\n\r\n"])
    assert more_than(before).total() == 3, "the client's, ours and the frontend's"
    os.write(came.descriptors[0], b"here")
    os.close(came.descriptors[0])
    assert asking.clients[0].recv(9) == b"here"
    frontend.peers.send("worker 1", Kind.TOOK, came.number)
    await until(lambda: more_than(before).total() == 1)
    assert asking.clients[0].recv(9) == b""


async def test_while_there_is_no_frontend_they_wait_and_go_in_their_order(made: Host, asking: Asking) -> None:
    for number in range(3):
        asking.ask(b"%d" % number)
    frontend = made.play(FRONTEND)
    await until(lambda: len(frontend.of(Kind.HTTP)) == 3)
    assert [message.pieces for message in frontend.of(Kind.HTTP)] == [[b"0"], [b"1"], [b"2"]]
    for client in asking.clients:
        with pytest.raises(BlockingIOError):
            client.recv(1)


async def test_what_a_dead_frontend_did_not_take_goes_to_the_next(made: Host, asking: Asking) -> None:
    frontend = made.play(FRONTEND)
    await made.joined()
    for number in range(3):
        asking.ask(b"%d" % number)
    await until(lambda: len(frontend.of(Kind.HTTP)) == 3)
    frontend.peers.send("worker 1", Kind.TOOK, frontend.of(Kind.HTTP)[1].number)
    made.kill(FRONTEND)
    again = made.play(FRONTEND)
    await until(lambda: len(again.of(Kind.HTTP)) == 2)
    assert [message.pieces for message in again.of(Kind.HTTP)] == [[b"0"], [b"2"]]
    assert asking.clients[1].recv(1) == b"", "it died with who had it"


async def test_one_too_many_is_closed_and_counted(made: Host, asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT_MAX", 2)
    for number in range(3):
        asking.ask(b"%d" % number)
    assert asking.outward.lost == 1
    assert asking.clients[2].recv(1) == b""
    frontend = made.play(FRONTEND)
    await until(lambda: len(frontend.of(Kind.HTTP)) == 2)


async def test_a_frontend_that_takes_nothing_holds_no_more_than_one_that_is_not_there(
    made: Host, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAIT_MAX", 2)
    frontend = made.play(FRONTEND)
    await made.joined()
    for number in range(3):
        asking.ask(b"%d" % number)
    assert asking.outward.lost == 1
    assert asking.clients[2].recv(1) == b""
    came = await frontend.next(Kind.HTTP)
    os.close(came.descriptors[0])
    frontend.peers.send("worker 1", Kind.TOOK, came.number)
    await until(lambda: len(asking.outward._flight) == 1)
    asking.ask(b"3")
    await until(lambda: len(frontend.of(Kind.HTTP)) == 2)
    assert asking.outward.lost == 1


async def test_the_death_of_another_process_is_nothing_to_it(made: Host, asking: Asking) -> None:
    frontend, _ = made.play(FRONTEND), made.play("worker 2")
    await made.joined()
    asking.ask(b"0")
    came = await frontend.next(Kind.HTTP)
    made.kill("worker 2")
    await until(lambda: "worker 2" not in asking.worker.peers)
    os.close(came.descriptors[0])
    with pytest.raises(BlockingIOError):
        asking.clients[0].recv(1)
    frontend.peers.send("worker 1", Kind.TOOK, came.number)
    frontend.peers.send("worker 1", Kind.TOOK, 99)  # of nothing
    frontend.peers.send("worker 1", Kind.LOAD)
    await asking.worker.next(Kind.LOAD)


async def test_at_the_end_who_waits_is_let_go(made: Host, asking: Asking) -> None:
    asking.ask(b"0")
    asking.outward.close()
    assert asking.clients[0].recv(1) == b""

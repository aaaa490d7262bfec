"""The frontend passes a request of another host on to the worker that it is for, or says why it cannot."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter

import pytest

from server.fleet.ipc.ipc_link import Kind as Link
from server.fleet.processes.forwarded_request_delivery import RequestForwarding
from server.fleet.rpc.rpc_envelope import Kind, Status
from server.fleet.rpc.rpc_server import Request
from tests.server.fleet.migrate.rig import until
from tests.server.fleet.processes.rig import Host
from tests.support.descriptors import more_than, opened

NODE = "0123456789"


def request(worker: int, node: str = NODE) -> Request:
    """Somebody asks for a worker."""
    return Request(Kind.FORGET, "00000000aa", bytes(16), 1, b'{"node":"%s","worker":%d}' % (node.encode(), worker))


async def passing(made: Host) -> tuple[RequestForwarding, list[Request]]:
    """Of a frontend, and what is for itself."""
    frontend, own = made.frontend(), list[Request]()
    await made.joined()

    def mine(request: Request, sock: socket.socket) -> None:
        own.append(request)
        sock.close()

    return RequestForwarding(NODE, lambda: frontend.peers, frontend.links.across, mine), own


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (request(1, "00000000ff"), "that are not there any more"),
        (request(9), "worker 9 is not there"),
        (request(1)._replace(body=b"?"), "cannot be read"),
        (request(1)._replace(kind=Kind.MOVE), "cannot be read"),
    ],
)
async def test_what_is_for_nobody_is_refused_in_words(made: Host, asked: Request, why: str) -> None:
    made.play("worker 1")
    answer = await (await passing(made))[0].handlers[asked.kind](asked)
    assert answer.status == Status.NO
    assert why in answer.body.decode()


@pytest.mark.parametrize("takes", [True, False])
async def test_a_worker_has_the_connection_once_it_says_so_and_nobody_where_it_dies(made: Host, takes: bool) -> None:
    worker = made.play("worker 1")
    given, _ = await passing(made)
    before = opened()
    answer = await given.handlers[Kind.FORGET](request(1))
    assert answer.status is None
    assert answer.keep is not None
    theirs, ours = socket.socketpair()
    ours.setblocking(False)
    answer.keep(theirs)
    message = await worker.next(Link.ARRIVED)
    assert message.records == [int(Kind.FORGET), "00000000aa", "00" * 16, 1]
    assert message.pieces == [request(1).body]
    with socket.socket(fileno=message.descriptors[0]):
        if takes:
            worker.peers.send("frontend", Link.TOOK, message.number)
    if not takes:
        made.kill("worker 1")
    assert await asyncio.get_running_loop().sock_recv(ours, 1) == b""
    ours.close()
    await until(lambda: not more_than(before) - Counter())


async def test_what_is_for_the_frontend_it_has(made: Host) -> None:
    given, own = await passing(made)
    answer = await given.handlers[Kind.FORGET](request(0))
    assert answer.keep is not None
    theirs, ours = socket.socketpair()
    answer.keep(theirs)
    assert own == [request(0)]
    ours.close()

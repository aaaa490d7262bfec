"""Pass a request that another host forwarded here, with its connection, from the frontend to the worker for which it is meant; the worker answers on
that connection. If no worker can, the frontend sends a refusal.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable
from functools import partial
from typing import Final

import orjson

from server.fleet.ipc.ipc_link import Kind as Link
from server.fleet.ipc.ipc_link import LinkDown
from server.fleet.ipc.ipc_peers import Peers, name_of
from server.fleet.migrate.transfer import Transfer
from server.fleet.processes.worker_to_worker_transfer import WorkerTransfer
from server.fleet.roaming.move_request import Unreadable, unpack
from server.fleet.rpc.rpc_envelope import Kind, Status
from server.fleet.rpc.rpc_server import Answer, Handler, Request, no
from server.ops.process import fault_points

OWN: Final = 0  # the frontend's number


class RequestForwarding:
    """Forwarding of one frontend. `own`: handles requests for the frontend itself."""

    def __init__(
        self,
        node: str,
        peers: Callable[[], Peers],
        across: WorkerTransfer,
        own: Callable[[Request, socket.socket], None],
    ) -> None:
        self._node = node
        self._peers = peers
        self._across = across
        self._own = own

    @property
    def handlers(self) -> dict[int, Handler]:
        """Handlers of the rpc server."""
        return {Kind.MOVE: self._answer, Kind.FORGET: self._answer}

    async def _answer(self, request: Request) -> Answer:
        try:
            node, number = _target(request)
        except (Unreadable, KeyError, TypeError, ValueError):
            return no("a request that cannot be read")
        if node != self._node:
            return no("it is for processes of this host that are not there any more")
        if number == OWN:
            return Answer(None, keep=partial(self._own, request))
        name, peers = name_of(number), self._peers()
        if name not in peers or not peers.takes(name):
            return no(f"{name} is not there")
        if peers.full(name):
            return Answer(Status.FULL)
        return Answer(None, keep=partial(self._pass, name, request))

    def _pass(self, name: str, request: Request, sock: socket.socket) -> None:
        """Pass a connection to a worker, which owns it once it acknowledges. If the worker dies before, the connection is closed."""
        fault_points.at("passing")
        descriptor = sock.detach()
        transfer = Transfer(partial(os.close, descriptor), [descriptor])
        records = int(request.kind), request.node, request.nonce.hex(), request.by
        with contextlib.suppress(LinkDown):
            self._across.to(name).post(transfer, Link.ARRIVED, *records, pieces=[request.body])
        fault_points.at("passed")


def _target(request: Request) -> tuple[str, int]:
    """Return the process that a request is for. Raises Unreadable, KeyError, TypeError, ValueError."""
    if request.kind == Kind.MOVE:
        move = unpack(request.body)
        return move.node, move.worker
    said = orjson.loads(request.body)
    return str(said["node"]), int(said["worker"])

"""The way to other hosts and theirs here, as a process has it; what it does is asked in tests/server/fleet/cluster."""

from __future__ import annotations

import socket

from server.fleet.ipc.ipc_link import Kind as Link
from server.fleet.rpc.rpc_envelope import Kind
from tests.server.fleet.migrate.rig import until
from tests.server.fleet.processes.rig import Host


async def test_a_process_without_other_hosts_closes_what_comes_from_one(made: Host) -> None:
    one, frontend = made.worker(1), made.play("frontend")
    await made.joined()
    theirs, ours = socket.socketpair()
    ours.setblocking(False)
    frontend.peers.send(
        "worker 1",
        Link.ARRIVED,
        int(Kind.MOVE),
        "00000000aa",
        "00" * 16,
        1,
        pieces=[b""],
        descriptors=[theirs.fileno()],
    )
    await frontend.next(Link.TOOK)
    theirs.close()
    await until(lambda: _ended(ours))
    ours.close()
    assert set(one.links.reading()["serendip_migrations_doubtful"].values()) == {0}  # type: ignore[union-attr]


def _ended(sock: socket.socket) -> bool:
    try:
        return sock.recv(1) == b""
    except BlockingIOError:
        return False

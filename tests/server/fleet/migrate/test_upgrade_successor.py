"""The new side before it serves: it needs the sockets, and serves where the old one dies."""

import asyncio
import socket

import pytest

from server.fleet.ipc.ipc_link import Kind, Link
from server.fleet.migrate.upgrade_successor import Gone, UpgradeSuccessor
from server.ops.security.secret_keys import Keys
from tests.server.fleet.migrate.rig import pair, until


async def test_an_old_process_that_dies_before_it_gave_its_sockets_is_told() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    arriving = UpgradeSuccessor(theirs)
    ours.close()
    with pytest.raises(Gone, match="before it had given its sockets"):
        await arriving.sockets()


async def test_sockets_that_are_handed_on_wait_for_nobody() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    arriving = UpgradeSuccessor(theirs)
    link = Link(ours, lambda _: None, lambda _: None)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        link.send(Kind.SOCKETS, ["server"], descriptors=[listening.fileno()])
        found = await arriving.sockets()
        with found["server"] as same, same.dup() as copy:
            assert same.getsockname() == listening.getsockname()
            with pytest.raises(BlockingIOError):
                copy.accept()
    link.close()
    arriving._link.close()


async def test_an_old_process_that_dies_before_the_beginning_leaves_the_service_to_the_new_one(secret: Keys) -> None:
    async with pair(secret) as made:
        arrived = asyncio.create_task(made.arrive())
        run = asyncio.create_task(made.leaving.run())
        await until(lambda: made.arriving is not None and made.arriving._taking is not None)
        run.cancel()
        made.leaving.close()
        arriving = await arrived
        assert made.new.accepts
        assert arriving.over.is_set()
        (client,) = await made.connect(1, made.new)
        client.say(b'{"type":"ping"}')
        await made.settled()
        assert client.hear() == [{"type": "pong"}]
        await asyncio.gather(run, return_exceptions=True)

"""Asking another host: why it did not do what it was asked, in words."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from pathlib import Path

import pytest

from server.fleet.rpc.rpc_client import HostAway, RpcClient, dial
from server.fleet.rpc.rpc_envelope import ANSWER, BOUNDS, Kind
from server.fleet.rpc.rpc_seal import Seal
from server.ops.security import secret_keys
from tests.server.fleet.cluster.ports import NODE, echo, there
from tests.support.descriptors import more_than, opened

pytestmark = pytest.mark.blocking  # reads keys


@pytest.fixture
def asker(tmp_path: Path) -> RpcClient:
    return RpcClient(Seal(secret_keys.load(tmp_path)), NODE)


async def test_nobody_listens(asker: RpcClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(HostAway, match=r"^refused: no process listens there$"):
        await asker.ask(address, Kind.HELLO, b"")


async def test_somebody_listens_and_says_nothing(asker: RpcClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(HostAway, match=r"^no answer within 0\.05 s$"):
        await asker.ask(f"127.0.0.1:{server.getsockname()[1]}", Kind.HELLO, b"", within=0.05)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"", "no answer, but an end"),
        (b"\x01\x00\x00", "no answer, but an end"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "another program's port"),
        (ANSWER.pack(1, BOUNDS[Kind.HELLO] + 1), "another program's port"),
        (ANSWER.pack(1, 3) + bytes(20), "not sealed by this service"),
    ],
)
async def test_another_program_listens(asker: RpcClient, said: bytes, why: str) -> None:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        with pytest.raises(HostAway, match=why):
            await asker.ask(f"127.0.0.1:{server.sockets[0].getsockname()[1]}", Kind.HELLO, b"")


async def test_an_address_may_be_one_of_ipv6(tmp_path: Path) -> None:
    async with there(secret_keys.load(tmp_path), {Kind.HELLO: echo}, "::1") as host:
        assert host.address.startswith("[::1]:")
        assert await host.asker.ask(host.address, Kind.HELLO, b"six") == f"{NODE} six".encode()


async def test_a_connection_that_was_dialled_does_not_block_and_one_that_was_not_leaves_nothing() -> None:
    before = opened()
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with await dial(address) as sock:
            assert not sock.getblocking()
    with pytest.raises(ConnectionRefusedError):
        await dial(address)
    assert more_than(before) == Counter()

"""One connection to one server of NATS: why there is none is said in words, and nothing is tried for long."""

from __future__ import annotations

import asyncio

import pytest
from nats.aio.msg import Msg

from server.fleet.nats import nats_connection
from server.fleet.nats.nats_connection import Proof
from server.ops.config.cluster_settings import Cluster
from tests.support import services

PLAIN = Proof(None, None)


async def test_where_nobody_listens_the_cause_is_told() -> None:
    with pytest.raises(OSError, match=r"refused|failed"):
        await nats_connection.connect(f"nats://127.0.0.1:{services.free_port()}", PLAIN)


async def test_its_end_is_told_once(nats: services.Nats) -> None:
    ends: list[str] = []

    async def over() -> None:
        ends.append("over")

    client = await nats_connection.connect(nats.url, PLAIN, over)
    await nats_connection.end(client)
    await nats_connection.end(client)
    assert ends == ["over"]


async def test_what_is_said_of_a_connection_that_was_given_up_is_not_told(nats: services.Nats) -> None:
    told: list[Exception] = []

    async def troubled(fault: Exception) -> None:
        told.append(fault)

    client = await nats_connection.connect(nats.url, PLAIN, troubled=troubled)
    await client._error_cb(OSError("before"))
    await nats_connection.end(client)
    await client._error_cb(OSError("data after its end"))
    assert [str(fault) for fault in told] == ["before"]


async def test_nothing_of_a_connection_waits_on_when_its_close_fails(
    nats: services.Nats, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def came(_: Msg) -> None: ...

    async def broken() -> None:
        raise ConnectionResetError

    before = asyncio.all_tasks()
    client = await nats_connection.connect(nats.url, PLAIN)
    await client.subscribe("a", cb=came)
    await client.flush()
    with monkeypatch.context() as patch:
        patch.setattr(client._transport, "drain", broken)
        client._pending, client._pending_data_size = [b"PING\r\n"], 6
        with pytest.raises(ConnectionResetError):
            await client.close()
    left = asyncio.all_tasks() - before
    assert left, "the library ends them itself: this test, and what it tests, may go"
    await nats_connection.end(client)
    async with asyncio.timeout(20):
        await asyncio.wait(left)
        await client._transport.wait_closed()


def test_without_tls_and_credentials_there_is_nothing_to_prove() -> None:
    assert Proof.read(Cluster(nats=("nats://a",))) == PLAIN
    assert Proof.read(Cluster(nats=("tls://a",))).secure is not None


def test_a_fault_without_words_has_its_name() -> None:
    assert nats_connection.words(TimeoutError()) == "TimeoutError"
    assert nats_connection.words(OSError("gone")) == "gone"

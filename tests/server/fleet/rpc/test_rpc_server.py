"""The cluster port: who has the secret is served, whoever else comes is bounded, counted and told nothing."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import structlog

from server.fleet.rpc import rpc_envelope, rpc_server
from server.fleet.rpc.rpc_client import HostAway
from server.fleet.rpc.rpc_envelope import HEAD, NONCE, Head, Kind, Status
from server.fleet.rpc.rpc_seal import SEALED
from server.fleet.rpc.rpc_server import COMING, Answer, Request
from server.ops.config.cluster_settings import split
from server.ops.metrics.cluster_metrics import REFUSALS
from server.ops.security import secret_keys
from tests.server.fleet.cluster.ports import NODE, There, echo, there

pytestmark = pytest.mark.blocking  # reads keys


@pytest_asyncio.fixture
async def host(tmp_path: Path) -> AsyncIterator[There]:
    async with there(secret_keys.load(tmp_path / "data"), {Kind.HELLO: echo}) as made:
        yield made


def request(host: There, body: bytes = b"body", number: int = 0, kind: int = Kind.HELLO) -> bytes:
    """All the bytes of one that is right. `number`: another makes another nonce."""
    asked = Head(kind, NODE, int(host.now * 1000), number.to_bytes(NONCE, "big"), len(body))
    return rpc_envelope.request(host.seal, host.address, asked, body)


async def refused(host: There, **expected: int) -> None:
    """Wait until so many were refused, by why, and none for another reason; nothing of them is left."""
    async with asyncio.timeout(20):
        while {why: count for why, count in host.port.refused.items() if count} != expected or host.port._coming:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def serves(host: There) -> None:
    """Whoever has the secret is answered as ever."""
    assert await host.asker.ask(host.address, Kind.HELLO, b"still") == f"{NODE} still".encode()


async def test_a_request_is_answered_also_byte_by_byte(host: There) -> None:
    await serves(host)
    reader, writer = await host.open()
    for byte in request(host):
        writer.write(bytes((byte,)))
        await writer.drain()
    whole = await reader.read()
    assert (
        rpc_envelope.answered(host.seal, bytes(NONCE), Status.TAKEN, whole[rpc_envelope.ANSWER.size :])
        == f"{NODE} body".encode()
    )
    writer.close()
    await refused(host)


async def test_one_that_is_cut_at_any_byte_leaves_nothing(host: There) -> None:
    whole = request(host)
    for size in range(len(whole)):
        assert await host.say(whole[:size], ended=True) == b"", size
    await refused(host)
    await serves(host)


async def test_no_byte_may_be_another(host: There) -> None:
    whole = request(host)
    for place in range(len(whole)):
        other = bytearray(whole)
        other[place] ^= 0x80
        assert await host.say(bytes(other), ended=True) == b"", place
    assert host.port.refused["mac"] > len(whole) // 2
    await serves(host)


async def test_another_secret_is_told_nothing(host: There, tmp_path: Path) -> None:
    with pytest.raises(HostAway, match="another secret"):
        await host.other(tmp_path / "other").ask(host.address, Kind.HELLO, b"")
    await refused(host, mac=1)


async def test_a_clock_that_is_off_is_told_to_who_has_the_secret_alone(host: There, tmp_path: Path) -> None:
    host.off = 31
    with pytest.raises(HostAway, match="clock off: its clock is 31 s ahead of ours"):
        await host.asker.ask(host.address, Kind.HELLO, b"")
    host.off = -3600
    with pytest.raises(HostAway, match="clock off: its clock is 3600 s behind ours"):
        await host.asker.ask(host.address, Kind.HELLO, b"")
    with pytest.raises(HostAway, match="another secret"):
        await host.other(tmp_path / "other").ask(host.address, Kind.HELLO, b"")
    await refused(host, time=2, mac=1)
    host.off = 29
    await serves(host)


async def test_a_request_that_waited_for_a_busy_host_is_refused_as_that(
    host: There, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rpc_envelope, "SKEW", 0.05)
    host.port.pause()
    reader, writer = await host.open()
    writer.write(request(host))
    await writer.drain()
    sent = time.monotonic()
    while time.monotonic() < sent + 0.2:  # noqa: ASYNC110 - the kernel's clock goes by itself
        await asyncio.sleep(0.01)
    host.off = 0.2
    host.port.start()
    status, _ = rpc_envelope.ANSWER.unpack(await reader.readexactly(rpc_envelope.ANSWER.size))
    assert status == Status.FULL
    writer.close()
    await refused(host, late=1)


async def test_a_request_holds_once_and_at_its_own_address(host: There) -> None:
    assert await host.say(request(host)) != b""
    assert await host.say(request(host)) == b""
    await refused(host, nonce=1)
    assert await host.say(request(host, number=1)) != b""
    address, host.address = host.address, "10.0.0.2:9467"
    elsewhere = request(host, number=2)
    host.address = address
    assert await host.say(elsewhere) == b""
    await refused(host, nonce=1, mac=1)


async def test_a_request_that_the_process_before_took_does_not_hold_again(tmp_path: Path) -> None:
    secret = secret_keys.load(tmp_path / "data")
    async with there(secret, {Kind.HELLO: echo}) as before:
        used = request(before, number=1)
        assert await before.say(used) != b""
    async with there(secret, {Kind.HELLO: echo}, port=split(before.address)[1], began=0.0) as after:
        for passed in (0.0, 1.0, rpc_envelope.SKEW):
            after.now = before.now + passed
            reader, writer = await after.open()
            writer.write(used)
            status, length = rpc_envelope.ANSWER.unpack(await reader.readexactly(rpc_envelope.ANSWER.size))
            sealed = await reader.readexactly(SEALED + length)
            assert status == Status.AGAIN
            assert rpc_envelope.answered(after.seal, (1).to_bytes(NONCE, "big"), status, sealed) is not None
            writer.write(used)
            assert await reader.read() == b""
            writer.close()
        await refused(after, mac=3)
        await serves(after)


async def test_after_a_pause_it_asks_again_too(host: There) -> None:
    host.port.pause()
    host.port.start()
    assert await host.say(request(host), ended=True) != b""
    await refused(host)
    await serves(host)
    host.now += rpc_envelope.SKEW + rpc_server.DEADLINE + 1
    assert rpc_envelope.ANSWER.unpack((await host.say(request(host)))[: rpc_envelope.ANSWER.size])[0] == Status.TAKEN


async def test_a_gigabyte_that_is_announced_is_not_waited_for(host: There) -> None:
    for kind in (Kind.HELLO, Kind.EPOCH, 77):
        assert await host.say(Head(kind, NODE, 0, bytes(NONCE), 1 << 30).packed()) == b""
    assert await host.say(b"GET / HTTP/1.1\r\nHost: a-name-that-is-long-enough\r\n\r\n") == b""
    await refused(host, size=3, kind=1)
    await serves(host)


async def test_who_is_slow_is_let_go(host: There, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rpc_server, "DEADLINE", 0.05)
    whole = request(host)
    for size in (0, 1, HEAD.size, HEAD.size + SEALED, len(whole) - 1):
        assert await host.say(whole[:size]) == b""
    await refused(host, slow=5)


async def test_a_thousand_who_say_nothing_keep_nobody_away(host: There) -> None:
    silent = []
    for _ in range(1000):
        silent.append(await host.open())
        assert len(host.port._coming) <= COMING
    await serves(host)
    assert host.port.refused["full"] >= 1000 - COMING
    for _, writer in silent:
        writer.close()


async def test_what_is_not_known_here_is_another_version(host: There) -> None:
    with pytest.raises(HostAway, match="another version"):
        await host.asker.ask(host.address, Kind.EPOCH, b"12345678")
    await refused(host, kind=1)


async def test_a_handlers_refusal_comes_in_its_words_and_its_fault_as_one(tmp_path: Path) -> None:
    async def says(request: Request) -> Answer:
        if request.body:
            raise ValueError
        return rpc_server.no("not today")

    async with there(secret_keys.load(tmp_path), {Kind.HELLO: says}) as host:
        with pytest.raises(HostAway, match=r"^not today$"):
            await host.asker.ask(host.address, Kind.HELLO, b"")
        with structlog.testing.capture_logs() as logged, pytest.raises(HostAway, match="a fault"):
            await host.asker.ask(host.address, Kind.HELLO, b"x")
        assert [(line["event"], line["error"]) for line in logged] == [("cluster.fault", "ValueError")]


async def test_a_handler_may_keep_the_connection_with_every_byte_behind_the_request(tmp_path: Path) -> None:
    kept: asyncio.Queue[socket.socket] = asyncio.Queue()

    async def keeps(request: Request) -> Answer:
        return Answer(Status.TAKEN, b"yours", kept.put_nowait)

    async with there(secret_keys.load(tmp_path), {Kind.HELLO: keeps}) as host:
        reader, writer = await host.open()
        writer.write(request(host) + b"behind")
        assert (await reader.readexactly(rpc_envelope.ANSWER.size + SEALED + 5)).endswith(b"yours")
        with await kept.get() as sock:
            assert await rpc_server.exactly(sock, 6) == b"behind"
            await asyncio.get_running_loop().sock_sendall(sock, b"back")
            assert await reader.readexactly(4) == b"back"
        assert await reader.read() == b""
        writer.close()


async def test_a_refusal_is_told_once_a_minute_a_kind(host: There) -> None:
    with structlog.testing.capture_logs() as logged:
        for _ in range(3):
            await host.say(bytes(HEAD.size))
            await host.say(Head(Kind.HELLO, NODE, 0, bytes(NONCE), 1 << 30).packed())
        await refused(host, kind=3, size=3)
    assert [(line["event"], line["why"]) for line in logged] == [
        ("cluster.refused", "kind"),
        ("cluster.refused", "size"),
    ]


async def test_many_at_once_are_all_answered(host: There) -> None:
    answers = await asyncio.gather(*[host.asker.ask(host.address, Kind.HELLO, b"%d" % n) for n in range(50)])
    assert answers == [f"{NODE} {n}".encode() for n in range(50)]


async def test_the_next_process_accepts_what_came_while_nobody_did(host: There) -> None:
    again = host.port._sock.dup()
    await host.port.close()
    asking = asyncio.create_task(host.asker.ask(host.address, Kind.HELLO, b"patient", within=20))
    following = rpc_server.RpcServer(again, host.seal, host.address, {Kind.HELLO: echo}, lambda: host.now)
    await asyncio.sleep(0)
    following.start()
    assert await asking == f"{NODE} patient".encode()
    await following.close()
    assert following.reading() == {"serendip_cluster_refused": dict.fromkeys([(why,) for why in REFUSALS], 0)}


async def test_who_knocks_as_it_stops_to_accept_is_answered_all_the_same(host: There) -> None:
    for turns in range(50):  # until it stops: at one of these somebody was just accepted
        asking = asyncio.create_task(host.asker.ask(host.address, Kind.HELLO, b"%d" % turns, within=20))
        for _ in range(turns):
            await asyncio.sleep(0)
        host.port.pause()
        await asyncio.sleep(0)
        host.port.start()
        assert await asking == f"{NODE} {turns}".encode()


async def test_while_it_is_paused_who_knocks_waits(host: There) -> None:
    host.port.pause()
    host.port.pause()
    with pytest.raises(HostAway, match="no answer within"):
        await host.asker.ask(host.address, Kind.HELLO, b"", within=0.1)
    host.port.start()
    await serves(host)


async def test_a_handler_may_leave_the_answer_to_who_gets_the_connection(tmp_path: Path) -> None:
    def keep(sock: socket.socket) -> None:
        with sock:
            sock.send(b"mine")

    async def leaves(_: Request) -> Answer:
        return Answer(None, keep=keep)

    async with there(secret_keys.load(tmp_path), {Kind.HELLO: leaves}) as host:
        assert await host.say(request(host)) == b"mine"

"""What a real coturn relayed stands in the metrics; what else comes to the port of its reports costs nobody anything."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from bench.video.coturn import Turn
from serendip_client import Client
from serendip_client.peer import Peer
from server.ops import log
from server.ops.config.settings import Video
from server.ops.process.listening_sockets import Sockets, StartError
from server.realtime.video import turn_traffic_counter
from server.realtime.video.turn_traffic_counter import RelayReports
from tests.server.realtime.video.metrics import scrape
from tests.server.site.web.servers import Server
from tests.support.services import free_port

BYTES = "serendip_media_relayed_bytes_total"
CHANNEL = b"turn/realm/r/user/1:a/allocation/001000000000000003/"
PARTS = [
    b"*0\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"*9\r\n",
    b"*999999999\r\n",
    b"*1\r\n*1\r\n",
    b"*1\r\n$2000\r\n",
    b"*-1\r\n",
    b"*3",
    b"\x00" * 100_000,
]


def command(*words: bytes) -> bytes:
    """A command as coturn sends it."""
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


@pytest_asyncio.fixture
async def port() -> AsyncIterator[RelayReports]:
    """The port of reports, without a server around it."""
    made = RelayReports(Video(reports=True, reports_port=0))
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
def reporting(tmp_path: Path) -> Iterator[tuple[Server, int, Turn]]:
    """A server, the port of its metrics, and a coturn of their own, which reports to that server from its first allocation on.

    coturn is started last: it connects for its reports as it starts, and loses those of an allocation that comes before it
    is connected. No call of another test is open at it.
    """
    turn, port = Turn(tmp_path, start=False), free_port()
    (tmp_path / "data").mkdir()
    server = Server(
        tmp_path / "data", **turn.settings, SERENDIP_METRICS__ENABLED="true", SERENDIP_METRICS__PORT=str(port)
    )
    try:
        turn.start()
        yield server, port, turn
        turn.stop()
    finally:
        server.stop()


@pytest.mark.blocking  # aiortc loads OpenSSL and codecs inside the loop; the scrape waits for its answer
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # aiortc's dependencies
async def test_a_relayed_call_is_counted_from_the_reports_of_coturn(reporting: tuple[Server, int, Turn]) -> None:
    calls, metrics_port, turn = reporting
    while not scrape(metrics_port)[("serendip_media_relays_reporting",)]:  # noqa: ASYNC110 - another program's connection
        await asyncio.sleep(0.05)
    before = scrape(metrics_port)
    url = f"ws://127.0.0.1:{calls.port}/ws"
    async with Client(url) as one, Client(url) as two:
        made = await asyncio.gather(*[Peer(who).call(interests=("counted",), relay=True) for who in (one, two)])
        for call in made:
            await call.picture(20)
        while not all(call.counts.pictures >= 20 for call in made):  # noqa: ASYNC110 - a number of frames has no event
            await asyncio.sleep(0.05)
        while scrape(metrics_port)[("serendip_media_relays_active",)] != 2:  # noqa: ASYNC110 - a report has no event here
            await asyncio.sleep(0.05)
        for call in made:  # both, before one hangs up: what goes to an allocation that is gone is taken by nobody
            for sender in call.connection.getSenders():
                await sender.stop()
        for call in made:
            await call.close()

    def more() -> dict[tuple[str, ...], float]:
        return {name: value - before[name] for name, value in scrape(metrics_port).items() if name in before}

    while (found := more())[("serendip_media_relay_sessions_total",)] < 2:  # noqa: ASYNC110 - a report has no event here
        await asyncio.sleep(0.05)
    assert found[("serendip_media_credentials_total",)] == 2
    assert scrape(metrics_port)[("serendip_media_relays_active",)] == 0
    # The pictures went through both allocations, so each direction carried them. No more is promised: a relay also counts what its peer's other
    # addresses send to it and what it drops for want of a permission, and both are the more the slower a call begins.
    carried = {name: int(found[BYTES, name]) for name in ("from_client", "to_peer", "from_peer", "to_client")}
    assert min(carried.values()) > 10_000, carried
    assert carried["from_client"] > carried["to_peer"], "what a peer gets came from the client, in a frame of TURN"
    assert not [line for line in turn.log if "remote" in line or "username" in line]


async def test_reports_are_added_up_by_direction_and_everything_else_is_dropped(port: RelayReports) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port.port)
    traffic = b"rcvp=2, rcvb=1000, sentp=1, sentb=300"
    told = command(b"AUTH", b"") + command(b"SELECT", b"0") + command(b"keys", b"turn/*/allocation/*/status")
    told += command(b"publish", CHANNEL + b"traffic", traffic) * 2
    told += command(b"publish", CHANNEL + b"traffic/peer", b"rcvp=1, rcvb=7, sentp=1, sentb=5")
    told += command(b"publish", CHANNEL + b"total_traffic", traffic)
    told += command(b"set", CHANNEL + b"status", b"new lifetime=777, remote=198.51.100.7:4")
    told += command(b"publish", CHANNEL + b"status", b"deleted")
    told += command(b"publish", CHANNEL + b"traffic", b"rcvp=1, rcvb=-7, sentp=1, sentb=x")
    told += command(b"publish", CHANNEL + b"traffic", b"rcvp=1, rcvb=9999999999999, sentp=1, sentb=0")
    for at in range(0, len(told), 7):
        writer.write(told[at : at + 7])
        await writer.drain()
    writer.write(command(b"PING"))
    answers = b"+OK\r\n+OK\r\n*0\r\n" + b":0\r\n" * 4 + b"+OK\r\n" + b":0\r\n" * 3 + b"+PONG\r\n"
    assert await reader.readexactly(len(answers)) == answers
    assert port.bytes == {
        "from_client": 2_000 + turn_traffic_counter.BYTES_MAX,
        "to_client": 600,
        "from_peer": 7,
        "to_peer": 5,
    }
    assert port.ended == 1
    assert "198.51.100.7" not in repr(vars(port))
    writer.close()


async def test_open_allocations_are_those_begun_and_not_ended_and_end_with_who_told_of_them(port: RelayReports) -> None:
    def active() -> object:
        return port.reading()["serendip_media_relays_active"]

    first, second = [await asyncio.open_connection("127.0.0.1", port.port) for _ in range(2)]
    one, other = CHANNEL + b"status", CHANNEL.replace(b"003/", b"004/") + b"status"
    for (reader, writer), said in (
        (first, [(one, b"new lifetime=600"), (other, b"new lifetime=600"), (one, b"refreshed lifetime=600")]),
        (second, [(one, b"deleted"), (one, b"new lifetime=600")]),  # of one that began before we did: not below none
    ):
        writer.write(b"".join(command(b"publish", *what) for what in said) + command(b"PING"))
        await reader.readuntil(b"+PONG\r\n")
    assert active() == 3
    first[1].write(command(b"publish", one, b"deleted") + command(b"PING"))
    await first[0].readuntil(b"+PONG\r\n")
    assert active() == 2
    first[1].close()
    async with asyncio.timeout(10):
        while active() != 1:  # noqa: ASYNC110 - the loss of a connection has no event here
            await asyncio.sleep(0.01)
    second[1].close()


def test_where_nobody_is_asked_to_report_there_is_nothing_that_could_be_away() -> None:
    reading = RelayReports(Video(reports=False)).reading()
    assert not {"serendip_media_relays_reporting", "serendip_media_relays_active"} & set(reading)


@pytest.mark.parametrize("bad", PARTS, ids=[repr(part[:12]) for part in PARTS])
async def test_what_coturn_does_not_speak_ends_that_connection_alone(port: RelayReports, bad: bytes) -> None:
    good, strange = [await asyncio.open_connection("127.0.0.1", port.port) for _ in range(2)]
    strange[1].write(bad)
    strange[1].write_eof()
    assert await strange[0].read() == b""
    good[1].write(command(b"PING"))
    assert await good[0].readline() == b"+PONG\r\n"
    for _, writer in (good, strange):
        writer.close()


async def test_connections_are_bounded(port: RelayReports) -> None:
    made = [
        await asyncio.open_connection("127.0.0.1", port.port) for _ in range(turn_traffic_counter.CONNECTIONS_MAX + 1)
    ]
    assert await made[-1][0].read() == b""
    assert len(port.open) == turn_traffic_counter.CONNECTIONS_MAX
    for _, writer in made:
        writer.close()


async def test_a_port_that_is_taken_is_told_and_calls_go_on(
    port: RelayReports, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    again = RelayReports(Video(reports_port=port.port or 0))
    await again.start()
    assert again.port is None
    assert await asyncio.to_thread(log.sink().flush, 10)
    assert b"relayed.port_taken" in b"".join(capfdbinary.readouterr())
    await again.stop()


async def reported(port: int | None) -> None:
    """One connection, one report, answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(command(b"PUBLISH", CHANNEL + b"traffic", b"rcvp=1, rcvb=10, sentp=1, sentb=20"))
    assert await reader.readline() == b":0\r\n"
    writer.close()
    await writer.wait_closed()


async def test_who_reports_while_it_pauses_is_heard_by_the_next_on_the_same_port() -> None:
    sockets = Sockets()
    old = RelayReports(Video(reports=True, reports_port=0), sockets)
    await old.start()
    await reported(old.port)
    await old.pause()
    await old.pause()
    await old.listen()
    await reported(old.port)
    await old.pause()
    waiting = asyncio.create_task(reported(old.port))
    theirs = Sockets({name: sock.dup() for name, sock in sockets.all().items()})
    new = RelayReports(Video(reports=True, reports_port=old.port or 0), theirs)
    await new.start(listening=False)
    await old.stop()
    assert not waiting.done()
    await new.listen()
    await new.listen()
    await waiting
    assert (old.bytes["from_client"], new.bytes["from_client"]) == (20, 10)
    await new.stop()
    with pytest.raises(ConnectionRefusedError):
        await reported(new.port)


async def test_another_port_than_that_of_the_process_before_needs_a_restart(port: RelayReports) -> None:
    sockets = Sockets()
    old = RelayReports(Video(reports_port=0), sockets)
    await old.start()
    new = RelayReports(Video(reports_port=(old.port or 0) + 1), sockets)
    with pytest.raises(StartError, match=r"reports: .* needs a restart"):
        await new.start(listening=False)
    await new.listen()  # it has no port
    await old.stop()

"""Test that a real server serves a changed number of the protocol."""

from pathlib import Path

from serendip_client import Client, Error, Hello, Matched, NotSent, Sent
from tests.server.site.web.servers import Server

CHANGED = (
    "from engine.wire import protocol; protocol.GRACE = 7.0; protocol.MESSAGE_BURST = 2; protocol.MESSAGE_RATE = 0.001; "
    "protocol.FIND_BURST = 2; protocol.FIND_RATE = 0.001; "
)


async def test_a_server_serves_the_changed_numbers(tmp_path: Path) -> None:
    server = Server(tmp_path, CHANGED)
    url = f"ws://127.0.0.1:{server.port}/ws"
    try:
        async with Client(url) as one, Client(url) as other:
            assert (await one.next(Hello)).grace == 7.0
            await one.find(interests=["tea"])
            await other.find(interests=["tea"])
            await one.next(Matched)
            sent = [await one.say(text) for text in ("a", "b", "c")]
            answers = [await one.next(Sent, NotSent) for _ in sent]
            assert [(type(answer), answer.id) for answer in answers] == list(
                zip((Sent, Sent, NotSent), sent, strict=True)
            )
            await other.find()
            await other.find()
            assert (await other.next(Error)).code == "too_fast"
    finally:
        server.stop()

"""Two public client libraries, as they come from their registries: only the host is another.

`python-omegle` is given the address of the server. `omegle-node` speaks HTTPS to `front1.omegle.com`, the name that it
makes of `/status`: a file loaded before it sends those connections here, through a TLS end of the test's own.
"""

import asyncio
import contextlib
import json
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.server.site.omegle.conftest import Caller
from tests.server.site.omegle.reading import Read, python_omegle, read
from tests.server.site.web.servers import Server

__all__ = ["read"]
HERE = Path(__file__).parent
Make = Callable[[], Caller]


def test_python_omegle_meets_talks_and_parts(wide: Server, read: Read) -> None:
    one = read(wide, python_omegle.RandomChat(language="hr"))
    one.until("CHAT_WAITING")
    two = read(wide, python_omegle.RandomChat(language="hr"))
    for reader in (one, two):
        reader.until("CHAT_READY")
        assert reader.until("GOT_SERVER_NOTICE") == "You both speak the same language."
    one.chat.start_typing()
    two.until("PARTNER_STARTED_TYPING")
    one.chat.stop_typing()
    two.until("PARTNER_STOPPED_TYPING")
    one.chat.send("hei på deg")
    assert two.until("GOT_MESSAGE") == "hei på deg"
    two.chat.send("hi")
    assert one.until("GOT_MESSAGE") == "hi"
    two.chat.disconnect()
    one.until("CHAT_ENDED")


def test_python_omegle_meets_by_interests(wide: Server, read: Read) -> None:
    one = read(wide, python_omegle.InterestsChat(["lace making", "kites"], language="hu"))
    one.until("CHAT_WAITING")
    two = read(wide, python_omegle.InterestsChat(["Kites"], language="hu"))
    assert one.until("CHAT_READY") == ["kites"]
    assert two.until("CHAT_READY") == ["Kites"]
    two.chat.disconnect()
    one.until("CHAT_ENDED")


async def test_python_omegle_discusses_a_question(wide: Server, caller: Make, read: Read) -> None:
    spy = caller()
    await spy.start(ask="Do libraries outlive their hosts?", lang="is")
    chats = [python_omegle.SpyeeChat(language="is") for _ in range(2)]
    one, two = [await asyncio.to_thread(read, wide, chat) for chat in chats]
    for reader in (one, two):
        assert await asyncio.to_thread(reader.until, "CHAT_READY") == "Do libraries outlive their hosts?"
    await asyncio.to_thread(one.chat.send, "this one does")
    assert await asyncio.to_thread(two.until, "GOT_MESSAGE") == "this one does"
    assert await spy.until("spyMessage") == ["spyMessage", "Stranger 1", "this one does"]
    await asyncio.to_thread(one.chat.disconnect)
    await asyncio.to_thread(two.until, "CHAT_ENDED")
    assert await spy.until("spyDisconnected") == ["spyDisconnected", "Stranger 1"]


# omegle-node


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with omegle-node in it, from npm."""
    folder = tmp_path_factory.mktemp("node")
    how = ["--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-retry-mintimeout=1000"]
    found = subprocess.run(
        ["timeout", "50", "npm", "install", *how, "--prefix", str(folder), "omegle-node@1.1.4"],
        capture_output=True,
        check=False,
    )
    if found.returncode:
        pytest.skip("omegle-node cannot be had from the registry here")
    return folder


@pytest.fixture
async def secure(wide: Server, tmp_path: Path) -> AsyncIterator[int]:
    """The port of a TLS end in front of the server, with a certificate that nobody signed."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    more = ["-keyout", str(key), "-out", str(certificate), "-subj", "/CN=front1.omegle.com", "-days", "1"]
    made = await asyncio.create_subprocess_exec(*command, *more, stderr=asyncio.subprocess.DEVNULL)
    assert await made.wait() == 0
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, on = await asyncio.open_connection("127.0.0.1", wide.port)
        await asyncio.gather(pump(reader, on), pump(back, writer))

    server = await asyncio.start_server(carry, "127.0.0.1", 0, ssl=context)
    yield server.sockets[0].getsockname()[1]
    server.close()


class Script:
    """`omegle.mjs` at work: commands go in, the library's events come out, one JSON a line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        assert process.stdin is not None
        assert process.stdout is not None
        self._in, self._out = process.stdin, process.stdout
        self.seen: list[list[Any]] = []

    def tell(self, *command: Any) -> None:
        self._in.write(json.dumps(command).encode() + b"\n")

    async def until(self, name: str) -> list[Any]:
        """The first event of that name from here on; an error of the library fails."""
        async with asyncio.timeout(15):
            while line := await self._out.readline():
                event = json.loads(line)
                self.seen.append(event)
                assert event[0] != "omerror", self.seen
                if event[0] == name:
                    return list(event)
        raise AssertionError(f"no {name}: {self.seen}")


@pytest.fixture
async def script(library: Path, secure: int, company: int) -> AsyncIterator[Callable[[], Any]]:
    """Starts programs that use omegle-node."""
    processes: list[asyncio.subprocess.Process] = []

    async def start() -> Script:
        process = await asyncio.create_subprocess_exec(
            "node",
            "--require",
            str(HERE / "host.cjs"),
            str(HERE / "omegle.cjs"),
            env={
                "PATH": "/usr/bin:/bin",
                "NODE_PATH": str(library / "node_modules"),
                "NODE_NO_WARNINGS": "1",
                "NODE_TLS_REJECT_UNAUTHORIZED": "0",
                "SERENDIP_PORT": str(secure),
                "SERENDIP_COMPANY": str(company),
            },
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        processes.append(process)
        return Script(process)

    yield start
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def test_omegle_node_meets_talks_and_parts(script: Any) -> None:
    one, two = await script(), await script()
    for client in (one, two):
        client.tell("language", "mk")
        client.tell("connect")
        await client.until("gotID")
    for client in (one, two):
        await client.until("connected")
    one.tell("startTyping")
    await two.until("typing")
    one.tell("stopTyping")
    await two.until("stoppedTyping")
    one.tell("send", "здраво & more")
    assert await two.until("gotMessage") == ["gotMessage", "здраво & more"]
    two.tell("send", "hi")
    assert await one.until("gotMessage") == ["gotMessage", "hi"]
    two.tell("disconnect")
    await two.until("disconnected")
    await one.until("strangerDisconnected")


async def test_omegle_node_meets_python_omegle_by_a_topic(script: Any, wide: Server, read: Read) -> None:
    node = await script()
    node.tell("language", "mt")
    node.tell("connect", ["origami", "chess"])
    await node.until("waiting")
    reader = await asyncio.to_thread(read, wide, python_omegle.InterestsChat(["chess"], language="mt"))
    assert await node.until("commonLikes") == ["commonLikes", ["chess"]]
    assert await asyncio.to_thread(reader.until, "CHAT_READY") == ["chess"]
    await asyncio.to_thread(reader.chat.send, "e4")
    assert await node.until("gotMessage") == ["gotMessage", "e4"]
    await asyncio.to_thread(reader.chat.disconnect)
    await node.until("strangerDisconnected")


async def test_omegle_node_gives_up_its_topics(script: Any, caller: Make) -> None:
    node, other = await script(), caller()
    await other.start(lang="ny")
    node.tell("language", "ny")
    node.tell("connect", ["nobody likes this"])
    await node.until("waiting")
    node.tell("stopLookingForCommonLikes")
    await node.until("connected")
    await other.until("connected")

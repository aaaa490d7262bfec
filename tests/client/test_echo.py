"""Test the echo bot of the command line."""

import asyncio
import os
import subprocess
import sys

import pytest

from serendip_client import Client, Matched, Message
from serendip_client.echo import echo
from serendip_client.testing import FakeServer
from tests.server.site.web.servers import ROOT, Server


async def test_it_repeats_what_it_hears_for_so_many_chats(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    bot = asyncio.create_task(echo(url, ["echo test"], {"language": "en"}, chats=2))
    for text in ("one", "two"):
        async with Client(url) as me:
            await me.find(["echo test"])
            await me.next(Matched)
            await me.say(text)
            assert (await me.next(Message)).text == text
    async with asyncio.timeout(20):
        assert await bot == 0
    assert capsys.readouterr().err.splitlines() == [f"chat {n}: 1 lines, ended by stranger" for n in (1, 2)]


async def test_the_example_in_javascript_repeats_what_it_hears(server: Server, url: str) -> None:
    command = ("node", str(ROOT / "examples/echo_bot.mjs"), f"http://127.0.0.1:{server.port}")
    bot = await asyncio.create_subprocess_exec(*command, stderr=subprocess.PIPE)
    try:
        for text in ("one", "two"):
            async with Client(url) as me, asyncio.timeout(20):
                await me.find(["echo"])
                await me.next(Matched)
                await me.say(text)
                assert (await me.next(Message)).text == text
    finally:
        bot.kill()
        await bot.communicate()


def test_it_starts_where_a_system_has_no_terminals_of_unix(url: str) -> None:
    code = (
        "import sys; sys.modules.update(termios=None, tty=None, resource=None)\n"
        "from serendip_client.__main__ import main; sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "echo", url.replace("/ws", "/other")],
        env={**os.environ, "PYTHONPATH": str(ROOT / "client")},
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )
    assert (done.returncode, "refused with 404" in done.stderr) == (1, True), done.stderr


async def test_a_stranger_who_leaves_behind_a_line_ends_no_bot() -> None:
    async with FakeServer() as server, asyncio.timeout(20):
        bot = asyncio.create_task(echo(server.url, ["echo test"], {}, chats=2))
        for text in ("one", "two"):
            stranger = await server.meet()
            await stranger.say(text)
            await stranger.leave()
        assert await bot == 0

"""Test that the programs of docs/get-started.md run as they are printed there; its page runs in tests/server/site/web/test_other_origin.py."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from serendip_client import Client, Matched, Message
from tests.server.site.web.servers import ROOT, Server
from tests.support.printed_programs import printed

EXAMPLE = "http://127.0.0.1:8080"


async def answers(program: tuple[str, ...], folder: Path, url: str, greeting: str | None, answer: str) -> None:
    """Meet a program, say tea, and hear its answer."""
    running = await asyncio.create_subprocess_exec(
        *program, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT / "client")}, stderr=subprocess.PIPE
    )
    try:
        async with Client(url) as me, asyncio.timeout(40):
            await me.find(["tea"])
            await me.next(Matched)
            if greeting is not None:
                assert (await me.next(Message)).text == greeting
            await me.say("tea")
            assert (await me.next(Message)).text == answer
    finally:
        running.kill()
        await running.communicate()


async def test_the_bot_runs(server: Server, url: str, tmp_path: Path) -> None:
    site = f"http://127.0.0.1:{server.port}"
    (tmp_path / "bot.py").write_text(printed("# bot.py").replace(EXAMPLE, site))
    await answers((sys.executable, "bot.py"), tmp_path, url, "Green or black?", "tea, I see.")


async def test_the_client_in_node_runs(server: Server, url: str, tmp_path: Path) -> None:
    site = f"http://127.0.0.1:{server.port}"
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules/serendip-client").symlink_to(ROOT / "client/js")
    (tmp_path / "client.mjs").write_text(printed("// client.mjs").replace(EXAMPLE, site))
    await answers(("node", "client.mjs"), tmp_path, url, None, "You said: tea")

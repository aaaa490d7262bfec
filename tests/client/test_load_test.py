"""Test the load test of the client with a real server, and with one that refuses or falls silent."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from typing import Any
from urllib.request import urlopen

import pytest

from serendip_client import Client, Matched
from serendip_client.__main__ import main
from serendip_client.load_test import LoadOptions, LoadTest, allow_files
from serendip_client.testing import FakeServer
from tests.server.site.web.servers import ROOT, Server

PROGRAM = (sys.executable, "-m", "serendip_client", "load")
MATCHED = 'serendip_tickets_total{outcome="matched"}'
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "client")}
# It is stopped after some chats, however long they take. All users come at once: a chat that began before the last came is a chat with fewer lines.
QUICK = LoadOptions(users=4, seconds=600.0, lines=2, pause=0.05, ramp=1e9)


async def some_chats(url: str) -> dict[str, Any]:
    """Return the figures of a test that a few chats end."""
    test = LoadTest(url, QUICK)
    running = asyncio.create_task(test.run())
    async with asyncio.timeout(60):
        while test.figures.chats < 4:  # noqa: ASYNC110 - a count has no event
            await asyncio.sleep(0.01)
    test.stop()
    return (await running).summary()


async def test_pairs_chat_and_every_line_is_heard(url: str) -> None:
    figures = await some_chats(url)
    assert figures["errors"] == {}
    assert figures["lines"] >= figures["chats"] * 2 * QUICK.lines
    assert figures["connect_ms"]["count"] >= figures["chats"]
    for name in ("connect_ms", "match_ms", "line_ms"):
        assert 0 < figures[name]["p50"] <= figures[name]["p99"] <= figures[name]["max"]
    assert figures["own"]["delay_ms"]["count"] > 0


async def test_no_real_user_is_met(url: str) -> None:
    async with Client(url) as user:
        await user.find(["somebody real"])
        meeting = asyncio.create_task(user.next(Matched))
        figures = await some_chats(url)
        assert not meeting.done()
        meeting.cancel()
    assert figures["errors"] == {}


async def test_a_user_who_did_not_ask_for_the_topic_is_left_at_once_and_counted() -> None:
    async with FakeServer() as server:
        test = LoadTest(server.url, LoadOptions(users=2, seconds=600.0, lines=1, pause=0.01, ramp=100.0))
        running = asyncio.create_task(test.run())
        await server.meet(common=[])
        async with asyncio.timeout(30):
            while not test.figures.errors["met another user"]:  # noqa: ASYNC110 - a count has no event
                await asyncio.sleep(0.01)
        test.stop()
        figures = (await running).summary()
    assert figures["chats"] == figures["lines"] == 0


def matched(server: Server) -> float:
    """Return how many searches have ended in a match at the server."""
    port = next(json.loads(line)["port"] for line in server.before.splitlines() if '"metrics.ready"' in line)
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    return float(next(line.split()[-1] for line in lines if line.startswith(MATCHED)))


def stopped(server: Server, *words: str) -> str:
    """Return what the command prints at Ctrl-C, after a chat."""
    size = ("--users", "2", "--lines", "1", "--pause", "0.01", "--ramp", "100", "--seconds", "1000")
    before = matched(server)
    with subprocess.Popen(
        [*PROGRAM, server.url, *size, *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT,
    ) as endless:  # fmt: skip
        try:
            until = time.monotonic() + 50
            while matched(server) < before + 20:  # chats before all have come, in the first 20 ms, do not count
                assert time.monotonic() < until
                time.sleep(0.05)
            endless.send_signal(signal.SIGINT)
            out, errors = endless.communicate(timeout=50)
        finally:
            endless.kill()
    assert endless.returncode == 0, out + errors
    return out


def test_the_command_prints_a_table_or_json_and_ends_with_the_figures_at_ctrl_c(server: Server) -> None:
    table = stopped(server)
    for title in ("chats", "time to match", "line", "errors: none", "this program: "):
        assert f"\n{title}" in table
    figures = json.loads(stopped(server, "--json"))
    assert (figures["users"], figures["chats"] > 0, figures["seconds"] < 1000) == (2, True, True)


def test_a_server_that_is_away_is_told_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["load", "http://127.0.0.1:9", "--users", "2", "--seconds", "1", "--json"]
    assert main(words) == 1
    figures = json.loads(
        capsys.readouterr().out.splitlines()[-1]
    )  # after what the log prints where a server is in the process
    assert figures["chats"] == 0
    assert any(name.startswith("connection dropped") for name in figures["errors"])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--users", "3"], "an even number"),
        (["--users", "0"], "no whole number"),
        (["--pause", "-1"], "no number above 0"),
        (["--seconds", "nan"], "no number above 0"),
    ],
)
def test_a_wrong_size_is_refused_with_what_would_be_right(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["load", "http://127.0.0.1:9", *words])
    assert told in capsys.readouterr().err


def test_more_connections_than_the_system_allows_are_refused_at_once() -> None:
    with pytest.raises(OSError, match="open files are needed"):
        allow_files(1 << 40)

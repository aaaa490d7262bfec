"""Test `serendip talk` and `serendip bot echo` as commands: they meet each other on a real server."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.server.site.web.servers import ROOT, Server
from tests.support.forkserver import START


@pytest.mark.timeout(120)
def test_one_command_talks_to_the_other(tmp_path: Path) -> None:
    server = Server(tmp_path)
    run = [sys.executable, "-c", START]
    bot = subprocess.Popen(
        [*run, "bot", "echo", server.url, "--topics", "commands", "--chats", "1"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    talk = subprocess.Popen(
        [*run, "talk", server.url, "--topics", "commands", "--stay"], cwd=ROOT, text=True, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert talk.stdin is not None
    assert talk.stdout is not None
    talk.stdin.write("hello\n")
    talk.stdin.flush()
    assert talk.stdout.readline() == "Stranger: hello\n"
    talk.stdin.write("/quit\n")
    talk.communicate(timeout=30)
    _, told = bot.communicate(timeout=30)
    assert (talk.returncode, bot.returncode, told) == (0, 0, "chat 1: 1 lines, ended by stranger\n")
    assert server.stop() == 0


def test_the_help_names_both() -> None:
    for words, told in ((("talk", "--help"), "in a pipe"), (("bot", "--help"), "echo")):
        done = subprocess.run(
            [sys.executable, "-c", START, *words], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
        )
        assert told in done.stdout

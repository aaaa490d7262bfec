"""The server's side of screening: a process that is dead or stands still costs lines, which are counted, and nothing else."""

import os
import signal
from pathlib import Path

import orjson
import pytest

from server.trust.programs import helper_process
from tests.server.trust.moderation.running import Run


def take(screen: Run, message: object) -> None:
    """As if the process had said so."""
    screen.screener.take(None, orjson.dumps(message))  # type: ignore[arg-type]


async def test_one_that_is_killed_comes_back_and_reads_what_waited(
    screen: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(helper_process, "FIRST", 0.05)
    await screen.until(lambda: screen.number("up") == 1)
    os.kill(screen.screener.pid, signal.SIGKILL)
    await screen.until(lambda: screen.number("up") == 0)
    screen.tap.put(1, 0, 1, 0.0, b"my snap")
    await screen.until(lambda: bool(screen.found))
    assert screen.found == [(1, 0, 1, "contact.hint", 0)]


async def test_a_relative_data_folder_is_that_of_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process runs in another folder, and reads the operator's rules in the server's."""
    monkeypatch.chdir(tmp_path)
    rules = tmp_path / "var" / "rules"
    rules.mkdir(parents=True)
    (rules / "own.toml").write_text('[hate]\nwords = ["quibble"]\n')
    screen = Run(Path("var"))
    screen.tap.put(1, 0, 1, 0.0, b"quibble")
    await screen.until(lambda: screen.number("lines") == 1)
    await screen.close()
    assert screen.found == [(1, 0, 1, "hate", 0)]


async def test_one_that_reads_nothing_costs_lines_which_are_counted(tmp_path: Path) -> None:
    screen = Run(tmp_path, ring=64 * 1024)
    await screen.until(lambda: screen.number("up") == 1)
    os.kill(screen.screener.pid, signal.SIGSTOP)
    for number in range(1, 2001):
        screen.tap.put(1, 0, number, 0.0, b"x" * 50)
    assert screen.number("dropped") > 1000
    os.kill(screen.screener.pid, signal.SIGCONT)
    await screen.until(lambda: screen.number("lines") == 2000 - screen.number("dropped"))
    await screen.close()


async def test_what_is_no_message_is_not_believed(screen: Run) -> None:
    with pytest.raises(KeyError):
        take(screen, {"found": 1})
    wrong = [
        [1, 3, 3, "link", 0],
        ["x", 0, 1, "link", 0],
        [1, 0, 1, "nothing", 0],
        [1, 0, 1, "age.claim", "14"],
    ]
    take(
        screen,
        {
            "lines": 1,
            "skipped": 0,
            "unread": 0,
            "unmodelled": 0,
            "unasked": 0,
            "lag": 0,
            "unsent": 0,
            "bad": "",
            "found": wrong,
        },
    )
    assert screen.found == []

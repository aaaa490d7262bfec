"""`serendip upgrade` against a small server on the control socket: what is printed, and with which status it ends."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from server.main.cli import app
from server.ops.process.control_socket import ControlSocket, Say
from server.ops.process.listening_sockets import Sockets
from tests.server.ops.process.test_unix_user_switch import serendip
from tests.support.users import as_nobody, folder_of_nobody, needs_root

DONE = {"done": True, "said": "", "people": 12, "chats": 5, "seconds": 0.4}
STEPS = [
    {"step": "starting"},
    {"step": "ready", "pid": 4711, "version": "0.2.0"},
    {"step": "moving", "left": 12},
    {"step": "something of a later version"},
]


class Answering:
    """A server that answers in a thread of its own, with a loop of its own."""

    def __init__(self, data: Path) -> None:
        self.last: Mapping[str, Any] = DONE
        self.programs: list[str | None] = []
        self._data = data
        self._up = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._thread.start()
        assert self._up.wait(20)

    async def _run(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        control = ControlSocket(Sockets(), self._data, self._upgrade, dict)
        await control.start()
        self._up.set()
        await self._end.wait()
        await control.stop()

    async def _upgrade(self, program: str | None, say: Say) -> Mapping[str, Any]:
        self.programs.append(program)
        for step in STEPS:
            say(step)
        return self.last

    def stop(self) -> None:
        """Answer no more; may be called again."""
        if not self._thread.is_alive():
            return
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(20)


@pytest.fixture
def run(tmp_path: Path) -> CliRunner:
    made = CliRunner(env={"SERENDIP_DATA": str(tmp_path)})
    assert made.invoke(app, ["init"]).exit_code == 0
    return made


@pytest.fixture
def server(run: CliRunner, tmp_path: Path) -> Iterator[Answering]:
    made = Answering(tmp_path)
    yield made
    made.stop()


def test_it_says_in_words_how_it_goes(run: CliRunner, server: Answering) -> None:
    told = run.invoke(app, ["upgrade"])
    assert (told.exit_code, told.stderr) == (0, "")
    assert told.stdout.splitlines() == [
        "starting the new process",
        "ready: process 4711, version 0.2.0",
        "12 people left",
        "done: 12 people, 5 chats, 0.4 s",
    ]
    assert server.programs == [None]


def test_where_it_was_not_done_the_reason_and_status_1(run: CliRunner, server: Answering) -> None:
    server.last = {"done": False, "said": "the new process did not start:\x1b[2J port 9464 needs a restart"}
    told = run.invoke(app, ["upgrade"])
    assert told.exit_code == 1
    assert told.stderr == "serendip: the new process did not start:<1b>[2J port 9464 needs a restart\n"


@pytest.mark.parametrize(("last", "status"), [(DONE, 0), ({"done": False, "said": "no"}, 1)])
def test_json_is_the_last_word_alone(run: CliRunner, server: Answering, last: Mapping[str, Any], status: int) -> None:
    server.last = last
    told = run.invoke(app, ["upgrade", "--json"])
    assert (told.exit_code, told.stderr) == (status, "")
    assert json.loads(told.stdout) == last


def test_another_program_is_named_by_its_whole_path_and_a_link_stays_one(
    run: CliRunner, server: Answering, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "current").symlink_to(sys.executable)
    monkeypatch.chdir(tmp_path)
    for named in ("./current", str(tmp_path / "current")):
        assert run.invoke(app, ["upgrade", "--program", named]).exit_code == 0
    assert server.programs == [str(tmp_path / "current")] * 2


def test_a_program_that_is_none_asks_nobody(run: CliRunner, server: Answering, tmp_path: Path) -> None:
    told = run.invoke(app, ["upgrade", "--program", str(tmp_path / "secret")])
    assert told.exit_code == 1
    assert told.stderr == f"serendip: {tmp_path / 'secret'}: no program that this user may run\n"
    assert server.programs == []


def test_the_last_lines_of_a_new_process_that_failed_are_shown(run: CliRunner, server: Answering) -> None:
    said = "the new process ended (status 3); its log says why"
    server.last = {"done": False, "said": said, "printed": ["ImportError: no\x1b[2J module"]}
    told = run.invoke(app, ["upgrade"])
    assert told.exit_code == 1
    assert told.stderr.splitlines() == [
        f"serendip: {said}",
        "serendip: the new process printed:",
        "serendip: ImportError: no<1b>[2J module",
    ]
    assert json.loads(run.invoke(app, ["upgrade", "--json"]).stdout) == server.last


def test_without_a_server_it_says_so(run: CliRunner, tmp_path: Path) -> None:
    said = f"{tmp_path}: no server runs on this folder"
    told = run.invoke(app, ["upgrade"])
    assert (told.exit_code, told.stderr) == (1, f"serendip: {said}\n")
    told = run.invoke(app, ["upgrade", "--json"])
    assert (told.exit_code, json.loads(told.stdout)) == (1, {"done": False, "said": said})


def test_a_server_that_has_ended_is_no_server(run: CliRunner, server: Answering) -> None:
    server.stop()
    told = run.invoke(app, ["upgrade"])
    assert told.exit_code == 1
    assert "no server runs on this folder" in told.stderr


def test_a_mistyped_folder_is_said_and_nothing_is_made(tmp_path: Path) -> None:
    told = CliRunner().invoke(app, ["upgrade", "--data", str(tmp_path / "mistyped")])
    assert told.exit_code == 1
    assert "serendip init" in told.stderr
    assert list(tmp_path.iterdir()) == []


@needs_root
def test_the_folder_of_another_user_is_entered_as_that_user_or_not_at_all(tmp_path: Path) -> None:
    with folder_of_nobody() as data:
        assert serendip(as_nobody(), "init", "--data", str(data)).returncode == 0
        told = serendip([], "upgrade", "--data", str(data))
        assert (told.returncode, told.stderr) == (1, f"serendip: {data}: no server runs on this folder\n")
        assert serendip([], "init", "--data", str(data / "of-root")).returncode == 0
        (data / "of-root").chmod(0o755)
        told: subprocess.CompletedProcess[str] = serendip(as_nobody(), "upgrade", "--data", str(data / "of-root"))
        assert told.returncode == 1
        assert "belongs to root, and you are nobody: run this as root" in told.stderr

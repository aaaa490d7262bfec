"""`serendip status`, `drain` and `restart` against a small server on the control socket: what is asked, printed, and with which status it ends."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from server.main.cli import app
from server.main.commands.process_control_commands import age
from server.ops.process.control_socket import made
from server.ops.process.server_status import DRAINING, OFF, READY, STARTING, process, server

WORKERS = ("worker 1", "worker 2")
LINKED = {"hub": {"worker 1": 0, "worker 2": 0}, "worker 1": {"hub": 0, "worker 2": 0}}  # a second ago


def host(**phases: str) -> dict[str, Any]:
    """How a host of a hub and two workers stands; `phases` by name without its blank."""
    names = ("hub", *WORKERS)
    there = [name for name in names if phases.get(name.replace(" ", "")) != OFF]
    rows = []
    for number, name in enumerate(names):
        phase = phases.get(name.replace(" ", ""), READY)
        if phase == OFF:
            rows.append(process(name, OFF))
            continue
        links = {other: 0 for other in there if other != name}
        rows.append(process(name, phase, 100 + number, 90_061, 2, {"people": 40, "chats": 20, "links": links}))
    return server(phases.get("host", READY), 99, rows)


class Answering:
    """A server that answers whoever asks with the same lines."""

    def __init__(self, data: Path) -> None:
        self.lines: list[Mapping[str, Any]] = [host()]
        self.asked: list[dict[str, Any]] = []
        self._sock = made(data)
        self._sock.setblocking(True)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            sock, _ = self._sock.accept()
            with sock, sock.makefile("rb") as asked:
                line = asked.readline()
                if line == b"end\n":
                    return
                self.asked.append(json.loads(line))
                sock.sendall(b"".join(json.dumps(line).encode() + b"\n" for line in self.lines))

    def stop(self, data: Path) -> None:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(data / "run" / "control"))
            sock.sendall(b"end\n")
        self._thread.join(20)
        self._sock.close()


@pytest.fixture
def run(tmp_path: Path) -> CliRunner:
    one = CliRunner(env={"SERENDIP_DATA": str(tmp_path), "COLUMNS": "200"})
    assert one.invoke(app, ["init"]).exit_code == 0
    return one


@pytest.fixture
def answering(run: CliRunner, tmp_path: Path) -> Iterator[Answering]:
    one = Answering(tmp_path)
    yield one
    one.stop(tmp_path)


def test_status_is_a_table_of_the_processes(run: CliRunner, answering: Answering) -> None:
    told = run.invoke(app, ["status"])
    assert (told.exit_code, told.stderr) == (0, "")
    first, *rows = [line.split() for line in told.stdout.splitlines() if line.strip()]
    assert first[0] == "ready,"
    assert first[-1] == "99"
    assert rows[0] == ["process", "phase", "pid", "age", "people", "chats", "deaths", "links"]
    assert rows[-1] == ["worker", "2", "ready", "102", "1", "d", "1", "h", "40", "20", "2", "2", "of", "2"]
    assert answering.asked == [{"do": "status"}]


@pytest.mark.parametrize(
    ("stands", "status"),
    [
        (host(), 0),
        (host(worker2=OFF), 0),
        (
            server(
                READY,
                7,
                [
                    *(process(name, READY, 7, report={"links": LINKED[name]}) for name in LINKED),
                    process("worker 2", OFF),
                ],
            ),
            0,
        ),
        (host(worker2=STARTING), 3),
        (host(worker2=DRAINING), 3),
        (host(host=DRAINING), 3),
        (server(READY, 7, [process("server", READY, 7)]), 0),
        (server(STARTING, 7, [process("server", STARTING, 7)]), 3),
        (server(READY, 7, [process("hub", READY, 7), process("worker 1", READY, 8, report={"links": {"hub": 0}})]), 3),
    ],
)
def test_its_status_says_whether_all_serves(
    run: CliRunner, answering: Answering, stands: dict[str, Any], status: int
) -> None:
    answering.lines = [stands]
    assert run.invoke(app, ["status"]).exit_code == status
    told = run.invoke(app, ["status", "--json"])
    assert (told.exit_code, json.loads(told.stdout)) == (status, stands)


def test_what_waits_for_a_process_is_in_the_table(run: CliRunner, answering: Answering) -> None:
    answering.lines = [
        server(READY, 7, [process("hub", READY, 7, report={"links": {"worker 1": 5000}}), process("worker 1", OFF)])
    ]
    assert "1 of 1, 5,000 bytes wait" in run.invoke(app, ["status"]).stdout


@pytest.mark.parametrize("words", [["status"], ["drain", "--worker", "1"], ["restart", "--worker", "1"]])
def test_without_a_server_it_says_so(run: CliRunner, tmp_path: Path, words: list[str]) -> None:
    said = f"{tmp_path}: no server runs on this folder"
    told = run.invoke(app, words)
    assert (told.exit_code, told.stdout, told.stderr) == (1, "", f"serendip: {said}\n")
    told = run.invoke(app, [*words, "--json"])
    assert (told.exit_code, json.loads(told.stdout)) == (1, {"done": False, "said": said})


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (["drain", "--worker", "2"], {"do": "drain", "worker": 2}),
        (["restart", "--worker", "2"], {"do": "restart", "worker": 2}),
        (["restart", "--hub"], {"do": "restart", "worker": "hub"}),
    ],
)
def test_a_change_is_asked_for_and_told_as_it_goes(
    run: CliRunner, answering: Answering, words: list[str], asked: dict[str, Any]
) -> None:
    answering.lines = [
        {"step": "moving", "left": 12},
        {"step": "starting"},
        {"done": True, "said": "", "people": 12, "seconds": 1.5},
    ]
    told = run.invoke(app, words)
    assert (told.exit_code, told.stderr) == (0, "")
    assert told.stdout.splitlines() == ["12 people left", "starting the new process", "done: 12 people, 1.5 s"]
    assert answering.asked == [asked]


def test_what_was_not_done_is_said_with_status_1(run: CliRunner, answering: Answering) -> None:
    answering.lines = [{"done": False, "said": "there is no such worker\x1b[2J"}]
    told = run.invoke(app, ["drain", "--worker", "9"])
    assert (told.exit_code, told.stderr) == (1, "serendip: there is no such worker<1b>[2J\n")
    told = run.invoke(app, ["restart", "--worker", "9", "--json"])
    assert (told.exit_code, json.loads(told.stdout)) == (1, answering.lines[0])


@pytest.mark.parametrize("words", [["restart"], ["restart", "--hub", "--worker", "1"]])
def test_which_process_is_to_be_said(run: CliRunner, answering: Answering, words: list[str]) -> None:
    assert run.invoke(app, words).exit_code == 2
    assert answering.asked == []


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (59.9, "59 s"), (60, "1 min"), (3_661, "1 h 1 min"), (86_400, "1 d"), (200_000, "2 d 7 h")],
)
def test_an_age_is_said_in_two_units_at_most(seconds: float, said: str) -> None:
    assert age(seconds) == said


def test_a_host_that_leaves_says_where_people_go_and_who_could_not(run: CliRunner, answering: Answering) -> None:
    done = {"done": True, "people": 1, "chats": 2, "stayed": 1, "seconds": 1.5}
    answering.lines = [
        {"step": "hosts", "hosts": 1, "said": ""},
        {"step": "moving", "left": 2},
        {**done, "said": "who did not go was told to come back"},
    ]
    told = run.invoke(app, ["drain"])
    assert (told.exit_code, told.stderr) == (0, "")
    assert told.stdout.splitlines() == [
        "people go to 1 other host", "2 people left", "done: 1 person, 2 chats, 1 stayed, 1.5 s", "who did not go was told to come back",
    ]  # fmt: skip
    assert answering.asked == [{"do": "drain"}]
    answering.lines = [
        {"step": "hosts", "hosts": 2, "said": ""},
        {"step": "hosts", "hosts": 0, "said": "no other\x1b"},
        done,
    ]
    assert run.invoke(app, ["drain"]).stdout.splitlines()[:2] == ["people go to 2 other hosts", "no other<1b>"]

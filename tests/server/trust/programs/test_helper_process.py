"""A program beside a process is kept there, with pauses that grow, and is not believed."""

import asyncio
import os
import signal
import socket
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from server.trust.programs import helper_process
from server.trust.programs.helper_process import BEHIND, PASSED_ON, Program, passed_on, spawned

SAYS = "import socket, sys; s = socket.socket(fileno=int(sys.argv[1])); s.send(b'hello'); s.recv(1)"

LEAVES = "import os, signal, sys; os.close(int(sys.argv[1])); signal.pause()"  # it says no more, and goes on


class Shell:
    """Owns programs of one line."""

    def __init__(self, line: str = "exit 3", again: bool = False) -> None:
        self.line, self.again = line, again
        self.started, self.ends = 0, 0
        self.heard: list[bytes] = []
        self.said: list[str] = []
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, pair: int) -> subprocess.Popen[bytes]:
        self.started += 1
        command = ["sh", "-c", self.line] if self.line.startswith("exit") else ["python3", "-c", self.line, str(pair)]
        self.processes.append(subprocess.Popen(command, pass_fds=(pair,)))
        return self.processes[-1]

    async def watch(self, over: asyncio.Event) -> bool:
        await over.wait()
        return self.again

    def take(self, _: socket.socket, data: bytes) -> None:
        self.heard.append(data)
        raise ValueError

    def gone(self) -> None:
        self.ends += 1

    def ended(self, status: int) -> None:
        self.said.append(f"ended {status}")

    def unreadable(self, error: Exception) -> None:
        self.said.append(f"unreadable {type(error).__name__}")


async def until_started(owner: Shell, count: int, strict: bool = False) -> list[str]:
    """What is said of one that runs until so many were started and it is stopped."""
    one = Program(owner, 100, strict=strict)
    task = asyncio.create_task(one.run())
    while owner.started < count:  # noqa: ASYNC110 - what is waited for is another process
        await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert one.pid == 0
    assert owner.ends == owner.started
    assert all(process.wait(10) is not None for process in owner.processes)
    return owner.said


async def test_one_that_ends_is_logged_and_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(helper_process, "FIRST", 0.01)
    assert (await until_started(Shell(), 3))[:2] == ["ended 3", "ended 3"]


async def test_one_that_ended_is_waited_for_though_its_owner_is_stopped_meanwhile() -> None:
    class Stopped(Shell):
        def gone(self) -> None:
            super().gone()
            busy.append(asyncio.get_running_loop().run_in_executor(None, free.wait))  # so nothing else has begun yet
            task.cancel()

    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    free, owner = threading.Event(), Stopped(LEAVES)
    busy: list[asyncio.Future[bool]] = []
    task = asyncio.create_task(Program(owner, 100, strict=False).run())
    await asyncio.wait([task])
    free.set()
    await asyncio.gather(*busy)
    await asyncio.get_running_loop().run_in_executor(None, int)  # what was asked for before it has been done
    assert [process.returncode for process in owner.processes] == [-signal.SIGKILL]


async def test_the_pause_grows_up_to_the_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(helper_process, "LONGEST", 4.0)
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def noted(seconds: float) -> None:
        if seconds >= helper_process.FIRST:
            pauses.append(seconds)
        await sleep(0.01)

    monkeypatch.setattr(asyncio, "sleep", noted)
    await until_started(Shell(), 6)
    assert pauses[:5] == [1.0, 2.0, 4.0, 4.0, 4.0]


async def test_another_one_that_is_wanted_comes_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(helper_process, "FIRST", 600.0)
    assert await until_started(Shell(again=True), 3) == []


@pytest.mark.parametrize("strict", [False, True])
async def test_what_is_no_message_is_logged_and_ends_it_only_where_that_is_wanted(
    strict: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(helper_process, "FIRST", 0.01)
    owner = Shell(SAYS)
    one = Program(owner, 100, strict=strict)
    task = asyncio.create_task(one.run())
    while not owner.heard or (strict and owner.started < 2):  # noqa: ASYNC110 - another process's
        await asyncio.sleep(0.01)
    assert one.pid != 0 or strict
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert owner.heard[0] == b"hello"
    assert owner.said[0] == "unreadable ValueError"
    assert [said.split()[0] for said in owner.said[1:2]] == (["ended"] if strict else [])


def test_who_chats_is_served_before_it() -> None:
    process = spawned("http.server", ("--bind", "127.0.0.1", "0"), (), passed_on())
    try:
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == max(BEHIND, os.getpriority(os.PRIO_PROCESS, 0))
    finally:
        process.kill()
        process.wait()


def test_it_gets_nothing_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERENDIP_STORE__URL", "secret")
    for name in PASSED_ON:
        monkeypatch.delenv(name, raising=False)
    process = spawned("http.server", ("--bind", "127.0.0.1", "0"), (), passed_on())
    try:
        environment = b""
        while not environment:  # the system shows it a moment after the start
            environment = Path(f"/proc/{process.pid}/environ").read_bytes()
        open_there = {str(path.readlink()) for path in Path(f"/proc/{process.pid}/fd").iterdir()}
    finally:
        process.kill()
        process.wait()
    assert [entry.split(b"=")[0] for entry in environment.split(b"\0") if entry] == [b"PYTHONPATH"]
    assert "/dev/null" in open_there

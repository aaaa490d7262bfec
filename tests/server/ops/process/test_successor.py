"""The successor is started as its predecessor was, with one socket more and nothing else that is open."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from server.ops.process import foreground_proxy, successor
from tests.support.descriptors import more_than, opened

pytestmark = pytest.mark.blocking

# Says what it was given, over the socket that it was given, and ends with 3 when that is closed.
CHILD = """
import os, socket, sys
from server.ops.process import successor
link = successor.inherited()
link.setblocking(True)
opened = sorted({int(name) for name in os.listdir("/proc/self/fd")} - {0, 1, 2, link.fileno()})
opened = [number for number in opened if os.path.exists(f"/proc/self/fd/{number}")]
words = (sys.orig_argv[1:2], opened, sorted(name for name in os.environ if name.startswith("HANDOVER")), os.get_inheritable(link.fileno()))
link.send(repr(words).encode())
link.recv(1)
sys.exit(3)
"""


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No waiter is made of the process of the tests."""
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setattr(sys, "orig_argv", [sys.executable, "-c", CHILD])


async def test_it_has_the_socket_and_nothing_else_that_is_open() -> None:
    handed = [int(name) for name in os.listdir("/proc/self/fd") if is_handed_on(int(name))]  # by who started the tests
    one, two = socket.socketpair()
    with socket.create_server(("127.0.0.1", 0)), one, two:
        process, link = await successor.start()
        with link:
            said = (await asyncio.get_running_loop().sock_recv(link, 4096)).decode()
            assert said == f"(['-c'], {sorted(handed)}, [], False)"
            assert process.running
        assert await process.ended() == 3
        assert not process.running
        assert await process.ended() == 3
        process.kill()  # it is dead: nothing is touched
        process.let_go()


async def test_the_last_lines_of_one_that_cannot_start_are_known_and_in_the_log(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "serendip"
    program.write_text("#!/bin/sh\nfor n in 1 2 3 4 5 6; do echo line $n >&2; done\nexit 3\n")
    program.chmod(0o755)
    process, link = await successor.start(str(program))
    link.close()
    assert await process.ended() == 3
    assert successor.last_printed() == [f"line {n}" for n in range(2, 7)]
    assert capfd.readouterr().err == "".join(f"line {n}\n" for n in range(1, 7))


async def test_from_inherited_on_its_standard_error_is_its_predecessor_s(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    late = CHILD.replace("link.setblocking", "print('late', file=sys.stderr, flush=True); link.setblocking")
    early = late.replace("link = ", "print('early', file=sys.stderr, flush=True); link = ")
    monkeypatch.setattr(sys, "orig_argv", [sys.executable, "-c", early])
    process, link = await successor.start()
    link.close()
    assert await process.ended() != 0  # nobody hears it
    assert successor.last_printed() == []
    assert capfd.readouterr().err.startswith("early\nlate\n")


def is_handed_on(number: int) -> bool:
    """Whether a descriptor goes to every program that is started."""
    try:
        return number > 2 and os.get_inheritable(number)
    except OSError:  # that of the listing
        return False


async def test_it_is_killed_and_its_death_is_known() -> None:
    process, link = await successor.start()
    process.kill()
    assert await process.ended() == -signal.SIGKILL
    process.bury()
    process.bury()
    with pytest.raises(ChildProcessError):
        await asyncio.to_thread(os.waitpid, process.pid, 0)
    assert await asyncio.get_running_loop().sock_recv(link, 1) == b""  # the other end is closed
    link.close()


async def test_another_program_gets_the_same_arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "serendip"
    other.write_text('#!/bin/sh\necho "$0 $@" > "$OUT"\nexit 5\n')
    other.chmod(0o755)
    monkeypatch.setenv("OUT", str(tmp_path / "out"))
    monkeypatch.setattr(sys, "argv", ["/opt/serendip/bin/serendip", "serve", "--port", "0"])
    process, link = await successor.start(str(other))
    link.close()
    assert await process.ended() == 5
    assert (tmp_path / "out").read_text() == f"{other} serve --port 0\n"


async def test_a_script_is_started_by_its_name_so_that_a_link_may_lead_to_another_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for status in (5, 6):
        (tmp_path / str(status)).write_text(f"#!/bin/sh\nexit {status}\n")
        (tmp_path / str(status)).chmod(0o755)
    link = tmp_path / "serendip"
    monkeypatch.setattr(sys, "argv", [str(link), "serve"])
    monkeypatch.setattr(sys, "orig_argv", [sys.executable, str(link), "serve"])
    for status in (5, 6):
        link.unlink(missing_ok=True)
        link.symlink_to(tmp_path / str(status))
        process, end = await successor.start()
        end.close()
        assert await process.ended() == status
    (tmp_path / "6").chmod(0o644)
    assert successor.command(None) == (sys.executable, sys.orig_argv)
    link.unlink()
    assert successor.command(None) == (sys.executable, sys.orig_argv)


@pytest.mark.parametrize("mode", [0o644, None])
async def test_a_program_that_cannot_be_started_is_said(tmp_path: Path, mode: int | None) -> None:
    program = tmp_path / "serendip"
    if mode is not None:
        program.touch(mode)
    before = opened()
    with pytest.raises(successor.NotStarted, match=f"cannot start {program}: "):
        await successor.start(str(program))
    assert not more_than(before)


async def test_of_a_dead_one_that_is_not_buried_another_may_know_the_status() -> None:
    process, link = await successor.start()
    await asyncio.get_running_loop().sock_recv(link, 4096)
    link.close()
    assert await process.ended() == 3
    process.let_go()
    assert os.waitstatus_to_exitcode((await asyncio.to_thread(os.waitpid, process.pid, 0))[1]) == 3


async def test_the_status_of_somebody_else_s_child_is_not_known() -> None:
    process, link = await successor.start()
    os.kill(process.pid, signal.SIGKILL)
    os.waitpid(process.pid, 0)  # noqa: ASYNC222 - before the loop hears of its death
    assert await process.ended() == 255
    link.close()


async def test_who_is_let_go_is_looked_after_no_more() -> None:
    process, link = await successor.start()
    await asyncio.get_running_loop().sock_recv(link, 4096)
    process.let_go()
    with pytest.raises(asyncio.CancelledError):
        await process.ended()
    link.close()
    assert os.waitstatus_to_exitcode((await asyncio.to_thread(os.waitpid, process.pid, 0))[1]) == 3


def test_who_follows_nobody_has_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(successor.HANDOVER, raising=False)
    assert successor.inherited() is None


@pytest.mark.parametrize("told", ["", "x", "-1", "9999999", "99999999999999999999"])
def test_a_number_that_is_no_socket_is_refused(monkeypatch: pytest.MonkeyPatch, told: str) -> None:
    monkeypatch.setenv(successor.HANDOVER, told)
    with pytest.raises(successor.NotStarted, match="no socket"):
        successor.inherited()


def test_another_kind_of_socket_is_refused_and_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as other:
        monkeypatch.setenv(successor.HANDOVER, str(other.fileno()))
        with pytest.raises(successor.NotStarted, match="another kind"):
            successor.inherited()
        assert other.getsockname()


def test_a_pipe_of_a_waiter_is_named_to_the_successor(monkeypatch: pytest.MonkeyPatch) -> None:
    assert foreground_proxy.given([]) == {}  # systemd is told here
    monkeypatch.setenv(foreground_proxy.PIPE, "nonsense")
    foreground_proxy.inherit()
    assert foreground_proxy.PIPE not in os.environ

"""Whoever started a server and talks to that one process notices nothing of upgrades: signals arrive, the status comes when all is over."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.ops.process.lives import Life, descriptors, gone
from tests.support.users import needs_root

Start = Callable[..., Life]


@pytest.fixture
def start() -> Iterator[Start]:
    lives: list[Life] = []

    def made(*ending: str, **how: Any) -> Life:
        lives.append(Life(*ending, **how))
        return lives[-1]

    yield made
    for life in lives:
        life.end()


@pytest.fixture
def life(start: Start) -> Life:
    return start()


def test_signals_are_passed_on_and_the_status_is_the_successor_s(life: Life) -> None:
    successor = life.upgrade()
    for number in (signal.SIGHUP, signal.SIGINT):
        life.process.send_signal(number)
        assert life.hears(number.name) == successor
    life.process.send_signal(signal.SIGTERM)
    assert life.process.wait(20) == 7
    assert not Path(f"/proc/{successor}").exists()


def test_every_later_successor_is_followed_by_the_same_one(life: Life) -> None:
    for _ in range(3):
        life.upgrade()
    gone(life.pids[-2])
    assert parent(life.pids[-1]) == life.pid
    life.process.send_signal(signal.SIGHUP)
    assert life.hears("SIGHUP") == life.pids[-1]
    assert not any(Path(f"/proc/{pid}").exists() for pid in life.pids[1:-1])
    life.process.send_signal(signal.SIGTERM)
    assert life.process.wait(20) == 7


def test_a_successor_is_followed_that_was_orphaned_before_the_first_process_waits(start: Start, tmp_path: Path) -> None:
    held = tmp_path / "held"
    os.mkfifo(held)
    life = start(f"waiter._pipe.reader >= 0 and open({str(held)!r}).read()")
    for _ in range(2):
        os.kill(life.pids[-1], signal.SIGUSR1)
        life.follow()
    gone(life.pids[-2])
    assert parent(life.pids[-1]) == life.pid
    held.write_text("go on")
    life.process.send_signal(signal.SIGTERM)
    assert life.process.wait(20) == 7


def test_a_successor_that_is_killed_ends_it_as_a_shell_would_say(life: Life) -> None:
    os.kill(life.upgrade(), signal.SIGKILL)
    assert life.process.wait(20) == 128 + signal.SIGKILL


def test_one_that_was_started_and_died_is_not_followed(life: Life) -> None:
    successor = life.upgrade()
    os.kill(successor, signal.SIGUSR2)
    assert life.hears("alone") == successor
    os.kill(successor, signal.SIGKILL)
    assert life.process.wait(20) == 128 + signal.SIGKILL


def test_who_took_over_goes_on_though_its_predecessor_is_killed_in_the_midst(life: Life) -> None:
    second = life.upgrade()
    os.kill(second, signal.SIGUSR1)
    life.follow()
    with contextlib.suppress(ProcessLookupError):  # it ends by itself as soon as it is followed
        os.kill(second, signal.SIGKILL)
    gone(second)
    life.process.send_signal(signal.SIGHUP)
    assert life.hears("SIGHUP") == life.pids[-1]
    life.process.send_signal(signal.SIGTERM)
    assert life.process.wait(20) == 7


def test_it_holds_the_pipe_and_what_it_was_given_and_nothing_else(life: Life) -> None:
    life.upgrade()
    life.process.send_signal(signal.SIGHUP)  # an answer comes through it: it is what it is to become
    life.hears("SIGHUP")
    held = descriptors(life.pid)
    assert {number for number in held if number > 2} == {number for number, what in held.items() if "pipe:" in what} - {
        0,
        1,
        2,
    }
    assert len(held) == 4
    assert "foreground_proxy.py" in Path(f"/proc/{life.pid}/cmdline").read_text()


def test_a_signal_between_the_two_lives_is_not_lost(start: Start) -> None:
    life = start("os.kill(os.getpid(), signal.SIGHUP)")
    assert life.upgrade() == life.hears("SIGHUP")


def test_a_signal_that_came_during_the_hand_over_is_passed_on(start: Start) -> None:
    life = start(came=(signal.SIGHUP,))
    assert life.upgrade() == life.hears("SIGHUP")


def test_a_thread_that_is_ending_takes_no_signal_with_it(start: Start) -> None:
    told = "os.execv = lambda *words: (os.kill(os.getpid(), signal.SIGHUP), run(*words))"
    life = start(
        f"import threading, time; run = os.execv; {told}; threading.Thread(target=time.sleep, args=(0.2,)).start()"
    )
    assert life.upgrade() == life.hears("SIGHUP")


def test_one_that_a_later_one_follows_passes_on_what_came_during_its_hand_over(start: Start) -> None:
    life = start(came=(signal.SIGHUP,))
    for _ in range(3):
        assert life.upgrade() == life.hears("SIGHUP")


def test_who_was_told_to_end_and_did_not_hear_it_any_more_costs_the_next_one_nothing(start: Start) -> None:
    swallow = "(signal.pthread_sigmask(0, {15}), print('deaf', os.getpid(), flush=True), signal.sigwait({15}))"
    life = start(f"waiter._pipe.reader < 0 and {swallow}")
    life.upgrade()
    os.kill(life.pids[-1], signal.SIGUSR1)
    life.follow()
    life.hears("deaf")
    life.process.send_signal(signal.SIGTERM)
    assert life.process.wait(20) == 7


def test_who_is_told_to_end_twice_says_how_it_ended(start: Start) -> None:
    # an object that is taken apart with the interpreter, which has given signals back to the system by then
    told = "lambda _, kill=os.kill, pid=os.getpid(): kill(pid, signal.SIGTERM)"
    life = start(last=f"last = type('Last', (), {{'__del__': {told}}})()")
    life.process.send_signal(signal.SIGTERM)
    assert life.process.wait(20) == 7


@needs_root
@pytest.mark.parametrize("told", [{}, {"NOTIFY_SOCKET": "/nowhere"}], ids=["alone", "with somebody who is told"])
def test_a_container_s_first_process_stays_the_first(start: Start, told: dict[str, str]) -> None:
    life = start(before=("unshare", "--pid", "--fork", "--mount-proc", "--kill-child"), **told)
    assert life.pids == [1]  # as it is called in there
    (first,) = (int(pid) for pid in Path(f"/proc/{life.pid}/task/{life.pid}/children").read_text().split())
    os.kill(first, signal.SIGUSR1)
    successor = life.hears("next")
    assert life.hears("gone") == 1
    os.kill(first, signal.SIGHUP)
    assert life.hears("SIGHUP") == successor
    os.kill(first, signal.SIGTERM)
    assert life.process.wait(20) == 7


def test_where_its_file_is_gone_the_old_process_itself_waits(start: Start) -> None:
    life = start("sys.executable = '/nowhere/python'")
    successor = life.upgrade()
    life.process.send_signal(signal.SIGHUP)
    assert life.hears("SIGHUP") == successor
    os.kill(successor, signal.SIGTERM)
    assert life.process.wait(20) == 7


def test_a_successor_that_is_gone_already_is_not_waited_for(start: Start) -> None:
    life = start("os.kill(follower, signal.SIGKILL); os.waitpid(follower, 0)")
    os.kill(life.pid, signal.SIGUSR1)
    assert life.process.wait(20) == 1


def test_under_systemd_nobody_waits(start: Start, tmp_path: Path) -> None:
    life = start(NOTIFY_SOCKET=str(tmp_path / "notify"))
    successor = life.upgrade()
    assert life.process.wait(20) == 0
    os.kill(successor, signal.SIGHUP)
    assert life.hears("SIGHUP") == successor
    os.kill(successor, signal.SIGKILL)


def parent(pid: int) -> int:
    """The parent of a process."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])

"""What is left of a process whose work another does: somebody to wait for, where nothing else looks after that other one.

Rule: a terminal, a container (its first process) or a test started one process and talks to that one: after an upgrade it waits for
the successor, passes on the signals that it gets and ends as the successor ends. It follows every later successor too, so there is
never more than one. Under systemd, which is told of the new process, nobody waits. Nothing is imported here that takes memory: this
file is a program as well.

A successor is known by a line in a pipe, written when it is started; when the one that is followed ends, the last that was named and
lives is followed, for it is then a child of this process (it takes orphans in). Who was told to end while it gave way may have been
past hearing it: the next one is told as well.

A thread lives on for a moment in the system after it was joined, and would take a signal with it that this process keeps for later: so
the last threads are waited for before anything is kept.
"""

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import NoReturn

PIPE = "HANDOVER_WAITER_FD"  # in the environment of a successor: where to name its own
PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_ENDING = frozenset({signal.SIGTERM, signal.SIGINT})
_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
_LAST_THREADS = 1.0  # seconds that they have; one of a library that never ends is not waited for


class _Pipe:
    """The ends that this process has: to read, where it is the first; to write."""

    reader = -1
    writer = -1


_pipe = _Pipe()
_got: list[int] = []  # signals that came while nobody took them


def inherit() -> None:
    """Take the pipe of a waiter, or of who will become one, out of the environment."""
    told = os.environ.pop(PIPE, "")
    if told.isdigit():
        with contextlib.suppress(OSError):
            os.set_inheritable(int(told), False)
            _pipe.writer = int(told)


def given(numbers: list[int]) -> dict[str, str]:
    """What a successor needs of this: a variable, and a descriptor, which is added to `numbers`."""
    if "NOTIFY_SOCKET" in os.environ and os.getpid() != 1:  # a container ends with its first process, whoever is told
        return {}
    if _pipe.writer < 0:
        _pipe.reader, _pipe.writer = os.pipe()
    numbers.append(_pipe.writer)
    return {PIPE: str(_pipe.writer)}


def follows(pid: int) -> None:
    """A successor was started."""
    if _pipe.writer >= 0:
        with contextlib.suppress(OSError):  # the waiter was killed: nobody is to be told
            os.write(_pipe.writer, b"%d\n" % pid)


def keep() -> None:
    """Keep the signals that come from here on for the waiter; the loop hears of them as before. Call it as soon as somebody follows.

    A loop hears of a signal at its next turn, and what comes behind its last one never: so it is kept here from before that.
    """
    for number in PASSED_ON:
        signal.signal(number, _keep)


def hold(loosen: Callable[[int], object], *came: int) -> None:
    """Keep the signals that come from here on for the waiter alone. Call it last in the loop, when the hand-over is over.

    `loosen` is the loop's `remove_signal_handler`; `came`: signals that this process was sent while it handed over, which are the
    successor's too, for it may have heard of them before `keep`. Where no waiter is made of this process it ends at once in any case.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, PASSED_ON)
    for number in PASSED_ON:
        loosen(number)
        signal.signal(number, _keep)
    if not _ENDING.intersection(_got):
        _got.extend(came)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED_ON)


def _keep(number: int, _frame: object) -> None:
    _got.append(number)


def deaf(loosen: Callable[[int], object]) -> None:
    """This process ends, and nobody follows: to be told so again changes nothing. Call it last in the loop.

    Who waits passes a signal on to whoever it follows next, which the one before may have passed on too; and an interpreter that ends gives
    signals back to the system, so that the second one would kill what is about to say how it ended. `loosen`: as in `hold`.
    """
    for number in PASSED_ON:
        loosen(number)
        signal.signal(number, signal.SIG_IGN)


def become(pid: int) -> None:
    """Be the one who waits for the successor `pid`, and end as it ends; returns where somebody else waits. Call it when all is closed."""
    _be_the_only_thread()
    signal.pthread_sigmask(signal.SIG_BLOCK, {*PASSED_ON, signal.SIGCHLD})
    if _pipe.reader < 0:
        for number in _got:
            os.kill(pid, number)  # it may be dead, but its number is nobody else's: it was not waited for
        return
    os.set_inheritable(_pipe.reader, True)
    words = [sys.executable, "-I", "-S", __file__, str(_pipe.reader), str(pid), *map(str, _got)]
    try:
        os.execv(sys.executable, words)  # noqa: S606 - no shell is wanted
    except OSError:  # this version is gone from the disk: what is in memory waits
        wait(_pipe.reader, pid, _got, every=1.0)


def _be_the_only_thread() -> None:
    """Wait for threads that end; meanwhile this one is the first to be given a signal."""
    until = time.monotonic() + _LAST_THREADS
    while len(os.listdir("/proc/self/task")) > 1 and time.monotonic() < until:
        time.sleep(0.001)


def wait(reader: int, pid: int, signals: list[int], every: float = 3600.0) -> NoReturn:
    """Until the last successor has ended; ends this process with its status, 128 and more for a signal.

    `signals`: to be passed on; who has other threads, which may be given a signal instead, looks into it and at its children `every`
    so many seconds.
    """
    numbers = {*PASSED_ON, signal.SIGCHLD}
    signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    os.set_blocking(reader, False)
    named: list[int] = []
    to_end: set[int] = set()  # signals that were passed on and mean the end
    while True:
        before = pid
        pid, status = _followed(reader, pid, named)
        if status is not None:
            os._exit(status if status >= 0 else 128 - status)
        if pid != before:
            signals.extend(to_end.difference(signals))
        while signals:
            number = signals.pop(0)
            to_end.update(_ENDING & {number})
            os.kill(pid, number)  # as above
        came = signal.sigtimedwait(numbers, every)
        if came is not None and came.si_signo != signal.SIGCHLD:
            signals.append(came.si_signo)


def _followed(reader: int, pid: int, named: list[int]) -> tuple[int, int | None]:
    """Wait for all that is dead: (whom to follow, None), or the status where nobody is left to be followed.

    `named`: successors so far; those that were named since are added.
    """
    ended: dict[int, int] = {}
    with contextlib.suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            ended[found[0]] = os.waitstatus_to_exitcode(found[1])
    if pid not in ended:
        return pid, None if _is_ours(pid) else 1
    with contextlib.suppress(BlockingIOError):
        while told := os.read(reader, 65_536):
            named.extend(map(int, told.split()))
    living = [one for one in named if one not in ended and _is_ours(one)]
    if living:
        return living[-1], None
    return pid, ended[next((one for one in reversed(named) if one in ended), pid)]


def _is_ours(pid: int) -> bool:
    """Whether it is a child of this process."""
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


if __name__ == "__main__":
    wait(int(sys.argv[1]), int(sys.argv[2]), [int(word) for word in sys.argv[3:]])

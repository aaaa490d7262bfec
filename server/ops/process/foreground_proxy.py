"""Keep the originally started process alive after an upgrade, to pass signals to its successor and end with the successor's exit status.

Terminals, containers and tests see one process although upgrades replace it; under systemd such a waiting process is not needed.
**Invariant:** one waiting process follows all later successors.
"""

# This file is also run as a program and imports nothing that takes memory. A successor is announced by a line in a pipe, written when it is started,
# and confirmed by a second one when its predecessor ends in its favour. When the followed process ends, the waiter follows the last announced one
# that lives, which is its own child by then (the first process adopts orphans from the moment when a successor takes over, PR_SET_CHILD_SUBREAPER:
# that successor may be replaced before its predecessor has closed everything and waits). If none lives, the status is that of the last confirmed one:
# a successor that failed to start may be a dead child of this process too.
# A process that was told to end during its migration may not have seen the signal, so the next one gets it as well. A joined thread still exists in
# the kernel for a moment, and could receive a signal that this process keeps for later: so the last threads are waited for before signals are kept.

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import NoReturn

PIPE = "HANDOVER_WAITER_FD"  # in the environment of a successor: the pipe for announcing its own
PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_ENDING = frozenset({signal.SIGTERM, signal.SIGINT})
_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
_CONFIRMED = (
    b"+"  # before the pid of a successor that has everything; a waiter of an older version reads it as the number alone
)
_LAST_THREADS = 1.0  # seconds to wait for threads to end; a library's thread that never ends is not waited for


class _Pipe:
    """The ends of the pipe that this process has: the reader in the first process; the writer."""

    reader = -1
    writer = -1


_pipe = _Pipe()
_got: list[int] = []  # signals that were received after the loop's handlers were removed


def inherit() -> None:
    """Read the waiter's pipe from the environment."""
    told = os.environ.pop(PIPE, "")
    if told.isdigit():
        with contextlib.suppress(OSError):
            os.set_inheritable(int(told), False)
            _pipe.writer = int(told)


def given(numbers: list[int]) -> dict[str, str]:
    """Return the environment variable that a successor needs; its descriptor is added to `numbers`."""
    if (
        "NOTIFY_SOCKET" in os.environ and os.getpid() != 1
    ):  # a container ends with its first process, with or without systemd
        return {}
    if _pipe.writer < 0:
        _pipe.reader, _pipe.writer = os.pipe()
    numbers.append(_pipe.writer)
    return {PIPE: str(_pipe.writer)}


def follows(pid: int) -> None:
    """Announce a started successor."""
    if _pipe.writer >= 0:
        with contextlib.suppress(OSError):  # the waiter was killed: no process needs the announcement
            os.write(_pipe.writer, b"%d\n" % pid)


def keep() -> None:
    """Keep signals from now on for the waiter; the loop handles them as before. Call it as soon as a successor takes over.

    A loop handles a signal at its next turn, and one that arrives after its last turn never: so signals are kept before that.
    """
    for number in PASSED_ON:
        signal.signal(number, _keep)
    adopt()


def adopt() -> None:
    """Become the parent of later successors, in the process that will wait. Call it as soon as a successor serves; `keep` does it too."""
    if _pipe.reader >= 0:
        _adopt_orphans()


def hold(loosen: Callable[[int], object], *came: int) -> None:
    """Keep signals from now on for the waiter alone. Call it last in the loop, when the migration is over.

    `loosen` is the loop's `remove_signal_handler`; `came`: signals received during the migration, which the successor gets too, since it may have
    received them before `keep`. If this process does not become a waiter it ends at once.
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
    """Ignore signals from now on, in a process that ends without a successor. Call it last in the loop.

    A waiter may pass on a signal that its previous successor passed on already; and an ending interpreter restores the default handlers, so that a
    second signal would kill a process that is about to report how it ended. `loosen`: as in `hold`.
    """
    for number in PASSED_ON:
        loosen(number)
        signal.signal(number, signal.SIG_IGN)


def become(pid: int) -> None:
    """Become the waiter for the successor `pid`, and end as it ends; returns if another process waits. Call it when everything is closed."""
    _be_the_only_thread()
    signal.pthread_sigmask(signal.SIG_BLOCK, {*PASSED_ON, signal.SIGCHLD})
    if _pipe.reader < 0:
        if _pipe.writer >= 0:
            with contextlib.suppress(OSError):  # as in `follows`
                os.write(_pipe.writer, b"%b%d\n" % (_CONFIRMED, pid))
        for number in _got:
            os.kill(pid, number)  # it may be dead, but its number is not reused: it was not waited for
        return
    os.set_inheritable(_pipe.reader, True)
    words = [sys.executable, "-I", "-S", __file__, str(_pipe.reader), str(pid), *map(str, _got)]
    try:
        os.execv(sys.executable, words)  # noqa: S606 - no shell is wanted
    except OSError:  # this version was removed from the disk: wait with the code in memory
        wait(_pipe.reader, pid, _got, every=1.0)


def _be_the_only_thread() -> None:
    """Wait for threads that are ending, for _LAST_THREADS seconds at most; meanwhile this thread is the first to receive a signal."""
    until = time.monotonic() + _LAST_THREADS
    while len(os.listdir("/proc/self/task")) > 1 and time.monotonic() < until:
        time.sleep(0.001)


def wait(reader: int, pid: int, signals: list[int], every: float = 3600.0) -> NoReturn:
    """Wait until the last successor has ended; then end this process with its status, or 128 and more for a signal.

    `signals`: signals to pass on. A process with other threads, which may receive a signal instead, checks the pipe and its children `every` so many
    seconds.
    """
    numbers = {*PASSED_ON, signal.SIGCHLD}
    signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    _adopt_orphans()
    os.set_blocking(reader, False)
    successors = _Successors(reader)
    to_end: set[int] = set()  # signals that were passed on and mean the end
    while True:
        before = pid
        pid, status = successors.next(pid)
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


class _Successors:
    """Successors that were announced in the pipe `reader`, and how they ended."""

    def __init__(self, reader: int) -> None:
        self._reader = reader
        self._announced: list[int] = []
        self._confirmed: list[int] = []
        self._ended: dict[int, int] = {}

    def next(self, pid: int) -> tuple[int, int | None]:
        """Reap dead children; return (pid to follow, None), or the final status if no successor lives. `pid`: the one followed until now."""
        ended = self._ended
        with contextlib.suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                ended[found[0]] = os.waitstatus_to_exitcode(found[1])
        self._read()
        for other in ended.keys() - {pid, *self._announced}:
            del ended[other]  # an orphan of another kind
        if pid not in ended:
            return pid, None if _is_ours(pid) else 1
        living = [one for one in self._announced if _is_ours(one)]
        if living:
            return living[-1], None
        return pid, ended[next((one for one in reversed(self._confirmed) if one in ended), pid)]

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while told := os.read(self._reader, 65_536):
                for word in told.split():
                    (self._confirmed if word.startswith(_CONFIRMED) else self._announced).append(int(word))


def _adopt_orphans() -> None:
    """Become the parent of every process below this one whose own parent dies (prctl(2); it outlives an exec)."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _is_ours(pid: int) -> bool:
    """Whether it is a child of this process."""
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


if __name__ == "__main__":
    wait(int(sys.argv[1]), int(sys.argv[2]), [int(word) for word in sys.argv[3:]])

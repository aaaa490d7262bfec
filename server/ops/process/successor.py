"""The process that follows this one: started as this one was, with one end of a pair of sockets to talk over.

Rule: it gets standard input, output and error, that socket, and nothing else that is open here: a descriptor of a person's would
keep their connection open for ever. Everything of ours is closed at an exec by the system (`O_CLOEXEC`); no list of thousands is walked.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from typing import Final

from server.ops.process import upgrade_waiter

HANDOVER: Final = "HANDOVER_FD"  # in the environment of a successor: the number of its end
BUFFER: Final = 4 * 1024 * 1024  # bytes that the kernel may hold on the way, where it lets us


class NotStarted(Exception):
    """The program could not be started; the text says why."""


class Process:
    """A child. Made in the loop; `ended` tells its status once. The system keeps that for who is to end with it too, until `bury`."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[int] = self._loop.create_future()
        self._pidfd = os.pidfd_open(pid)
        self._loop.add_reader(self._pidfd, self._died)

    @property
    def running(self) -> bool:
        """Whether it lives, as far as is known here."""
        return not self._ended.done()

    async def ended(self) -> int:
        """Wait for its death; its exit status, or the signal that ended it as a negative number."""
        return await asyncio.shield(self._ended)

    def kill(self) -> None:
        """End it, as it stands; `ended` says when it is dead."""
        if self._pidfd >= 0:
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def let_go(self) -> None:
        """Look after it no more: from here on it is somebody else's (`waiter.become`, or the system's first process)."""
        if self._pidfd >= 0:
            self._loop.remove_reader(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = -1
        if not self._ended.done():
            self._ended.cancel()

    def bury(self) -> None:
        """It is dead, and nobody else is to know of what: the system may forget it, and give its number to another."""
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, os.WNOHANG)

    def _died(self) -> None:
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        self._pidfd = -1
        if not self._ended.done():
            self._ended.set_result(_status(self.pid))


def _status(pid: int) -> int:
    """Of who is dead: as `Process.ended`; 255 where somebody else's child it is, or was waited for, which says nothing of it."""
    with contextlib.suppress(ChildProcessError):
        found = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if found is not None:
            return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status
    return 255


async def start(program: str | None = None) -> tuple[Process, socket.socket]:
    """Start the successor: (it, this side's end of the pair, non-blocking). Raises NotStarted.

    `program`: another one than that which runs here; it is given the same arguments.
    """
    path, words = await asyncio.to_thread(command, program)
    pid, ours = spawn(path, words)
    return Process(pid), ours


def spawn(path: str, words: list[str]) -> tuple[int, socket.socket]:
    """As `start`, of what `command` said, for who looks after the process itself: its pid, and this side's end. Raises NotStarted."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in (ours, theirs):
        end.setblocking(False)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
    try:
        pid = _spawn(path, words, theirs.fileno())
    except OSError as error:
        ours.close()
        raise NotStarted(f"cannot start {path}: {error.strerror}") from None
    finally:
        theirs.close()
    upgrade_waiter.follows(pid)
    return pid, ours


def _spawn(path: str, words: list[str], end: int) -> int:
    """Start a program that keeps a descriptor. Takes until its exec, some milliseconds. Raises OSError."""
    given = [end]
    environment = {**os.environ, HANDOVER: str(end), **upgrade_waiter.given(given)}
    # A copy onto itself loses its flag to be closed at the exec, in the child alone.
    kept = [(os.POSIX_SPAWN_DUP2, number, number) for number in given]
    return os.posix_spawn(path, words, environment, file_actions=kept, setsigmask=())


def command(program: str | None) -> tuple[str, list[str]]:
    """The program and its arguments, its own name first. Reads the disk.

    A script is started as such, so that its first line says which interpreter: behind a link that leads to another version by now it is
    that version's.
    """
    if program is None and sys.orig_argv[1:2] == sys.argv[:1] and _is_script(sys.argv[0]):
        program = sys.argv[0]
    if program is not None:
        return program, [program, *sys.argv[1:]]
    return sys.executable, list(sys.orig_argv)


def _is_script(path: str) -> bool:
    """Whether the system can start it by its first line."""
    try:
        with open(path, "rb") as script:
            return script.read(2) == b"#!" and os.access(path, os.X_OK)
    except OSError:
        return False


def inherited() -> socket.socket | None:
    """The end that the process before this one left for it, non-blocking; None where this one follows nobody.

    Call it once, before another process is started. Raises NotStarted where the number is no such socket.
    """
    upgrade_waiter.inherit()
    told = os.environ.pop(HANDOVER, None)
    if told is None:
        return None
    try:
        sock = socket.socket(fileno=int(told))
    except (ValueError, OSError, OverflowError):
        raise NotStarted(f"{HANDOVER}={told[:20]}: no socket. It is set by `serendip upgrade` alone") from None
    if (sock.family, sock.type) != (socket.AF_UNIX, socket.SOCK_SEQPACKET):
        sock.detach()
        raise NotStarted(f"{HANDOVER}={told[:20]}: another kind of socket. It is set by `serendip upgrade` alone")
    sock.set_inheritable(False)
    sock.setblocking(False)
    return sock

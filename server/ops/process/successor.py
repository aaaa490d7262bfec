"""Start the process that replaces this one in an upgrade, connected by a socket pair.

**Invariant:** the successor inherits standard input, output and error, this socket, and no other descriptor: an inherited client socket would keep
the client's connection open for ever.
"""

# Descriptors are closed at the exec by the kernel (`O_CLOEXEC`), without a walk over thousands of them.

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import socket
import sys
from typing import Final

from server.ops.process import foreground_proxy

HANDOVER: Final = "HANDOVER_FD"  # in the environment of a successor: the number of its descriptor
LOG: Final = "HANDOVER_STDERR"  # in the environment of a successor: the number of the standard error that is its own from `inherited` on
PRINTED_LINES_MAX: Final = 5
BUFFER: Final = 4 * 1024 * 1024  # bytes of the socket's send buffer, if the kernel allows it


class _Early:
    """File in memory for the standard error of the newest successor until it calls `inherited`: if it cannot even import, only that says why."""

    fd = -1


class NotStarted(Exception):
    """The program could not be started; the text says why."""


class Process:
    """A child process. Make it in the loop. After its death the kernel keeps its exit status until `bury`, for a waiter that is to end with it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[int] = self._loop.create_future()
        self._pidfd = os.pidfd_open(pid)
        self._loop.add_reader(self._pidfd, self._died)

    @property
    def running(self) -> bool:
        """Whether it is alive, as far as known here."""
        return not self._ended.done()

    async def ended(self) -> int:
        """Wait for its death; return its exit status, or the signal that killed it as a negative number."""
        return await asyncio.shield(self._ended)

    def kill(self) -> None:
        """Kill it by SIGKILL; `ended` returns when it is dead."""
        if self._pidfd >= 0:
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def let_go(self) -> None:
        """Stop watching it: another process looks after it from now on (`foreground_proxy.become`, or init)."""
        if self._pidfd >= 0:
            self._loop.remove_reader(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = -1
        if not self._ended.done():
            self._ended.cancel()

    def bury(self) -> None:
        """Release its exit status and its pid; call it when it is dead and no other process needs the status."""
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, os.WNOHANG)

    def _died(self) -> None:
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        self._pidfd = -1
        if not self._ended.done():
            self._ended.set_result(_status(self.pid))


def _status(pid: int) -> int:
    """Return a dead child's status as `Process.ended` does; 255 if it is not this process's child, or its status is gone."""
    with contextlib.suppress(ChildProcessError):
        found = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if found is not None:
            return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status
    return 255


def is_one() -> bool:
    """Whether this process was started as a successor, and has not called `inherited` yet."""
    return HANDOVER in os.environ


async def start(program: str | None = None) -> tuple[Process, socket.socket]:
    """Start the successor; return it and this side's end of the socket pair, non-blocking. Raises NotStarted.

    `program`: another program than the one that runs here; it is given the same arguments.
    """
    path, words = await asyncio.to_thread(command, program)
    pid, ours = spawn(path, words)
    return Process(pid), ours


def spawn(path: str, words: list[str]) -> tuple[int, socket.socket]:
    """Start what `command` returned, for a caller that watches the process itself; return its pid and this side's end. Raises NotStarted."""
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
    foreground_proxy.follows(pid)
    return pid, ours


def _spawn(path: str, words: list[str], end: int) -> int:
    """Start a program that keeps a descriptor. Blocks until its exec, some milliseconds. Raises OSError."""
    if _Early.fd >= 0:
        os.close(_Early.fd)
    _Early.fd = os.memfd_create("stderr")
    fcntl.fcntl(_Early.fd, fcntl.F_SETFL, os.O_APPEND)
    log = os.dup(2)
    try:
        given = [end, log]
        environment = {**os.environ, HANDOVER: str(end), LOG: str(log), **foreground_proxy.given(given)}
        # Duplicating a descriptor onto itself clears its close-on-exec flag, in the child alone.
        kept = [(os.POSIX_SPAWN_DUP2, number, number) for number in given]
        kept.append((os.POSIX_SPAWN_DUP2, _Early.fd, 2))
        return os.posix_spawn(path, words, environment, file_actions=kept, setsigmask=())
    finally:
        os.close(log)


def last_printed() -> list[str]:
    """Return the last lines that the newest successor wrote to standard error before `inherited`, and write all of them to this process's.

    Call it once, when that successor is dead. Empty if it printed nothing, or came as far as `inherited`.
    """
    text = _taken(_Early.fd) if _Early.fd >= 0 else b""
    os.write(2, text)
    return text.decode(errors="replace").splitlines()[-PRINTED_LINES_MAX:]


def _taken(early: int) -> bytes:
    """Read and clear an `_Early` file."""
    text = os.pread(early, os.fstat(early).st_size, 0)
    os.ftruncate(early, 0)
    return text


def _restore_stderr() -> None:
    """Give this successor the standard error of its predecessor, with what it has printed so far."""
    told = os.environ.pop(LOG, "")
    with contextlib.suppress(OSError):
        if told.isdigit():
            text = _taken(2)
            os.dup2(int(told), 2)
            os.close(int(told))
            os.write(2, text)


def command(program: str | None) -> tuple[str, list[str]]:
    """Return the program and its arguments, its own name first. Reads the disk.

    A script is started as such, so that its first line names the interpreter: if a symbolic link leads to another version by now, it is that
    version's.
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
    """Return this process's end of the socket pair, non-blocking; None if it is no successor.

    Call it once, before another process is started. Raises NotStarted if the number is not such a socket.
    """
    _restore_stderr()
    foreground_proxy.inherit()
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

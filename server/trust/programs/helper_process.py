"""Start a helper process for untrusted input (chat lines, pictures), receive its messages, and restart it after it ends.

**Invariant:** the helper gets only the given descriptors and a minimal environment, and its owner validates every message. If it ends again and
again, the pause before a restart grows from FIRST to LONGEST seconds.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

FIRST: Final = 1.0  # seconds until a program that ended is started again
LONGEST: Final = 30.0
STEADY: Final = 60.0  # seconds of life after which the pause begins anew
BEHIND: Final = 10  # its niceness: chats are served first, and it gets a tenth of a core if they use all of it
MESSAGES: Final = 64  # of the program in one turn of the loop
# Variables of the environment that a helper process needs: sanitizers, and modules as source.
PASSED_ON: Final = (
    "LD_PRELOAD",
    "ASAN_OPTIONS",
    "UBSAN_OPTIONS",
    "PYTHONMALLOC",
    "SERENDIP_PLAIN",
    "COVERAGE_PROCESS_START",
)

# Each block that a process frees is overwritten at once (glibc's perturb; its cache for threads would keep some as they are), for processes that
# read lines of chats. Every object is then a block of its own.
FORGETFUL: Final = {
    "PYTHONMALLOC": "malloc",
    "GLIBC_TUNABLES": "glibc.malloc.perturb=165:glibc.malloc.tcache_count=0:glibc.malloc.mxfast=160",
}


class Owner(Protocol):
    """Owner of a helper process: starts it and receives its messages. All is called in the loop, except `start`."""

    def start(self, pair: int) -> subprocess.Popen[bytes]:
        """In a thread: a program (`spawned`) that has the descriptor `pair` for its messages."""
        ...

    async def watch(self, over: asyncio.Event) -> bool:
        """Run until `over` or the end of the service. True: the process shall be replaced at once."""
        ...

    def take(self, sock: socket.socket, data: bytes) -> None:
        """Handle a message of the process. Raises ValueError, TypeError, KeyError for an invalid one."""
        ...

    def gone(self) -> None:
        """Note that the process has ended."""
        ...

    def ended(self, status: int) -> None:
        """Write into the log that it ended by itself."""
        ...

    def unreadable(self, error: Exception) -> None:
        """Write into the log that `take` raised."""
        ...


class Program:
    """`longest`: bytes of a message; `strict`: an invalid message ends the process."""

    def __init__(self, owner: Owner, longest: int, *, strict: bool) -> None:
        self._owner = owner
        self._longest = longest
        self._strict = strict
        self.pid = 0  # 0: no process

    async def run(self) -> None:
        """Keep a process running until this is cancelled."""
        pause = FIRST
        while True:
            began = time.monotonic()
            status = await self._one()
            if status is None:
                continue
            self._owner.ended(status)
            if time.monotonic() - began >= STEADY:
                pause = FIRST
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST)

    async def _one(self) -> int | None:
        """One, from its start to its end: its status, None where another one is wanted at once."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        loop, over = asyncio.get_running_loop(), asyncio.Event()
        ours.setblocking(False)
        starting = asyncio.ensure_future(asyncio.to_thread(self._owner.start, theirs.fileno()))
        anew = False
        try:
            process = await asyncio.shield(starting)
            theirs.close()
            self.pid = process.pid
            loop.add_reader(ours, lambda: self._read(ours, over))
            anew = await self._owner.watch(over)
        finally:
            if not starting.done():  # one that is being started while this is cancelled ends too
                await asyncio.wait([starting])
            self.pid = 0
            loop.remove_reader(ours)
            ours.close()
            theirs.close()
            self._owner.gone()
            if starting.exception() is None:
                starting.result().kill()
                # cancelled here, it is waited for all the same: `asyncio.wait` cancels nothing
                await asyncio.wait([loop.run_in_executor(None, starting.result().wait)])
        return None if anew else process.returncode

    def _read(self, sock: socket.socket, over: asyncio.Event) -> None:
        for _ in range(MESSAGES):
            try:
                data = sock.recv(self._longest)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                over.set()
                return
            try:
                self._owner.take(sock, data)
            except (ValueError, TypeError, KeyError) as error:
                self._owner.unreadable(error)
                if self._strict:
                    over.set()
                    return


def spawned(
    module: str, words: Sequence[str], descriptors: Sequence[int], environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """`python -m module` with these words, descriptors and environment. Its output is discarded, because it may quote its input."""
    program = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", module, *words],
        env={"PYTHONPATH": str(Path(__file__).parents[3]), **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=descriptors,
        cwd="/",
    )
    os.setpriority(os.PRIO_PROCESS, program.pid, max(BEHIND, os.getpriority(os.PRIO_PROCESS, 0)))
    return program


def passed_on() -> dict[str, str]:
    """Return the part of the environment that a helper process gets."""
    return {name: os.environ[name] for name in PASSED_ON if name in os.environ}

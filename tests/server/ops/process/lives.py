"""Programs of the tests that are started as a server is, follow one another and say who they are.

Rule: each says one line when it does something (`first PID`, `next PID`, `SIGHUP PID`), and does what it reads on standard input or is told by
a signal: nothing is timed.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

from tests.server.site.web.servers import ROOT

# SIGUSR1: start the successor, wait for its word, give way to it. SIGUSR2: start one that dies, and go on. SIGTERM: end with 7.
PROGRAM = """
import asyncio, contextlib, os, signal, sys
from server.ops.process import successor; from server.ops.process import foreground_proxy as waiter

async def life():
    loop, told = asyncio.get_running_loop(), asyncio.Queue()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
        loop.add_signal_handler(number, told.put_nowait, number)
    link = successor.inherited()
    if link is not None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            link.send(b"ready")
            await loop.sock_recv(link, 100)
    print("first" if link is None else "next", os.getpid(), flush=True)
    if link is not None:
        link.close()
    while True:
        number = await told.get()
        if number == signal.SIGTERM:
            waiter.deaf(loop.remove_signal_handler)
            return 7, None
        if number == signal.SIGUSR2:
            process, link = await successor.start("/bin/false")
            await process.ended()
            link.close()
            print("alone", os.getpid(), flush=True)
        elif number == signal.SIGUSR1:
            process, link = await successor.start()
            assert await loop.sock_recv(link, 100) == b"ready"
            waiter.keep()
            link.send(b"go")
            assert await loop.sock_recv(link, 100) == b""  # it has said "next"
            link.close()
            process.let_go()
            waiter.hold(loop.remove_signal_handler, *CAME)
            return 0, process.pid
        else:
            print(number.name, os.getpid(), flush=True)

import uvloop
status, follower = uvloop.run(life())
if follower is not None:
    ENDING
    print("gone", os.getpid(), flush=True)
    waiter.become(follower)
LAST
sys.exit(status)
"""


class Life:
    """The first of them. `ending`: Python that it and its successors run when they give way; `came`: signals that they say they got meanwhile.

    `before`: the beginning of its command line; `last`: Python that each runs at its very end.
    """

    def __init__(
        self,
        ending: str = "pass",
        came: tuple[int, ...] = (),
        before: tuple[str, ...] = (),
        last: str = "pass",
        **environment: str,
    ) -> None:
        text = PROGRAM.replace("ENDING", ending).replace("LAST", last).replace("CAME", repr(tuple(map(int, came))))
        bare = {name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"}
        self.process = subprocess.Popen(
            [*before, sys.executable, "-c", text], cwd=ROOT, env={**bare, **environment},
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.pid = self.process.pid
        # in a namespace of its own: they go with the process, and their numbers are others' here
        self._apart = bool(before)
        self._held: list[int] = []  # descriptors of the next ones, which may outlive the first
        self.pids: list[int] = [self.hears("first")]

    def hears(self, word: str) -> int:
        """Wait for a line of that beginning; the process that said it."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            said, pid = line.split()
            if said == word:
                return int(pid)
        raise AssertionError(f"all are gone, and none said {word}")

    def follow(self) -> int:
        """The next one has come; its number."""
        self.pids.append(self.hears("next"))
        if not self._apart:
            self._held.append(os.pidfd_open(self.pids[-1]))
        return self.pids[-1]

    def upgrade(self) -> int:
        """The one that serves gives way; the next one."""
        os.kill(self.pids[-1], signal.SIGUSR1)
        self.follow()
        assert self.hears("gone") == self.pids[-2]
        return self.pids[-1]

    def end(self) -> None:
        """Nobody is left behind."""
        for held in self._held:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(held, signal.SIGKILL)
            os.close(held)
        self.process.kill()
        self.process.wait(20)
        if self.process.stdout is not None:
            self.process.stdout.close()


def descriptors(pid: int) -> dict[int, str]:
    """What a process has open, by number."""
    return {int(one.name): str(one.readlink()) for one in Path(f"/proc/{pid}/fd").iterdir()}


def gone(pid: int) -> None:
    """Wait until a process has ended, and its children are another's."""
    with contextlib.suppress(ProcessLookupError):
        watched = os.pidfd_open(pid)
        try:
            select.select([watched], [], [])
        finally:
            os.close(watched)

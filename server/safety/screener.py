"""The server's side of the screening of text. Rule: a process that is dead, slow or silent costs no chat anything; it is counted and started again.

A reactor writes into the tap; the process reads it, and answers with findings (chat, side, number, rule, and an age where one was said): no
text. It gets two descriptors and the folder of the operator's rules, and an environment with nothing of ours in it.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import orjson

from engine.conduct import EFFECTS
from engine.protocol import SIDES
from ext.net.tap import Tap, make
from server import log
from server.config.settings import Screening
from server.metrics.exposition import Reading

FIRST: Final = 1.0  # seconds until a process that ended is started again
LONGEST: Final = 30.0
STEADY: Final = 60.0  # seconds of life after which the pause begins anew
MESSAGES: Final = 64  # of the process in one turn of the loop
LONGEST_MESSAGE: Final = 64 * 1024
FRESH: Final = 5.0  # seconds without a word after which it does not count as up
# What a process of ours needs of the environment: sanitizers, and modules as source.
PASSED_ON: Final = (
    "LD_PRELOAD",
    "ASAN_OPTIONS",
    "UBSAN_OPTIONS",
    "PYTHONMALLOC",
    "SERENDIP_PLAIN",
    "COVERAGE_PROCESS_START",
)

logger = log.get()


class Screener:
    """One a process that has people, whose name is `process`. `found`: told of each finding (chat, side, number, rule, age or 0), in the
    loop; `data`: the data folder."""

    def __init__(
        self, process: str, chosen: Screening, data: Path, found: Callable[[int, int, int, str, int], None]
    ) -> None:
        self._name = process
        self._chosen = chosen
        self._folder = Path(chosen.rules) if chosen.rules else data / "rules"
        self._found = found
        self._fd = make(int(chosen.ring))
        self.tap = Tap(self._fd)
        self._heard = -FRESH
        self._lines = 0  # of processes that ended
        self._now = 0  # of the present one
        self._lag = 0.0
        self._unsent = 0
        self._bad = ""
        self.findings: Counter[str] = Counter(dict.fromkeys(EFFECTS, 0))
        self.pid = 0  # of the process, 0: there is none

    async def run(self) -> None:
        """Until it is cancelled: keep a process there."""
        pause = FIRST
        while True:
            began = time.monotonic()
            status = await self._process()
            logger.error("screening.ended", status=status)
            if time.monotonic() - began >= STEADY:
                pause = FIRST
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST)

    async def _process(self) -> int:
        """One process, from its start to its end."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        loop, over = asyncio.get_running_loop(), asyncio.Event()
        ours.setblocking(False)
        starting = asyncio.ensure_future(asyncio.to_thread(self._start, theirs.fileno()))
        try:
            process = await asyncio.shield(starting)
            theirs.close()
            self.pid = process.pid
            loop.add_reader(ours, lambda: self._read(ours, over))
            await over.wait()
        finally:
            await asyncio.wait([starting])  # a process that is being started while this is cancelled ends too
            self.pid = 0
            loop.remove_reader(ours)
            ours.close()
            theirs.close()
            self._heard = -FRESH
            self._lines, self._now = self._lines + self._now, 0
            if starting.exception() is None:
                starting.result().kill()
                await asyncio.to_thread(starting.result().wait)
        return process.returncode

    def _start(self, pair: int) -> subprocess.Popen[bytes]:
        chosen = self._chosen
        root = str(Path(__file__).parents[2])
        words = [str(self._fd), str(pair), str(chosen.every), chosen.text, str(chosen.repeat_chats), str(self._folder)]
        return subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "server.safety.screening", *words],
            env={"PYTHONPATH": root, **{name: os.environ[name] for name in PASSED_ON if name in os.environ}},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # what Python says of a fault may quote a line
            pass_fds=(self._fd, pair),
            cwd="/",
        )

    def _read(self, sock: socket.socket, over: asyncio.Event) -> None:
        for _ in range(MESSAGES):
            try:
                data = sock.recv(LONGEST_MESSAGE)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                over.set()
                return
            try:
                self._take(orjson.loads(data))
            except (ValueError, TypeError, KeyError) as error:  # it reads what strangers wrote: it is not believed
                logger.error("screening.unreadable", **log.described(error))

    def _take(self, message: dict[str, Any]) -> None:
        if "fault" in message:
            logger.error("screening.fault", error=str(message["fault"]), where=str(message["where"]))
            return
        self._heard = time.monotonic()
        self._now, self._lag, self._unsent = int(message["lines"]), float(message["lag"]), int(message["unsent"])
        if message["bad"] != self._bad:
            self._bad = str(message["bad"])
            if self._bad:
                logger.error("screening.rules_refused", name=self._bad)
        for chat, side, number, rule, _, _, age in message["found"]:
            if rule in EFFECTS and side in range(SIDES) and type(chat) is type(number) is type(age) is int:
                self.findings[rule] += 1
                self._found(chat, side, number, rule, age)

    def close(self) -> None:
        """After the reactor writes there no more and `run` is cancelled."""
        os.close(self._fd)

    def reading(self) -> Reading:
        """Numbers for the metrics."""
        return {
            "serendip_screening_up": {(self._name,): int(time.monotonic() - self._heard < FRESH)},
            "serendip_screening_lines": self._lines + self._now,
            "serendip_screening_dropped": self.tap.dropped,
            "serendip_screening_lag_seconds": {(self._name,): self._lag},
            "serendip_findings": {(rule,): count for rule, count in self.findings.items()},
        }

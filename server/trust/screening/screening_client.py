"""Start the screening process, give it the shared memory from which it reads chat lines, and receive its detections, which have no text.

**Invariant:** a dead, slow or silent process delays no chat; it is counted, and restarted.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import orjson

from engine.conduct.detection_classes import RULES
from engine.conduct.detection_consequences import CLASSES
from engine.wire.protocol import SIDES
from ext.net.tap import Tap, make
from server.ops import log
from server.ops.config.settings import Screening
from server.ops.metrics.metric_type import Reading
from server.trust.programs.helper_process import FORGETFUL, Program, passed_on, spawned

LONGEST_MESSAGE: Final = 64 * 1024
COUNTED: Final = (
    "lines",
    "skipped",
    "unread",
    "unmodelled",
    "unasked",
)  # of lines: read, not read, read in part, not read by the model, not sent to the provider
FRESH: Final = 5.0  # seconds without a word after which it does not count as up

Finding = tuple[int, int, int, str, int]  # chat, side, number, rule, age or 0

logger = log.get()


class Screener:
    """One a process that has people, whose name is `process`. `found`: told of all findings of a message, in the loop, and never of none;
    `data`: the data folder; `lines`: to the provider process, None without a provider."""

    def __init__(
        self, process: str, chosen: Screening, data: Path, found: Callable[[Sequence[Finding]], None],
        lines: socket.socket | None = None,
    ) -> None:  # fmt: skip
        self._name = process
        self._chosen = chosen
        self._data = data
        self._found = found
        self._lines = lines
        self._fd = make(int(chosen.ring))
        self.tap = Tap(self._fd)
        self._heard = -FRESH
        self._past = dict.fromkeys(COUNTED, 0)  # of processes that ended
        self._now = dict.fromkeys(COUNTED, 0)  # of the present one
        self._lag = 0.0
        self._bad = ""
        self.findings = dict.fromkeys(CLASSES, 0)
        self._program = Program(self, LONGEST_MESSAGE, strict=False)

    @property
    def pid(self) -> int:
        """Pid of the process; 0 without one."""
        return self._program.pid

    async def run(self) -> None:
        """Keep a process running until this is cancelled."""
        await self._program.run()

    # of the program

    def start(self, pair: int) -> subprocess.Popen[bytes]:
        """See `Owner`."""
        chosen = self._chosen
        off = ",".join(sorted(chosen.off))
        words = [str(self._fd), str(pair), str(chosen.every), chosen.text, off, str(chosen.repeat_chats)]
        folders = chosen.folder(self._data).absolute(), self._data.absolute()  # it runs in another one
        words += [str(folders[0]), chosen.model, str(folders[1])]
        given = [self._fd, pair]
        if self._lines is not None:
            given.append(self._lines.fileno())
            words.append(str(self._lines.fileno()))
        return spawned("server.trust.screening", words, given, passed_on() | FORGETFUL)

    async def watch(self, over: asyncio.Event) -> bool:
        """Run the process (see `Owner`): a stalled one costs unscreened lines alone."""
        await over.wait()
        return False

    def gone(self) -> None:
        """See `Owner`."""
        self._heard = -FRESH
        self._past = {name: self._past[name] + self._now[name] for name in COUNTED}
        self._now = dict.fromkeys(COUNTED, 0)

    def ended(self, status: int) -> None:
        """See `Owner`."""
        logger.error("screening.ended", status=status)

    def unreadable(self, error: Exception) -> None:
        """See `Owner`."""
        logger.error("screening.unreadable", **log.described(error))

    def take(self, _: socket.socket, data: bytes) -> None:
        """See `Owner`."""
        message = orjson.loads(data)
        if "fault" in message:
            logger.error("screening.fault", error=str(message["fault"]), where=str(message["where"]))
            return
        if "without" in message:
            for what in message["without"]:
                logger.warning("screening.unconfined", what=str(what))
            if message["model"]:
                logger.error("screening.model_refused", reason=str(message["model"]))
            if message["unkept"]:
                logger.warning("screening.rules_unkept", reason=str(message["unkept"]))
            return
        self._heard = time.monotonic()
        self._now = {name: int(message[name]) for name in COUNTED}
        self._lag = float(message["lag"])
        if message["bad"] != self._bad:
            self._bad = str(message["bad"])
            if self._bad:
                logger.error("screening.rules_refused", name=self._bad)
        found = [
            (chat, side, number, rule, age)
            for chat, side, number, rule, age in message["found"]
            if rule in RULES and type(chat) is type(side) is type(number) is type(age) is int and 0 <= side < SIDES
        ]
        for one in found:
            self.findings[RULES[one[3]].name] += 1
        if found:
            self._found(found)

    def close(self) -> None:
        """After the reactor writes there no more and `run` is cancelled."""
        os.close(self._fd)

    def reading(self) -> Reading:
        """Numbers for the metrics."""
        counted = {name: self._past[name] + self._now[name] for name in COUNTED}
        return {
            "serendip_screening_up": {(self._name,): int(time.monotonic() - self._heard < FRESH)},
            "serendip_screening_lines": counted["lines"],
            "serendip_screening_offered": self.tap.offered,
            "serendip_screening_skipped": {
                ("line",): counted["skipped"],
                ("rest",): counted["unread"],
                ("model",): counted["unmodelled"],
                ("provider",): counted["unasked"],
            },
            "serendip_screening_dropped": self.tap.dropped,
            "serendip_screening_lag_seconds": {(self._name,): self._lag},
            "serendip_findings": {(rule,): count for rule, count in self.findings.items()},
        }

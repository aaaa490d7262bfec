"""Start the provider process and receive its detections, which have no text; ask it about a single text of a case.

**Invariant:** a dead, slow or lying provider delays no chat: lines reach it from the screening process, which never waits; each message of the
process is validated, and only rules of a provider are accepted. The process is restarted when it ends, after a pause that grows.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import orjson

from engine.conduct.detection_classes import PROVIDED, RULES
from engine.wire.protocol import SIDES
from server.ops import log
from server.ops.config.screening_settings import SPAM, Screening
from server.ops.metrics.metric_type import Reading
from server.trust.programs.helper_process import FORGETFUL, Program, passed_on, spawned
from server.trust.screening.screening_client import Finding
from server.trust.text_provider.provider_process import KEY, MESSAGE_MAX, ProviderChoice
from server.trust.text_provider.provider_program import CAUSES
from server.trust.text_provider.provider_protocol import CLASSES, TEXT_MAX, FindingUse

FRESH: Final = 5.0  # seconds without a message after which it does not count as up
EXPLAIN_S: Final = 3.0  # for the answer about a text of a case
EXPLAINED_MAX: Final = 16  # texts of cases that are asked about at a time
COUNTED: Final = ("answered", "late", "dropped")
OTHER: Final = "other"  # a cause of an end

logger = log.get()


class Explanation(NamedTuple):
    """A finding of the provider in a text of a case: rule, confidence from 0 to 1, and words of the text, which may be empty."""

    rule: str
    confidence: float
    words: str


def choice_of(chosen: Screening) -> ProviderChoice:
    """Return the provider of the settings."""
    classes = SPAM if chosen.text == "spam" else frozenset(CLASSES)
    use = FindingUse(
        classes - chosen.off,
        chosen.provider_low,
        chosen.provider_high,
        chosen.provider_use == "tips",
    )
    command, url = (chosen.provider_command, "") if chosen.provider == "command" else ((), chosen.provider_url)
    return ProviderChoice(command, url, int(chosen.provider_memory), chosen.provider_seconds, use)


class ProviderFigures:
    """Counts of one provider over all its processes. `findings`: by class; `ends`: by cause."""

    def __init__(self) -> None:
        self._past = dict.fromkeys(COUNTED, 0)  # of processes that ended
        self._now = dict.fromkeys(COUNTED, 0)  # of the present one
        self._lag = 0.0
        self.findings = dict.fromkeys(CLASSES, 0)
        self.ends = dict.fromkeys((*CAUSES, OTHER), 0)

    def take(self, counts: dict[str, int], lag: float) -> None:
        """Take up what the present process has counted so far, and its slowest answer, in seconds."""
        self._now, self._lag = counts, lag

    def end_process(self) -> None:
        """Keep the counts of a process that has ended."""
        self._past = {name: self._past[name] + self._now[name] for name in COUNTED}
        self._now = dict.fromkeys(COUNTED, 0)

    def reading(self, process: str) -> Reading:
        """Return the values of the metrics."""
        return {
            "serendip_provider_lines": {(name,): self._past[name] + self._now[name] for name in COUNTED},
            "serendip_provider_findings": {(name,): count for name, count in self.findings.items()},
            "serendip_provider_ends": {(cause,): count for cause, count in self.ends.items()},
            "serendip_provider_lag_seconds": {(process,): self._lag},
        }


class TextProvider:
    """The provider of one process with users, whose name is `process`. `found`: called in the loop with the detections of a message, never with none.

    `lines`: the socket through which the screening process sends lines; messages of 64 KiB at most, and never waits.
    """

    def __init__(self, process: str, chosen: Screening, found: Callable[[Sequence[Finding]], None]) -> None:
        self._name = process
        self._chosen = chosen
        self._found = found
        self.lines, self._read = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for one in (self.lines, self._read):
            one.setblocking(False)
        self._sock: socket.socket | None = None
        self._heard = -FRESH
        self._is_ready = False
        self._figures = ProviderFigures()
        self._cause = ""  # why the present process ends
        self._asked: dict[int, asyncio.Future[tuple[Explanation, ...]]] = {}
        self._number = 0
        self._program = Program(self, MESSAGE_MAX, strict=True)

    @property
    def pid(self) -> int:
        """Pid of the process; 0 without one."""
        return self._program.pid

    @property
    def up(self) -> bool:
        """Whether the provider answers."""
        return self._is_ready and time.monotonic() - self._heard < FRESH

    async def run(self) -> None:
        """Keep a process running until this is cancelled."""
        await self._program.run()

    async def explain(self, text: str) -> tuple[Explanation, ...]:
        """Return what the provider finds in a text; nothing if it does not answer in time, or is a server, which is sent lines of running chats
        alone.
        """
        if self._chosen.sent_to or self._sock is None or not self.up or len(self._asked) >= EXPLAINED_MAX:
            return ()
        self._number += 1
        number = self._number
        answer: asyncio.Future[tuple[Explanation, ...]] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        try:
            self._sock.send(orjson.dumps([number, text[:TEXT_MAX].encode("utf-8", "replace").decode()]))
            async with asyncio.timeout(EXPLAIN_S):
                return await answer
        except (TimeoutError, OSError):
            return ()
        finally:
            del self._asked[number]

    # as the owner of the program

    def start(self, pair: int) -> subprocess.Popen[bytes]:
        """See `Owner`."""
        words = [str(pair), str(self._read.fileno()), choice_of(self._chosen).pack()]
        key = {KEY: self._chosen.provider_key.get_secret_value(), "PATH": os.environ.get("PATH", os.defpath)}
        return spawned("server.trust.text_provider", words, (pair, self._read.fileno()), passed_on() | FORGETFUL | key)

    async def watch(self, over: asyncio.Event) -> bool:
        """See `Owner`: a stalled process costs unanswered lines alone."""
        await over.wait()
        return False

    def gone(self) -> None:
        """See `Owner`: what waits for it is dropped."""
        self._sock, self._is_ready, self._heard = None, False, -FRESH
        self._figures.end_process()
        for answer in self._asked.values():
            if not answer.done():
                answer.set_result(())
        with contextlib.suppress(BlockingIOError):
            while self._read.recv(MESSAGE_MAX):
                pass

    def ended(self, status: int) -> None:
        """See `Owner`."""
        self._figures.ends[self._cause or OTHER] += 1
        logger.error("provider.ended", status=status, cause=self._cause or OTHER)
        self._cause = ""

    def unreadable(self, error: Exception) -> None:
        """See `Owner`."""
        logger.error("provider.unreadable", **log.described(error))

    def take(self, sock: socket.socket, data: bytes) -> None:
        """See `Owner`."""
        message = orjson.loads(data)
        if "ended" in message:
            self._cause = message["ended"] if message["ended"] in CAUSES else OTHER
            if message["fault"]:
                logger.error("provider.refused", reason=str(message["fault"]))
        elif "fault" in message:
            logger.error("provider.fault", error=str(message["fault"]), where=str(message["where"]))
        elif "without" in message:
            self._sock = sock
            self._warn(message["without"])
        elif "ready" in message:
            self._warn(message["ready"])
            self._is_ready = True
            logger.info("provider.ready")
        elif "told" in message:
            answer = self._asked.get(message["told"])
            if answer is not None and not answer.done():
                answer.set_result(
                    tuple(
                        Explanation(rule, float(confidence), str(words))
                        for rule, confidence, words in message["found"]
                        if rule in PROVIDED
                    )
                )
        else:
            self._count(message)

    def _warn(self, without: Sequence[str]) -> None:
        for what in without:
            logger.warning("provider.unconfined", what=str(what))

    def _count(self, message: dict[str, object]) -> None:
        """Take up counts and detections."""
        counts, lag, rows = message["counts"], message["lag"], message["found"]
        if not (isinstance(counts, dict) and isinstance(rows, list) and isinstance(lag, float | int)):
            raise ValueError("no counts")
        self._heard = time.monotonic()
        self._figures.take({name: int(counts[name]) for name in COUNTED}, float(lag))
        found = [
            (chat, side, number, rule, 0)
            for chat, side, number, rule in rows
            if rule in PROVIDED and type(chat) is type(side) is type(number) is int and 0 <= side < SIDES
        ]
        for one in found:
            self._figures.findings[RULES[one[3]].name] += 1
        if found:
            self._found(found)

    def close(self) -> None:
        """Close its sockets, after `run` and the screening process have ended."""
        self.lines.close()
        self._read.close()

    def reading(self) -> Reading:
        """Return the values of the metrics."""
        return {"serendip_provider_up": {(self._name,): int(self.up)}, **self._figures.reading(self._name)}

"""Run the provider process: it receives lines from the screening process, asks the provider, and sends its findings without text to the server.

It starts the provider's program, then gives up all but computing, what is open, and the end of that program. When the program ends or misbehaves,
this process ends, and the server starts it again after a pause.
**Invariant:** lines wait here in turns of their writers, WAITING_MAX at most, for STALE seconds at most; what does not fit is dropped and counted.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import time
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import orjson

from server.ops.process.fault_summary import ended_by
from server.ops.process.process_jail import confine, keeper_jail
from server.ops.process.process_setup import name_process
from server.trust.text_provider.provider_conversation import Answer, ProviderConversation
from server.trust.text_provider.provider_program import Misbehaved, ProviderProgram, command_words, relay_words
from server.trust.text_provider.provider_protocol import FindingUse

MESSAGE_MAX: Final = 64 * 1024  # bytes, to and from this process
WAITING_MAX: Final = 1024  # lines
WAITING_BYTES_MAX: Final = 512 * 1024  # of them, four bytes a character at most
WRITER_MAX: Final = 8  # lines of one writer that wait
STALE: Final = 10.0  # seconds after which a line is not asked about any more
REPORT: Final = 1.0  # seconds between messages without a detection
FOUND_MAX: Final = 200  # detections of a message
DESCRIPTORS: Final = 16
KEY: Final = "PROVIDER_KEY"  # variable of the environment


class Line(NamedTuple):
    """A line of a chat. `at`: when it came here."""

    chat: int
    side: int
    number: int
    text: str
    at: float


class Asked(NamedTuple):
    """A text that the server asks about, with its number for it."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class ProviderChoice:
    """The provider, as the settings name it: a command, or a URL. `memory`: bytes of addresses; `deadline`: seconds for an answer."""

    command: tuple[str, ...]
    url: str
    memory: int
    deadline: float
    use: FindingUse

    def pack(self) -> str:
        """Return it as text."""
        wanted, low, high, only_tips = self.use
        rest = (sorted(wanted), low, high, only_tips)
        return orjson.dumps([self.command, self.url, self.memory, self.deadline, rest]).decode()

    @classmethod
    def unpack(cls, text: str) -> ProviderChoice:
        """Return what `pack` made."""
        command, url, memory, deadline, (wanted, low, high, only_tips) = orjson.loads(text)
        return cls(tuple(command), url, memory, deadline, FindingUse(frozenset(wanted), low, high, only_tips))

    def start(self, key: str, *, show_errors: bool = False) -> ProviderProgram:
        """Start the program. `key`: for the server at the URL. Raises OSError."""
        words, environment = command_words(self.command, self.memory) if self.command else relay_words(self.url, key)
        return ProviderProgram(words, environment, show_errors=show_errors)


class WaitingLines:
    """Lines that wait for the provider. `dropped`: how many did not fit, or waited for too long."""

    def __init__(self) -> None:
        self._writers: OrderedDict[tuple[int, int], deque[Line]] = OrderedDict()
        self._count = 0
        self._bytes = 0
        self.dropped = 0

    def __len__(self) -> int:
        return self._count

    def add(self, line: Line) -> None:
        """Add a line. A writer with WRITER_MAX of them loses the oldest."""
        own = self._writers.setdefault((line.chat, line.side), deque())
        if len(own) >= WRITER_MAX:
            self._removed(own.popleft())
            self.dropped += 1
        if self._count >= WAITING_MAX or self._bytes + _size(line) > WAITING_BYTES_MAX:
            self.dropped += 1
            if not own:
                del self._writers[line.chat, line.side]
            return
        own.append(line)
        self._count += 1
        self._bytes += _size(line)

    def take(self, now: float) -> Line | None:
        """Remove and return the oldest line of the writer whose turn it is, or None."""
        while self._writers:
            writer, own = self._writers.popitem(last=False)
            line = self._removed(own.popleft())
            if own:
                self._writers[writer] = own
            if now - line.at <= STALE:
                return line
            self.dropped += 1
        return None

    def _removed(self, line: Line) -> Line:
        self._count -= 1
        self._bytes -= _size(line)
        return line


def _size(line: Line) -> int:
    return 4 * len(line.text)


class ProviderProcess:
    """One provider between the screening process (`lines`) and the server (`sock`)."""

    def __init__(
        self, sock: socket.socket, lines: socket.socket, conversation: ProviderConversation, use: FindingUse
    ) -> None:
        self._sock = sock
        self._lines = lines
        self._conversation = conversation
        self._use = use
        self._waiting = WaitingLines()
        self._questions: deque[Asked] = deque()
        self._answered = 0
        self._late = 0
        self._unsent = 0
        self._lag = 0.0
        self._said = 0.0
        self._told_ready = False

    def run(self) -> None:
        """Serve until the server's end is closed. Raises Misbehaved."""
        program = self._conversation.program
        poll = select.poll()
        for descriptor in (self._sock.fileno(), self._lines.fileno(), program.output):
            poll.register(descriptor, select.POLLIN)
        while True:
            if program.backlog:
                poll.register(program.input, select.POLLOUT)
            ready = {descriptor for descriptor, _ in poll.poll(200)}
            if program.backlog:
                poll.unregister(program.input)
                program.flush()
            if self._sock.fileno() in ready and not self._take_questions():
                return
            if self._lines.fileno() in ready:
                self._take_lines()
            found: list[Sequence[Any]] = []
            if program.output in ready:
                for answer in self._conversation.answers():
                    found += self._take(answer)
            self._conversation.check()
            self._ask()
            self._tell(found)

    def drop_lines(self) -> None:
        """Drop the lines that waited since before this process began."""
        self._take_lines()
        while len(self._waiting):
            self._waiting.take(time.monotonic() + 2 * STALE)

    def _take_questions(self) -> bool:
        """Read what the server asks; False: its end is closed."""
        data = self._sock.recv(MESSAGE_MAX)
        if data:
            number, text = orjson.loads(data)
            self._questions.append(Asked(int(number), str(text)))
        return bool(data)

    def _take_lines(self) -> None:
        """Read all lines that the screening process has sent."""
        now = time.monotonic()
        with contextlib.suppress(BlockingIOError):
            while data := self._lines.recv(MESSAGE_MAX, socket.MSG_DONTWAIT):
                for chat, side, number, text in orjson.loads(data):
                    self._waiting.add(Line(chat, side, number, text, now))

    def _ask(self) -> None:
        while self._conversation.room:
            about: Asked | Line | None = self._questions.popleft() if self._questions else None
            about = about or self._waiting.take(time.monotonic())
            if about is None:
                return
            self._conversation.ask(about, about.text)

    def _take(self, answer: Answer) -> list[Sequence[Any]]:
        """Return the detections of an answer about a line, and tell the server what it asked about."""
        rules = [(self._use.rule(one), one) for one in answer.found]
        if isinstance(answer.about, Asked):
            found = [(rule, one.confidence, one.words) for rule, one in rules if rule]
            self._send({"told": answer.about.number, "found": found})
            return []
        self._lag = max(self._lag, answer.seconds)
        if answer.seconds > self._conversation.deadline:
            self._late += 1
            return []
        self._answered += 1
        line = answer.about
        return [(line.chat, line.side, line.number, rule) for rule in dict.fromkeys(rule for rule, _ in rules) if rule]

    def _tell(self, found: list[Sequence[Any]]) -> None:
        if self._conversation.is_ready and not self._told_ready:
            self._told_ready = self._send({"ready": self._conversation.without})
        if not found and time.monotonic() - self._said < REPORT:
            return
        for start in range(0, max(len(found), 1), FOUND_MAX):
            part = found[start : start + FOUND_MAX]
            counts = {"answered": self._answered, "late": self._late, "dropped": self._waiting.dropped}
            about = {"up": self._conversation.is_ready, "lag": round(self._lag, 4), "unsent": self._unsent}
            if not self._send({"counts": counts, **about, "found": part}):
                self._unsent += len(part)
        self._said, self._lag = time.monotonic(), 0.0

    def _send(self, message: dict[str, Any]) -> bool:
        try:
            self._sock.send(orjson.dumps(message), socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        return True


def main(arguments: Sequence[str]) -> int:
    """Run with `PAIR LINES CHOICE`: two descriptors, and a `ProviderChoice`."""
    pair, lines, packed = arguments
    name_process("provider")
    choice = ProviderChoice.unpack(packed)
    with contextlib.ExitStack() as stack:
        sock = stack.enter_context(socket.socket(fileno=int(pair)))
        from_screening = stack.enter_context(socket.socket(fileno=int(lines)))
        for one in (sock, from_screening):  # which the program does not get
            os.set_inheritable(one.fileno(), False)
        program = None
        try:
            program = choice.start(os.environ.get(KEY, ""))
            without = confine(keeper_jail(program.pid, DESCRIPTORS))
            sock.send(orjson.dumps({"without": without}))
            conversation = ProviderConversation(program, choice.deadline)
            process = ProviderProcess(sock, from_screening, conversation, choice.use)
            process.drop_lines()
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                process.run()
        except Misbehaved as error:
            return _ended(sock, {"ended": error.cause, "fault": error.fault})
        except Exception as fault:  # noqa: BLE001 - its text may quote a line: only its type is sent to the server
            return _ended(sock, ended_by(fault))
        finally:
            if program is not None:
                program.end()
    return 0


def _ended(sock: socket.socket, message: dict[str, Any]) -> int:
    with contextlib.suppress(OSError):
        sock.send(orjson.dumps(message), socket.MSG_DONTWAIT)
    return 1

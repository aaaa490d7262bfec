"""Run the screening process: read chat lines from shared memory (the tap), apply the rules, and send the matches without text to the server.

**Invariant:** no text of a line is ever written, or sent to the server. Where the operator named a provider of text, lines are sent to the provider
process, which may lose them. Before the first line is read, the process is jailed. It ends with the server.
"""

import contextlib
import os
import select
import socket
import time
from collections import Counter
from operator import itemgetter
from pathlib import Path
from typing import Final

import orjson

from engine.conduct.detection_classes import RULES
from engine.conduct.detection_consequences import LINKED
from ext.net.tap import Tapped
from ext.text.line_sieve import LineSieve
from server.ops.process.fault_summary import ended_by
from server.ops.process.process_jail import SCREENING, confine
from server.ops.process.process_setup import name_process
from server.trust.screening.opener_clusters import KEPT, LETTERS, Openers
from server.trust.screening.rule_cache import own_phrases
from server.trust.screening.rule_compiler import BadRules, PhraseSet, rules_stamp
from server.trust.screening.screening_rules import WIDE_SIGNS, Detection, Rules, read_rules, wanted_classes
from server.trust.screening.text_folding import PIECE, fold_table
from server.trust.screening.text_model import OFF, BadModel, ModelUse, read_use

READ: Final = 2_048  # lines read before an answer
BATCH: Final = 512  # of them looked at here: those that the sieve did not settle
BATCH_WORK: Final = (
    160_000  # of them together, of `work_of`: so many of six times the usual length, and 40 ms at the worst
)
MODEL_WORK: Final = 120_000  # of the lines of a batch that the model reads, in the same unit: 2 ms at the worst
MODEL_RATE: Final = (
    1_200_000  # of all lines that it reads in a second: a fiftieth of a core, more than 10,000 usual lines
)
LINE_WORK: Final = 40  # of a line, whatever its length
WORK_BYTES: Final = 800  # of a line that count: the rest of one that costs much is not read (`Rules.find`)
ANSWER: Final = 200  # findings of one message to the server
REPORT: Final = 1.0  # seconds between messages without a detection
LOOK: Final = 2.0  # seconds between looks at the operator's rules
SELDOM: Final = 0.25  # seconds between looks at a tap into which nothing was written for QUIET: each wakes a process that has nothing to do
QUIET: Final = 5.0
PROVIDER_BYTES: Final = 32 * 1024  # of lines in a message to the provider process

Line = tuple[int, int, int, float, bytes, bool]  # of `LineSieve.take`
Sent = tuple[int, int, int, str, int]  # chat, side, number, rule, age or 0


class Screening:
    """One tap and one server. `folder`: the operator's rules; `wanted`: the rules that are looked for, None: all; `repeat`: of `Openers`;
    `model`: None without one; `own`: the phrases of this program's rules; `provider`: to the provider process, None without a provider.
    """

    def __init__(
        self, tapped: Tapped, sock: socket.socket, folder: Path | None, wanted: frozenset[str] | None, repeat: int,
        *, own: PhraseSet, model: ModelUse | None = None, provider: socket.socket | None = None,
    ) -> None:  # fmt: skip
        self._sock = sock
        self._folder = folder
        self._wanted = wanted
        self._stamp: object = rules_stamp(None)  # of the rules that are read here; a folder without files adds none
        self._looked = 0.0
        self._said = 0.0
        self._came = time.monotonic()  # when the last line did
        self._lines = 0
        self._skipped = 0  # lines of the dearest chats
        self._unread = 0  # lines that were not read to their end, by rules that were replaced
        self._unmodelled = 0  # lines that the model did not read
        self._model = model
        self._model_work = MODEL_RATE  # that the model may do now
        self._granted = time.monotonic()  # when it was last given some
        self._provider = provider
        self._unasked = 0  # lines that the provider process had no room for
        self._behind = False  # the last batch had as many lines as it takes at once
        self._lag = 0.0
        self._unsent = 0  # findings that the server did not take
        self._bad = ""  # the file of the operator's that cannot be; what was read before holds
        self._own = own
        self._openers = Openers(repeat)
        folds = fold_table(WIDE_SIGNS)
        self._sieve = LineSieve(tapped, self._openers.writers, self._openers.table, folds, PIECE, LETTERS)
        self._rules: Rules
        self._use(read_rules(None, wanted, own))

    def _use(self, rules: Rules) -> None:
        self._rules = rules
        rules.settle(self._sieve, self._model.classifier if self._model is not None else None)
        if self._provider is not None:  # which reads each line
            self._sieve.pass_all()

    def run(self, every: float) -> None:
        """Read the tap until the server's end is closed; `every`: seconds between reads of an empty tap, while lines come."""
        while True:
            if time.monotonic() - self._looked >= LOOK:
                self._reload()
            more = self._batch()
            if select.select((self._sock,), (), (), 0.0 if more else self._pause(every))[0]:
                return  # the server says nothing: it is gone

    def _pause(self, every: float) -> float:
        """Return the seconds until the next read. This process cannot be woken: writers of the tap never wait, nor make a system call for it."""
        return every if time.monotonic() - self._came < QUIET else max(every, SELDOM)

    def _batch(self) -> bool:
        """Screen the lines that wait, READ at most; return whether there were as many as it takes at once."""
        now, sieve = time.monotonic(), self._sieve
        self._model_work = min(MODEL_RATE, self._model_work + int((now - self._granted) * MODEL_RATE))
        self._granted = now
        allowed = (
            0 if self._behind else self._model_work
        )  # rules come first: it reads none of the lines that have waited for a batch
        there = sieve.take(READ, BATCH, allowed, now, now - KEPT)
        self._model_work -= allowed - sieve.model_work
        lines = shared(there, BATCH_WORK)
        modelled = self._modelled(there, lines)
        found: list[Sent] = []
        asked: list[tuple[int, int, int, str]] = []
        for line in lines:
            chat, side, number, _, raw, first = line
            text = said(raw)
            if self._provider is not None and number:
                asked.append((chat, side, number, text))
            linked = False
            detections, beginning = self._rules.find_and_fold(text)
            for rule, _, age in detections:
                found.append((chat, side, number, rule, age))
                linked = linked or RULES[rule].name in LINKED
            if line in modelled:
                found += [(chat, side, number, rule, 0) for rule in self._model_rules(beginning, detections)]
            if number:  # a question is not the first line of a user
                for rule in self._openers.add_counted_line(chat, side, beginning, linked, first, now):
                    found.append((chat, side, number, rule, 0))
        if self._provider is not None and asked:
            self._unasked += self._pass_on(self._provider, asked)
        if sieve.taken:
            self._came = now
            self._lag = max(self._lag, time.time() - sieve.began)  # the first has waited longest
        self._lines += sieve.settled + len(lines)
        self._skipped += len(there) - len(lines)
        for start in range(0, len(found), ANSWER):
            self._tell(found[start : start + ANSWER])
        if not found and time.monotonic() - self._said >= REPORT:
            self._openers.sweep(now)
            self._tell([])
        self._behind = sieve.taken == READ or len(there) == BATCH
        return self._behind

    def _pass_on(self, provider: socket.socket, asked: list[tuple[int, int, int, str]]) -> int:
        """Send lines to the provider process, without waiting. Return how many it had no room for."""
        while asked:
            size, count = 0, 0
            while count < len(asked) and (not count or size + 4 * len(asked[count][3]) <= PROVIDER_BYTES):
                size += 4 * len(asked[count][3])
                count += 1
            part = [(*line, text.encode("utf-8", "replace").decode()) for *line, text in asked[:count]]
            try:
                provider.send(orjson.dumps(part), socket.MSG_DONTWAIT)
            except OSError:  # full, or gone: it is started again
                return len(asked)
            del asked[:count]
        return 0

    def _modelled(self, there: list[Line], lines: list[Line]) -> frozenset[Line]:
        """Return the lines, of those that were not settled, that the model reads: none while even rules have too much to read, and at most
        MODEL_WORK, a share for each writer. Count those that it does not read.
        """
        if self._model is None:
            return frozenset()
        self._unmodelled += self._sieve.settled - self._sieve.modelled
        most = 0 if self._behind else min(MODEL_WORK, self._model_work)
        chosen = frozenset(shared(lines, most)) if len(lines) == len(there) else frozenset()
        self._model_work -= sum(map(work_of, chosen))
        self._unmodelled += len(there) - len(chosen)
        return chosen

    def _model_rules(self, beginning: str, detections: list[Detection]) -> list[str]:
        """Return the rules of the model for a folded line. What a rule has found already is not found again."""
        return [] if self._model is None else self._model.rules(beginning, [one.kind for one in detections])

    def _tell(self, found: list[Sent]) -> None:
        message = {
            "lines": self._lines,
            "skipped": self._skipped,
            "unread": self._unread + self._rules.unread,
            "unmodelled": self._unmodelled,
            "unasked": self._unasked,
            "lag": round(self._lag, 4),
            "unsent": self._unsent,
            "bad": self._bad,
            "found": found,
        }
        try:
            self._sock.send(orjson.dumps(message), socket.MSG_DONTWAIT)
        except BlockingIOError:
            self._unsent += len(found)
            return
        self._said, self._lag = time.monotonic(), 0.0

    def _reload(self) -> None:
        """Read the operator's rules anew if they changed."""
        self._looked = time.monotonic()
        try:
            now = rules_stamp(self._folder)
            if now != self._stamp:
                self._stamp = now
                rules = read_rules(self._folder, self._wanted, self._own)
                self._unread += self._rules.unread
                self._use(rules)
                self._bad = ""
        except BadRules as error:
            self._bad = str(error).partition(":")[0]
        except OSError:
            self._bad = "rules"


def work_of(line: Line) -> int:
    """Return the highest cost of a line, in a unit of its own: by its length, because its content is known only after the work."""
    return LINE_WORK + min(len(line[4]), WORK_BYTES)


def shared(lines: list[Line], most: int) -> list[Line]:
    """Return the lines to look at, in their order: all or, if that is more work than `most`, an equal share of it for each writer of each chat.

    A writer who needs less than the share leaves the rest to others, so that the dearest loses lines first, and hides nothing of the partner's.
    """
    wanted: Counter[tuple[int, int]] = Counter()
    for line in lines:
        wanted[line[:2]] += work_of(line)
    left = most
    if wanted.total() <= left:
        return lines
    shares: dict[tuple[int, int], int] = {}
    for others, (writer, work) in zip(
        range(len(wanted), 0, -1), sorted(wanted.items(), key=itemgetter(1)), strict=True
    ):
        shares[writer] = min(work, left // others)
        left -= shares[writer]
    looked = []
    for line in lines:
        if (work := work_of(line)) <= shares[line[:2]]:
            shares[line[:2]] -= work
            looked.append(line)
    return looked


def said(raw: bytes) -> str:
    """The text of a line, which is a JSON string without its quotes."""
    text: str = orjson.loads(b'"' + raw + b'"') if b"\\" in raw else raw.decode("utf-8", "replace")
    return text


def _read_model(chosen: str, wanted: frozenset[str] | None) -> tuple[ModelUse | None, str]:
    """Return the model, and why it cannot be used: rules find what they find without it."""
    if chosen == OFF:
        return None, ""
    try:
        return read_use(chosen, wanted), ""
    except (BadModel, OSError) as error:
        return None, str(error)


def main(arguments: list[str]) -> int:
    """`TAP PAIR EVERY TEXT OFF REPEAT FOLDER MODEL DATA [LINES]`: two descriptors, seconds, three settings of `screening`, the operator's rules, or
    nothing, `screening.model`, the data folder, or nothing, and the descriptor to the provider process.
    """
    name_process("screening")
    tap, pair, every, text, off, repeat, folder, model, data, *lines = arguments
    with contextlib.ExitStack() as stack:
        sock = stack.enter_context(socket.socket(fileno=int(pair)))
        provider = stack.enter_context(socket.socket(fileno=int(lines[0]))) if lines else None
        tapped = Tapped(int(tap))
        os.close(int(tap))
        wanted = wanted_classes(text, frozenset(off.split(",")))
        try:
            # Made before: it loads modules, may write the file of compiled rules, and reads no line.
            use, refused = _read_model(model, wanted)
            own, unkept = own_phrases(Path(data) if data else None)
            operator = Path(folder) if folder else None
            screening = Screening(tapped, sock, operator, wanted, int(repeat), own=own, model=use, provider=provider)
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                sock.send(orjson.dumps({"without": confine(SCREENING), "model": refused, "unkept": unkept}))
                screening.run(float(every))
        except Exception as fault:  # noqa: BLE001 - its text may quote a line: only its type is sent to the server
            with contextlib.suppress(OSError):
                sock.send(orjson.dumps(ended_by(fault)), socket.MSG_DONTWAIT)
            return 1
    return 0

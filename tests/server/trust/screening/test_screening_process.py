"""The screening process: it is there, comes back, reads what waited, and no text leaves it."""

import asyncio
import errno
import functools
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import orjson
import pytest
from structlog.testing import capture_logs

from ext.net.tap import Tap, Tapped, make
from ext.text.hashed_classifier import HashedClassifier
from server.ops.config.settings import Screening as Settings
from server.trust.screening import screening_process as module
from server.trust.screening.rule_cache import own_phrases
from server.trust.screening.rule_compiler import PhraseSet
from server.trust.screening.screening_client import Screener
from server.trust.screening.screening_process import (
    BATCH,
    BATCH_WORK,
    MODEL_RATE,
    QUIET,
    READ,
    SELDOM,
    Line,
    Screening,
    shared,
    work_of,
)
from tests.server.trust.moderation.running import Run

# How it begins is what is asked here. It runs where no other program wants a core: on a machine that is full it begins late.
pytestmark = [pytest.mark.executed, pytest.mark.timeout(240)]
ROOT = Path(module.__file__).parents[3]


def confined(pid: int) -> bool:
    """Whether a process can write no file and no core, start none, and was told no secret."""
    process = Path(f"/proc/{pid}")
    most = {line[:26].strip(): line[26:].split()[1] for line in (process / "limits").read_text().splitlines()[1:]}
    assert [most[f"Max {what}"] for what in ("core file size", "file size", "processes")] == ["0", "0", "0"]
    status = (process / "status").read_text()
    assert "NoNewPrivs:\t1" in status
    assert "Seccomp:\t2" in status  # a filter
    if os.geteuid():  # a process without a core is closed to its own user too
        with pytest.raises(PermissionError):
            (process / "environ").read_bytes()
        return True
    assert len(list((process / "fd").iterdir())) <= 6
    return b"canarysecret" not in (process / "environ").read_bytes()


def written(folder: Path) -> bytes:
    """All files of a folder."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def test_what_is_found_comes_as_numbers(screen: Run) -> None:
    screen.tap.put(77, 1, 5, 0.0, b"add me on snap")
    screen.tap.put(77, 0, 6, 0.0, b"no thanks")
    screen.tap.put(78, 0, 1, 0.0, b"i\\u0027m 14")
    await screen.until(lambda: len(screen.found) == 3)
    rules = [("contact", 0), ("groom.apps", 0)]
    assert screen.found == [*((77, 1, 5, *rule) for rule in rules), (78, 0, 1, "age.claim", 14)]
    assert screen.screener.findings["contact"] == 1
    assert screen.number("up") == 1


async def test_no_line_is_in_a_file_a_log_or_a_core(
    screen: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERENDIP_MAIL__PASSWORD", "canarysecret")  # before the process is started
    await screen.until(lambda: screen.number("up") == 1)
    assert confined(screen.screener.pid)
    for number in range(1, 50):
        screen.tap.put(1, 0, number, 0.0, b"canarymark add me on snap \\ud800")  # half a character: no decoder takes it
    with capture_logs() as events:
        screen.tap.put(1, 0, 51, 0.0, b"canarymark \\x")  # nothing that a relay lets through: the process fails at it
        await screen.until(lambda: len(events) >= 2)
    assert [event["event"] for event in events[:2]] == ["screening.fault", "screening.ended"]
    assert "canarymark" not in str(events)
    assert b"canarymark" not in written(tmp_path)
    said = capfd.readouterr()
    assert "canarymark" not in said.out + said.err


async def test_an_operator_s_rules_are_taken_up_while_it_runs(screen: Run, tmp_path: Path) -> None:
    await screen.until(lambda: screen.number("up") == 1)
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "own.toml").write_text('[hate]\nwords = ["grumblefoo"]\n')
    sent = 0
    while not screen.found:
        sent += 1
        screen.tap.put(1, 0, sent, 0.0, b"you grumblefoo")
        await asyncio.sleep(0.05)
    assert screen.found[0][3] == "hate"


PROBE = """
import os, socket, sys
import orjson
from server.trust.screening import screening_process as program

class Probe:
    def __init__(self, tapped, sock, *more, **options):
        self._sock = sock
    def run(self, every):
        results = []
        tries = (
            socket.socket, os.fork, lambda: os.execv("/bin/true", ["true"]), lambda: os.open("/tmp/new", os.O_WRONLY | os.O_CREAT),
            lambda: os.kill(os.getppid(), 0), lambda: os.open("/etc/passwd", os.O_RDONLY),
        )
        for what in tries:
            try:
                what()
                results.append(0)
            except OSError as error:
                results.append(error.errno)
        self._sock.send(orjson.dumps(results))

program.Screening = Probe
sys.exit(program.main(sys.argv[1:]))
"""


def test_the_process_is_refused_each_call_but_those_of_computing_and_of_reading_files() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    tap = make(1 << 20)
    with ours, theirs:
        given = (tap, theirs.fileno())
        words = [*map(str, given), "0.05", "all", "", "12", "", "tips", ""]
        process = subprocess.Popen([sys.executable, "-c", PROBE, *words], cwd=ROOT, pass_fds=given)
        os.close(tap)
        theirs.close()  # a process that ends early is seen at once
        assert orjson.loads(ours.recv(4096)) == {"without": [], "model": "", "unkept": ""}
        assert orjson.loads(ours.recv(4096)) == [*[errno.EPERM] * 5, 0]
        assert process.wait(30) == 0


def test_a_system_that_refuses_the_filter_is_logged(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    screener = Screener("server", Settings(), tmp_path, lambda found: None)
    with ours, theirs, capture_logs() as events:
        screener.take(ours, orjson.dumps({"without": ["syscalls:ENOSYS"], "model": "", "unkept": ""}))
    screener.close()
    assert [(event["event"], event["what"]) for event in events] == [("screening.unconfined", "syscalls:ENOSYS")]


class Waits:
    """The system's `select` under a clock that only waiting moves: lines are written at their times, until the server is gone."""

    def __init__(self, tap: Tap, comes: dict[float, int], ends: float) -> None:
        self.now = 0.0
        self.waited: list[tuple[float, float]] = []  # from when on, and how long
        self._tap = tap
        self._comes = sorted(comes.items())
        self._ends = ends
        self._write()

    def _write(self) -> None:
        while self._comes and self._comes[0][0] <= self.now:
            _, count = self._comes.pop(0)
            for number in range(1, count + 1):
                assert self._tap.put(1, 0, number, time.time(), b"hello")

    def select(self, socks: object, _writes: object, _faults: object, seconds: float) -> tuple[object, ...]:
        """As the system's."""
        self.waited.append((self.now, seconds))
        self.now += seconds
        self._write()
        return (socks if self.now >= self._ends else (), (), ())

    def monotonic(self) -> float:
        """As the system's."""
        return self.now


def waited(
    monkeypatch: pytest.MonkeyPatch, every: float, comes: dict[float, int], ends: float
) -> list[tuple[float, float]]:
    """From when on it waits, and how long. Nobody is told anything: in these times a message is one that finds nothing."""
    memory = make(1 << 20)
    made, tapped = Waits(Tap(memory), comes, ends), Tapped(memory)
    os.close(memory)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs, monkeypatch.context() as patched:
        patched.setattr("server.trust.screening.screening_process.select.select", made.select)
        patched.setattr("server.trust.screening.screening_process.time.monotonic", made.monotonic)
        Screening(tapped, theirs, None, None, 12, own=shipped()).run(every)
    return made.waited


def test_a_tap_is_looked_at_less_often_while_nobody_says_anything_and_as_before_from_the_first_line_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = waited(monkeypatch, 0.05, {60.1: 1}, 80.0)
    came = next(at for at, _ in looks if at >= 60.1)
    assert came - 60.1 <= SELDOM
    for at, seconds in looks:
        assert seconds == (0.05 if at < QUIET or came <= at < came + QUIET else SELDOM), at


def test_a_setting_that_is_longer_holds_and_behind_a_full_batch_nothing_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = waited(monkeypatch, 1.0, {0.0: READ + 1, 20.0: 1}, 30.0)
    assert [seconds for _, seconds in looks] == [0.0, *[1.0] * 30]


@functools.cache
def shipped() -> PhraseSet:
    """Return the phrases of this program's rules."""
    return own_phrases(None)[0]


def lines_of(chat: int, count: int, size: int) -> list[Line]:
    """Lines of one chat."""
    return [(chat, 0, number, 0.0, b"x" * size, False) for number in range(1, count + 1)]


def test_a_batch_of_usual_lines_is_looked_at_whole() -> None:
    lines = lines_of(1, BATCH, 35)
    assert shared(lines, BATCH_WORK) is lines


def test_where_there_is_too_much_the_dearest_chats_lose_lines_first_and_each_has_its_share() -> None:
    cheap = [line for chat in range(10, 30) for line in lines_of(chat, 2, 40)]
    both = [line for pair in zip(lines_of(1, 100, 6_000), lines_of(2, 100, 6_000), strict=True) for line in pair]
    looked = shared([*both[:120], *cheap, *both[120:]], BATCH_WORK)
    assert sum(map(work_of, looked)) <= BATCH_WORK
    assert [line for line in looked if line[0] >= 10] == cheap
    counted = [sum(line[0] == chat for line in looked) for chat in (1, 2)]
    assert counted[0] == counted[1] > 10
    assert [line[2] for line in looked if line[0] == 1] == list(range(1, counted[0] + 1))  # in their order


def test_a_writer_of_dear_lines_hides_nothing_that_the_partner_says() -> None:
    dear, partners = lines_of(1, 200, 6_000), [(1, 1, 500 + number, 0.0, b"hello", False) for number in range(100)]
    assert [line for line in shared([*dear, *partners], BATCH_WORK) if line[1] == 1] == partners


async def test_what_is_skipped_is_counted_and_what_others_say_is_found(tmp_path: Path) -> None:
    screen = Run(tmp_path, ring=16 * 1024 * 1024)
    await screen.until(lambda: screen.number("up") == 1)
    os.kill(screen.screener.pid, signal.SIGSTOP)
    for number in range(1, 2 * BATCH + 1):
        screen.tap.put(1, 0, number, 0.0, "\ufdfa".encode() * 2_000)
    screen.tap.put(2, 0, 1, 0.0, b"im 14")
    os.kill(screen.screener.pid, signal.SIGCONT)
    await screen.until(lambda: bool(screen.found))
    skipped = screen.screener.reading()["serendip_screening_skipped"]
    assert isinstance(skipped, Mapping)
    assert skipped[("line",)] > BATCH
    assert skipped[("rest",)] > 0
    await screen.close()


class Glorp:
    """A model that finds hate in each line with a word, and counts what it reads. Its classifier has a class for every line: none is settled."""

    classifier = HashedClassifier(bytes(2), [(1.0, 1.0, 0.0)], 180)

    def __init__(self) -> None:
        self.read: list[str] = []

    def rules(self, text: str, _: object) -> list[str]:
        """As those of a model."""
        self.read.append(text)
        return ["hate.model.low"] if "glorp" in text else []


def batch_of(lines: list[Line]) -> tuple[dict[str, object], Glorp]:
    """Return the message about a batch, and the model that read it."""
    model, memory = Glorp(), make(1 << 23)
    tap, tapped = Tap(memory), Tapped(memory)
    os.close(memory)
    for line in lines:
        assert tap.put(*line[:5])
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        Screening(tapped, theirs, None, None, 12, own=shipped(), model=model)._batch()  # type: ignore[arg-type]
        message: dict[str, object] = orjson.loads(ours.recv(1 << 16))
    return message, model


def test_the_model_reads_usual_lines_and_its_finding_is_one_of_theirs() -> None:
    message, model = batch_of([(1, 0, 1, 0.0, b"Hello GLORP", True), (2, 1, 1, 0.0, b"hi", True)])
    assert message["found"] == [[1, 0, 1, "hate.model.low", 0]]
    assert message["unmodelled"] == 0
    assert model.read == ["hello glorp", "hi"]


def test_the_model_is_left_out_first_where_there_is_too_much_and_that_is_counted() -> None:
    few = lines_of(2, 1, 40)
    message, model = batch_of([*lines_of(1, BATCH - 1, 250), *few])
    assert message["skipped"] == 0
    assert 0 < len(model.read) < BATCH
    assert message["unmodelled"] == BATCH - len(model.read)
    assert "x" * 40 in model.read  # the chat that costs little has its share
    message, model = batch_of(lines_of(1, BATCH, 6_000))
    assert message["skipped"] != 0
    assert model.read == []
    assert message["unmodelled"] == BATCH


def test_the_model_reads_no_more_than_its_share_of_each_second(monkeypatch: pytest.MonkeyPatch) -> None:
    model, memory, clock = Glorp(), make(1 << 23), [1000.0]
    tap, tapped = Tap(memory), Tapped(memory)
    os.close(memory)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs, monkeypatch.context() as patched:
        patched.setattr("server.trust.screening.screening_process.time.monotonic", lambda: clock[0])
        screening = Screening(tapped, theirs, None, None, 12, own=shipped(), model=model)  # type: ignore[arg-type]
        lines = lines_of(1, BATCH - 1, 160)  # fewer than a batch: it is not behind
        for seconds in (0.0, 0.25):
            clock[0] += seconds
            before = len(model.read)
            for _ in range(40):
                for line in lines:
                    assert tap.put(*line[:5])
                screening._batch()
            allowed = MODEL_RATE * (seconds or 1.0)
            assert 0.3 * allowed < (len(model.read) - before) * work_of(lines[0]) <= allowed


def test_a_refused_model_is_logged_and_rules_go_on(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    screener = Screener("server", Settings(), tmp_path, lambda found: None)
    with ours, theirs, capture_logs() as events:
        screener.take(ours, orjson.dumps({"without": [], "model": "text.model: damaged", "unkept": ""}))
    screener.close()
    assert [(event["event"], event["reason"]) for event in events] == [
        ("screening.model_refused", "text.model: damaged")
    ]

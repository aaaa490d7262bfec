"""Test the picture process: dropped privileges, no trace of a picture, and an end with the server."""

import errno
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from structlog.testing import capture_logs

from server.ops.process.process_jail import NOBODY
from server.trust.pictures import picture_process as module
from server.trust.pictures.picture_process_codec import (
    BODY_MAX,
    CLEAN,
    JUDGE,
    UNDECIDED,
    UNSCORED,
    Job,
    Judged,
    pack_job,
    unpack_answer,
)
from tests.server.trust.pictures.running import Run, harmless, own
from tests.server.trust.pictures.test_picture_verdict import BROKEN
from tests.support.users import reads_proc

# How it begins is what is asked here. It runs where no other program wants a core: on a machine that is full it begins late.
pytestmark = [pytest.mark.executed, pytest.mark.timeout(240)]
ROOT = Path(module.__file__).parents[3]
MARK = b"canarymark"


def limits(pid: int) -> dict[str, str]:
    """The hard limits of a process."""
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()[1:]
    return {line[:26].strip(): line[26:].split()[1] for line in lines}


def environment(pid: int) -> bytes:
    """What a process was told."""
    return Path(f"/proc/{pid}/environ").read_bytes()


def written(folder: Path) -> bytes:
    """All files of a folder."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def test_it_gave_up_all_that_it_does_not_need(run: Run) -> None:
    at = Path(f"/proc/{run.judging.pid}")
    assert await run.judging.judge(harmless())  # it works so
    assert {name: limits(run.judging.pid)[name] for name in ("Max core file size", "Max file size", "Max processes")} == {
        "Max core file size": "0", "Max file size": "0", "Max processes": "0",
    }  # fmt: skip
    assert limits(run.judging.pid)["Max open files"] == "4"
    assert limits(run.judging.pid)["Max address space"] == str(module.MEMORY)
    if os.geteuid() == 0:
        assert sorted(os.listdir(at / "fd")) == ["0", "1", "2", "3"]
    else:  # a process without a core is closed to its own user too
        with pytest.raises(PermissionError):
            os.listdir(at / "fd")
    assert len(os.listdir(at / "task")) == 1
    status = (at / "status").read_text()
    assert "NoNewPrivs:\t1" in status
    assert "Seccomp:\t2" in status  # a filter
    assert "CapEff:\t0000000000000000" in status
    if os.geteuid() == 0:
        assert f"Uid:\t{NOBODY}\t{NOBODY}" in status


@reads_proc
async def test_it_is_told_no_secret_and_its_libraries_tell_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERENDIP_MAIL__PASSWORD", "canarysecret")
    run = await Run(tmp_path).ready()
    told = environment(run.judging.pid)
    await run.close()
    assert b"canarysecret" not in told
    assert b"ORT_DISABLE_TELEMETRY=1" in told


async def test_a_picture_is_in_no_file_and_no_log(run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with capture_logs() as events:
        for body in (harmless(comment=MARK), harmless(comment=MARK)[:-900] + b"\xff\xd9", MARK + harmless(), own()):
            await run.judging.judge(body, reported=True)
            await run.judging.thumb(body)
    said = capfd.readouterr()
    assert MARK.decode() not in str(events) + said.out + said.err
    assert MARK not in written(tmp_path)


async def test_a_file_that_it_leaves_would_be_found(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(harmless(comment=MARK))
    assert MARK in written(tmp_path)


async def test_what_is_no_strip_ends_nothing(run: Run) -> None:
    pid = run.judging.pid
    for name, body in BROKEN.items():
        seen = await run.judging.judge(body, reported=True)
        assert (seen is None) == (not 0 < len(body) <= BODY_MAX), name
        assert seen is None or seen.verdict == UNDECIDED, name
        seen = await run.judging.judge(harmless())
        assert seen is not None
        assert seen.verdict == CLEAN
    assert run.judging.pid == pid


class Pair:
    """A process without the server: this is its other end."""

    def __init__(self, *words: str, program: tuple[str, str] = ("-m", "server.trust.pictures")) -> None:
        self.ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, *program, str(theirs.fileno()), *words],
                env={"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}, cwd="/", pass_fds=(theirs.fileno(),), stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        self.first = orjson.loads(self.ours.recv(4096))


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    made = Pair("0.8", "0.3", "50", str(tmp_path))
    yield made
    made.ours.close()
    made.process.kill()
    made.process.wait()


def test_it_answers_by_number_and_ends_with_the_server(pair: Pair) -> None:
    assert pair.first == {"ready": 0, "bad": "", "without": []}
    for number in (7, 123):
        pair.ours.send(pack_job(Job(JUDGE, number, False, UNSCORED, harmless())))
        assert unpack_answer(pair.ours.recv(8192))[0] == number
    pair.ours.close()
    assert pair.process.wait(30) == 0


@pytest.mark.parametrize("message", [b"x", b"\x09" + pack_job(Job(JUDGE, 1, False, 0.0, b"x"))[1:]])
def test_a_message_that_is_no_job_is_a_fault_that_is_told(pair: Pair, message: bytes) -> None:
    pair.ours.send(message)
    told = orjson.loads(pair.ours.recv(4096))
    assert told["fault"] == "ValueError"
    assert "process.py:" in told["where"]
    assert pair.process.wait(30) == 1


def test_one_that_cannot_begin_says_why(tmp_path: Path) -> None:
    pair = Pair("high", "0.3", "50", str(tmp_path))
    assert pair.first["fault"] == "ValueError"
    assert pair.process.wait(30) == 1
    pair.ours.close()


def ran(code: str) -> "subprocess.CompletedProcess[str]":
    """A Python with the four descriptors that the process has."""
    first = "import os, threading; from server.trust.pictures.picture_process import alone; os.closerange(3, 99); os.dup2(0, 3)\n"
    return subprocess.run(
        [sys.executable, "-c", first + code],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
    )


def test_a_thread_or_a_descriptor_that_is_not_ours_is_seen() -> None:
    assert ran("alone()").returncode == 0
    for more in ("os.dup(0)", "threading.Thread(target=threading.Event().wait, daemon=True).start()"):
        done = ran(f"{more}; alone()")
        assert done.returncode == 1
        assert "NotAlone" in done.stderr


class Judge:
    """Answers the same to each."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []

    def do(self, job: Job) -> Judged:
        self.jobs.append(job)
        return Judged(UNDECIDED, UNSCORED, 0, (), "", 0.0)


def test_jobs_are_done_in_their_order_until_the_end_is_closed() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    judge, jobs = Judge(), [Job(JUDGE, number, False, 0.5, b"x") for number in range(3)]
    with ours, theirs:
        for job in jobs:
            ours.send(pack_job(job))
        ours.shutdown(socket.SHUT_WR)
        module.serve(theirs, judge)
        assert [unpack_answer(ours.recv(8192))[0] for _ in jobs] == [0, 1, 2]
    assert judge.jobs == jobs


PROBE = """
import os, socket, sys
import orjson
from server.trust.pictures import picture_process as program

def probe(sock, judge):
    body, results = sock.recv(1 << 20), []
    tries = (
        socket.socket, os.fork, lambda: os.execv("/bin/true", ["true"]), lambda: os.open("/etc/passwd", os.O_RDONLY),
        lambda: os.open("/tmp/new", os.O_WRONLY | os.O_CREAT), lambda: os.kill(os.getppid(), 0), lambda: os.unlink("/tmp/none"),
    )
    for number, what in enumerate(tries):
        try:
            what()
            results.append(0)
        except OSError as error:
            results.append(error.errno)
    verdict = judge.do(program.unpack_job(body)).verdict
    sock.send(orjson.dumps([results, verdict]))

program.serve = probe
sys.exit(program.main(sys.argv[1:]))
"""


def test_the_process_is_refused_each_call_but_those_of_computing_and_judges_so(tmp_path: Path) -> None:
    pair = Pair("0.8", "0.3", "50", str(tmp_path), program=("-c", PROBE))
    assert pair.first == {"ready": 0, "bad": "", "without": []}
    pair.ours.send(pack_job(Job(JUDGE, 1, True, UNSCORED, harmless())))
    assert orjson.loads(pair.ours.recv(4096)) == [[errno.EPERM] * 7, CLEAN]
    pair.ours.close()
    assert pair.process.wait(30) == 0


def test_a_larger_picture_is_not_even_opened() -> None:
    done = ran(
        "from io import BytesIO\n"
        "from PIL import Image\n"
        "from server.trust.pictures.picture_verdict import guard\n"
        "made = BytesIO()\n"
        "Image.new('L', (320, 721)).save(made, 'JPEG')\n"
        "Image.open(BytesIO(made.getvalue()))\n"
        "guard()\n"
        "try: Image.open(BytesIO(made.getvalue()))\n"
        "except Image.DecompressionBombWarning: print('refused')\n"
    )
    assert done.stdout.split() == ["refused"], done.stderr

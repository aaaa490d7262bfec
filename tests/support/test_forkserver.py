"""Test that a forked process is what it would be had it been executed, and that only such processes are forked."""

import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from server.ops.process import fault_points
from tests.support.forkserver import ROOT, START, STARTER, Starter
from tests.support.users import needs_root

# What it is, but for its number: (arguments, whose child, where, variables, descriptors, session and group, signals, limits, module).
SAYS = """
import atexit, json, os, resource, signal, sys, threading
atexit.register(print, "the last line")
links = {name: os.readlink("/proc/self/fd/" + name) for name in map(str, range(64)) if os.path.lexists("/proc/self/fd/" + name)}
status = open("/proc/self/status").read()
# glibc handles two signals of its own (32, 33) once a process has had a thread: what the program handles is compared
caught = lambda line: "SigCgt %x" % (int(line.split()[1], 16) & ~(3 << 31)) if line.startswith("SigCgt") else line
print(json.dumps({
    "words": [sys.argv, sys.orig_argv, sys.path, sys.flags, sys.warnoptions], "name": __name__, "parent": os.getppid(), "folder": os.getcwd(),
    "environment": dict(os.environ), "descriptors": {name: link for name, link in links.items() if name != "0"},
    "own": [os.getpgid(0) == os.getpid(), os.getsid(0) == os.getpid()],
    "signals": [caught(line) for line in status.split("\\n") if line.startswith(("Sig", "Shd", "Umask", "Seccomp", "NoNewPrivs"))
        and "SigQ" not in line],
    "limits": [resource.getrlimit(number) for number in range(16)], "handler": repr(signal.getsignal(signal.SIGINT)),
    "threads": threading.active_count(), "input": sys.stdin.read(), "encodings": [sys.stdout.encoding, sys.stdout.line_buffering],
}))
print("an error", file=sys.stderr)
sys.exit(3)
"""


@pytest.fixture
def starter(request: pytest.FixtureRequest) -> Starter:
    """The one of this run."""
    return request.config.stash[STARTER]


@pytest.fixture
def executed(starter: Starter, monkeypatch: pytest.MonkeyPatch) -> list[Sequence[str]]:
    """The words of what was executed since."""
    found: list[Sequence[str]] = []

    def execute(*how: Any) -> int:
        found.append([os.fsdecode(word) for word in how[0]])
        return kept(*how)

    kept = starter.execute
    monkeypatch.setattr(starter, "execute", execute)
    return found


@pytest.mark.parametrize("session", [False, True])
def test_it_is_what_an_executed_one_is(
    starter: Starter, executed: list[Sequence[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, session: bool
) -> None:
    monkeypatch.setattr("tests.support.forkserver.LINES", {SAYS})
    said = []
    with (tmp_path / "one").open("w") as one, (tmp_path / "other").open("w") as other:
        for here in (False, True):
            monkeypatch.setattr(starter, "here", here)
            done = subprocess.run(
                [sys.executable, "-c", SAYS, "a", "--b", "c d"], cwd=ROOT, env={**os.environ, "SERENDIP_X": "ü=\n"}, input="for it",
                pass_fds=[one.fileno(), other.fileno()], capture_output=True, text=True, check=False, start_new_session=session,
            )  # fmt: skip
            assert (done.returncode, done.stderr) == (3, "an error\n")
            line, last = done.stdout.splitlines()
            assert last == "the last line"
            said.append(json.loads(line))
    assert len(executed) == 1
    for one_said in said:
        for number in ("1", "2"):
            assert one_said["descriptors"].pop(number).startswith("pipe:")
    assert said[0] == said[1]
    assert said[1]["parent"] == os.getpid()
    assert len(said[1]["descriptors"]) == 2


PLAIN = {**os.environ, "PYDANTIC_DISABLE_PLUGINS": "__all__"}  # which ours has once it was imported


# Changes what is inherited and starts itself anew, as an upgrade does; the second says what it is, and the first ends as it did.
FOLLOWED = f"""
import os, resource, sys
from server.ops.process import successor
if successor.HANDOVER in os.environ:
    link = successor.inherited()
    print("server.data.store.store_runner" in sys.modules)
    exec({SAYS!r})
os.umask(0o27)
resource.setrlimit(resource.RLIMIT_NOFILE, (500, 600))
pid, link = successor.spawn(sys.executable, [*sys.orig_argv])
print(os.getpid())
sys.stdout.flush()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


def test_its_successor_is_what_an_executed_one_is(starter: Starter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.support.forkserver.LINES", {FOLLOWED})
    said = []
    for here in (False, True):
        monkeypatch.setattr(starter, "here", here)
        command = [sys.executable, "-c", FOLLOWED, "a"]
        done = subprocess.run(command, cwd=ROOT, env=PLAIN, capture_output=True, text=True, check=False, timeout=30)
        assert (done.returncode, done.stderr) == (3, "an error\n")
        parent, forked, _, line = sorted(done.stdout.splitlines())
        found = json.loads(line)
        found["descriptors"] = [link.partition(":")[0] for link in found["descriptors"].values()]
        assert (found.pop("parent"), forked) == (int(parent), str(here))
        said.append(found)
    assert said[0] == said[1]
    assert said[1]["limits"][resource.RLIMIT_NOFILE] == [500, 600]


# A process of several that one server is, which starts what screens, or what stands for that, with much that is its own alone.
SPLITS = """
import atexit, os, signal, subprocess, sys
from tests.support import forking
forking.LOOKS = {"says"}
if os.fork():
    sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
atexit.register(print, "said by another process")
signal.signal(signal.SIGTERM, lambda *_: None)
end = os.pipe()[1]
os.set_blocking(end, False)
signal.set_wakeup_fd(end)
done = subprocess.run([sys.executable, "-m", "says", "a"], cwd=sys.argv[1], stdin=subprocess.DEVNULL, close_fds=True)
print(os.getpid())
sys.stdout.flush()
os._exit(done.returncode)
"""


def test_what_one_of_several_processes_starts_is_its_child_and_has_nothing_of_it(
    starter: Starter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tests.support.forkserver.LINES", {SPLITS})
    (tmp_path / "says.py").write_text(SAYS)
    said = []
    for here in (False, True):
        monkeypatch.setattr(starter, "here", here)
        done = subprocess.run(
            [sys.executable, "-c", SPLITS, str(tmp_path)], cwd=ROOT, env=PLAIN,
            capture_output=True, text=True, check=False, timeout=30,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (3, "an error\n")
        line, last, parent = done.stdout.splitlines()
        assert last == "the last line"
        found = json.loads(line)
        assert found.pop("parent") == int(parent)
        found["words"].pop(2)  # where modules are found: of a module that was executed, the folder by its name
        found["descriptors"] = [link.partition(":")[0] for link in found["descriptors"].values()]
        said.append(found)
    assert said[0] == said[1]


def test_what_it_raises_is_its_end_alone(starter: Starter, monkeypatch: pytest.MonkeyPatch) -> None:
    fails = "1 / 0"
    monkeypatch.setattr("tests.support.forkserver.LINES", {fails})
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", fails], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert done.stderr.endswith("ZeroDivisionError: division by zero\n")


def test_it_ends_at_the_point_that_its_own_variables_name(
    starter: Starter, executed: list[Sequence[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    comes = "from server.ops.process import fault_points as faults; faults.at('took'); faults.at('took')"
    monkeypatch.setattr("tests.support.forkserver.LINES", {comes})
    for named, status in (("took:2", -signal.SIGKILL), ("took:3", 0), ("sent", 0), ("", 0)):
        environment = {**os.environ, fault_points.VARIABLE: named}
        assert (
            subprocess.run([sys.executable, "-c", comes], cwd=ROOT, env=environment, check=False).returncode == status
        )
    assert executed == []


def command(*before: str, **how: Any) -> str:
    """Our version, as a command says it."""
    done = subprocess.run(
        [*before, sys.executable, "-c", START, "--version"],
        **{"cwd": ROOT, **how},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize("how", [
    {"env": {**os.environ, "PYTHONHASHSEED": "1"}},
    {"env": {name: value for name, value in os.environ.items() if name != "LANG"} | {"LC_ALL": "C"}},
    {"cwd": ROOT.parent},
    {"preexec_fn": os.getpid},
    {"close_fds": False},
    {"user": os.getuid()},
    {"umask": 0o22},
])  # fmt: skip
def test_what_would_be_another_process_is_executed(executed: list[Sequence[str]], how: dict[str, Any]) -> None:
    assert (command()[:9], executed) == ("serendip ", [])
    assert command(**how).startswith("serendip ")
    assert executed == [[sys.executable, "-c", START, "--version"]]
    command("/usr/bin/env")
    assert len(executed) == 2


@needs_root
def test_what_a_thread_starts_in_another_network_is_executed_there(executed: list[Sequence[str]]) -> None:
    def elsewhere() -> None:
        assert ctypes.CDLL(None).unshare(0x40000000) == 0  # CLONE_NEWNET: of this thread
        said.append(command())

    said: list[str] = []
    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join(30)
    assert (len(said), len(executed)) == (1, 1)


@pytest.mark.executed  # as what it asks about
def test_a_test_of_the_start_executes(executed: list[Sequence[str]]) -> None:
    command()
    assert len(executed) == 1


# A server that has one strip of pictures looked at: what that gave up that looks, and what it says; at last whether it was forked.
JUDGES = """
import os, socket, sys
from pathlib import Path
from server.ops.config.picture_settings import Pictures
from server.trust.pictures import picture_client as judging; from server.trust.pictures import picture_process_codec as messages
from tests.server.trust.pictures.running import harmless
ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
program = judging.PictureClient("server", Pictures(), Path(sys.argv[1])).start(theirs.fileno())
while not (words := Path(f"/proc/{program.pid}/cmdline").read_text()):
    pass  # it has begun, and the kernel has not noted what yet
theirs.close()
print(ours.recv(messages.ANSWER_MAX).decode())
parent = Path(f"/proc/{program.pid}/status").read_text().partition("PPid:")[2].split()[0]
print(int(parent) == os.getpid(), "Threads:\\t1\\n" in Path(f"/proc/{program.pid}/status").read_text())
ours.send(messages.pack_job(messages.Job(messages.JUDGE, 7, False, messages.UNSCORED, harmless())))
number, judged = messages.unpack_answer(ours.recv(messages.ANSWER_MAX))
print(number, judged._replace(seconds=0.0))
ours.close()
print(program.wait(20))
print(program.args[2] not in words)
"""


def test_what_looks_at_pictures_is_what_an_executed_one_is(
    starter: Starter, executed: list[Sequence[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tests.support.forkserver.LINES", {JUDGES})
    said = []
    for here in (False, True):
        monkeypatch.setattr(starter, "here", here)
        command = [sys.executable, "-c", JUDGES, str(tmp_path)]
        done = subprocess.run(command, cwd=ROOT, env=PLAIN, capture_output=True, text=True, check=False, timeout=30)
        assert (done.returncode, done.stderr) == (0, "")
        *found, forked = done.stdout.splitlines()
        assert forked == str(here)
        said.append(found)
    assert said[0] == said[1]
    assert '"ready":0' in said[1][0]
    assert len(executed) == 1

"""What the process may do, tried in a process of its own."""

import subprocess
import sys

import pytest

from server.ops.process import process_setup
from server.ops.process.listening_sockets import StartError
from tests.server.site.web.servers import ROOT

TRIED = """
import ctypes, resource
from server.ops.process import process_setup as allowance
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 200))
print(allowance.raise_descriptors(), resource.getrlimit(resource.RLIMIT_NOFILE))
libc = ctypes.CDLL(None)
before = libc.prctl(3, 0, 0, 0, 0)  # PR_GET_DUMPABLE
allowance.forbid_dumps()
print(before, libc.prctl(3, 0, 0, 0, 0))
"""


def test_the_soft_limit_becomes_the_hard_one_and_nothing_may_be_dumped() -> None:
    said = subprocess.run([sys.executable, "-c", TRIED], capture_output=True, text=True, check=True)
    assert said.stdout.splitlines() == ["200 (200, 200)", "1 0"]


NAMED = """
import sys
from pathlib import Path
from server.ops.process.process_setup import name_process
name_process(sys.argv[1])
print(Path("/proc/self/comm").read_text().strip())
print(Path("/proc/self/cmdline").read_bytes().rstrip(bytes(1)).decode())
print(sys.argv[1:], Path("/proc/self/environ").read_bytes().startswith(b"KEPT=1"))
"""


@pytest.mark.parametrize(
    ("role", "comm"),
    [
        ("server", "serendip server"),
        ("worker 12", "serendip w12"),
        ("hub", "serendip hub"),
        ("supervisor", "serendip superv"),
    ],
)
def test_a_process_is_named_by_its_role(role: str, comm: str) -> None:
    words = [sys.executable, "-c", NAMED, role, "--data", "/x"]
    done = subprocess.run(words, cwd=ROOT, env={"KEPT": "1"}, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines() == [
        comm, f"serendip: {role} {role} --data /x", f"{[role, '--data', '/x']} True",
    ]  # fmt: skip


def test_a_title_that_is_longer_than_the_arguments_were_is_cut_and_goes_on_in_nothing_else() -> None:
    program = f"import sys\nsys.argv = sys.argv[:1] + ['x' * 10_000]\nsys.argv[1:1] = ['hub']\n{NAMED}"
    words = [sys.executable, "-c", program]
    done = subprocess.run(words, cwd=ROOT, env={"KEPT": "1"}, capture_output=True, text=True, timeout=60, check=True)
    _, title, said = done.stdout.splitlines()
    assert title.startswith("serendip: hub hub xxx")
    assert len(title) == len("\0".join(words))
    assert said.endswith("True")


YIELDING = """
import os, sys
from server.ops.process.process_setup import yield_soon
yield_soon()
if os.fork() == 0:
    print(sys.getswitchinterval(), flush=True)
    os._exit(0)
os.wait()
print(sys.getswitchinterval())
"""


def test_a_thread_that_computes_yields_soon_in_children_too() -> None:
    words = [sys.executable, "-c", YIELDING]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert [round(float(line), 6) for line in done.stdout.splitlines()] == [0.0001, 0.0001]


def test_what_the_kernel_refuses_is_an_error() -> None:
    with pytest.raises(StartError, match="prctl 9999: Invalid argument"):
        process_setup._set(9999, 1)

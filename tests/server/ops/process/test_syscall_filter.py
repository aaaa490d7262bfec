"""Test the filter of system calls: a call that is not allowed fails, an allowed one works, and a system without filters is recognised."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from server.ops.process import syscall_filter as module
from server.ops.process.syscall_filter import COMPUTE, DESCRIPTORS, READING, Only, SyscallFilter

ROOT = Path(module.__file__).parents[3]
SETUP = """
import mmap, os, socket, sys
from server.ops.process.syscall_filter import COMPUTE, DESCRIPTORS, READING, SyscallFilter
def tried(name, what):
    try:
        what()
    except OSError as error:
        print(name, error.errno)
    else:
        print(name, "done")
def anonymous(rights):
    return mmap.mmap(-1, 4096, prot=rights)
"""
TRIES = """
tried("socket", socket.socket)
tried("fork", os.fork)
tried("exec", lambda: os.execv("/bin/true", ["true"]))
tried("kill", lambda: os.kill(os.getppid(), 0))
tried("write", lambda: os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT))
tried("append", lambda: os.open("/etc/passwd", os.O_RDONLY | os.O_APPEND))
tried("read", lambda: os.open("/etc/passwd", os.O_RDONLY))
tried("memory", lambda: anonymous(mmap.PROT_READ | mmap.PROT_WRITE))
tried("code", lambda: anonymous(mmap.PROT_READ | mmap.PROT_EXEC))
"""


def results(allowed: str, folder: Path) -> dict[str, str]:
    """Return the result of each try in a process with these calls."""
    code = f"{SETUP}\nassert SyscallFilter({allowed}).install() == ''\n{TRIES}"
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder / "new")], cwd=ROOT, capture_output=True, check=True, text=True
    )
    return dict(line.split() for line in done.stdout.splitlines())  # type: ignore[misc]


def test_all_but_the_allowed_calls_fail_and_those_with_a_condition_as_it_says(tmp_path: Path) -> None:
    refused = dict.fromkeys(("socket", "fork", "exec", "kill", "write", "append", "read", "code"), "1")
    assert results("(*COMPUTE, *DESCRIPTORS)", tmp_path) == {**refused, "memory": "done"}
    assert results("(*COMPUTE, *DESCRIPTORS, *READING)", tmp_path) == {**refused, "memory": "done", "read": "done"}
    assert not list(tmp_path.iterdir())


def test_a_name_that_is_no_call_is_refused_at_once() -> None:
    for allowed in ("raed", Only("opne", 1, 3)):
        with pytest.raises(ValueError, match="no system call"):
            SyscallFilter((*COMPUTE, *DESCRIPTORS, *READING, allowed))


def reason(code: str) -> str:
    """Return the result of `install` in a process that has run this code."""
    code = f"{SETUP}\nfrom server.ops.process import syscall_filter\n{code}\nprint(SyscallFilter((*COMPUTE, *DESCRIPTORS)).install())"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True, text=True)
    return done.stdout.strip()


def test_a_system_without_filters_is_told_by_its_reason() -> None:
    assert reason("") == ""
    assert reason("syscall_filter._LIBRARY = 'libnone.so'") == "library"
    # The first filter allows no call that loads a second one: a kernel that refuses.
    assert reason("SyscallFilter((*COMPUTE, *DESCRIPTORS, *READING)).install()") in errno.errorcode.values()

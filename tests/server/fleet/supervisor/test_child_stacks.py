"""Real processes that hang or crash: where each thread was is read after their death, whatever holds the interpreter."""

import ctypes
import itertools
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from server.fleet.supervisor import child_stacks
from server.fleet.supervisor.child_stacks import FRAMES_MAX, MAIN, STACKS_SIGNAL, ThreadStack
from tests.server.fleet.processes.forked import until

LONG = 1_000  # seconds
Say = Callable[[], object]


def compute(say: Say) -> None:
    """A loop in C that never gives back the interpreter."""
    say()
    all(itertools.repeat(True))


def block(say: Say) -> None:
    """A call that sleeps and keeps the interpreter."""
    say()
    ctypes.PyDLL(None).sleep(LONG)


def sleep(say: Say) -> None:
    """A call that sleeps without it."""
    say()
    time.sleep(LONG)


def crash(say: Say) -> None:
    """Ends by a fault in C."""
    say()
    os.abort()


def recurse(say: Say, left: int = 150) -> None:
    """More frames than are read."""
    if left:
        recurse(say, left - 1)
    sleep(say)


def run(does: Callable[[Say], None], *, ends: bool = False) -> tuple[int, list[ThreadStack]]:
    """The exit status and stacks of a process that registered and does that, with a second thread that sleeps."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if not pid:
        beside = threading.Event()
        threading.Thread(target=sleep, args=(beside.set,), daemon=True).start()
        beside.wait()
        pipe = child_stacks.register()
        does(lambda: socket.send_fds(theirs, [b"x"], [pipe]))
        os._exit(0)
    theirs.close()
    _, (pipe,), _, _ = socket.recv_fds(ours, 1, 1)
    ours.close()
    if not ends:
        until(lambda: is_within(pid))
        os.kill(pid, STACKS_SIGNAL)
    try:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), child_stacks.read(pipe)
    finally:
        os.close(pipe)


def is_within(pid: int) -> bool:
    """Whether the main thread of a process sleeps, or has computed for a while."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "S" or cpu_time(pid) > 0.05


def cpu_time(pid: int) -> float:
    """The seconds of all threads of a process, by its clock (clock_getcpuclockid(3))."""
    return time.clock_gettime(~pid << 3 | 2)


def functions(stack: ThreadStack) -> list[str]:
    """The functions of a thread, innermost first."""
    return [place.split(" ")[1] for place in stack.where.split(" < ")]


@pytest.mark.parametrize("hangs", [compute, block, sleep])
def test_a_process_that_hangs_writes_where_each_of_its_threads_is_and_dies_of_it(hangs: Callable[[Say], None]) -> None:
    status, (main, other) = run(hangs)
    assert status == -STACKS_SIGNAL
    assert main.what == MAIN
    assert hangs.__name__ in functions(main)
    assert main.where.split(" < ")[functions(main).index(hangs.__name__)].startswith("test_child_stacks.py:")
    assert "sleep" in functions(other)


def test_a_process_that_crashes_writes_it_as_well() -> None:
    status, stacks = run(crash, ends=True)
    assert status == -signal.SIGABRT
    assert functions(stacks[0])[0] == "crash"


def test_the_innermost_places_of_a_deep_stack_are_read() -> None:
    _, (main, _) = run(recurse)
    assert functions(main)[-1] == "recurse"
    assert len(functions(main)) == FRAMES_MAX


def test_a_process_that_wrote_nothing_or_nonsense_has_no_stacks() -> None:
    ours, pipe = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    assert child_stacks.read(ours) == [], "nothing, and it is not waited for"
    os.write(pipe, b"\xff\nThread 0x12 (most recent call first):\n  <no Python frame>\n  File\n\n")
    assert child_stacks.read(ours) == []
    os.close(pipe)
    assert child_stacks.read(ours) == []
    os.close(ours)


def test_newer_interpreters_name_threads() -> None:
    ours, pipe = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    text = (
        'Thread 0x00007f01 [log] (most recent call first):\n  File "/a/b.py", line 7 in write\n  File "<string>", line ??? in <module>\n\n'
        f'Current thread 0x{threading.get_ident():016x} [python] (most recent call first):\n  File "/x y/c.py", line 9 in run\n  ...\n'
    )
    os.write(pipe, text.encode())
    assert child_stacks.read(ours) == [(MAIN, "c.py:9 run"), ("thread 1", "b.py:7 write < <string>:??? <module>")]
    os.close(pipe)
    os.close(ours)

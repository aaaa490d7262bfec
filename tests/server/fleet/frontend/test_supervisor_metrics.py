"""A supervisor that lives, stands still or is gone, as a child of it sees that."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import IO

import pytest

from tests.server.site.web.servers import ROOT
from tests.support.users import needs_root

# A process whose child is a frontend: it says at each line that it reads how its parent stands, and what it knows of it.
CHILD = """
import json, os, sys
from server.ops.process import process_setup as allowance
from server.ops.process.cpu_time import Meter
from server.fleet.frontend.supervisor_metrics import SupervisorStatus
allowance.forbid_dumps()
meter = Meter.of_self()
if os.fork():
    os.wait()
    sys.exit()
parent = SupervisorStatus(meter)
print(os.getppid(), flush=True)
for _ in sys.stdin:
    said = parent.reading()
    assert (said["serendip_process_up"][("supervisor",)] == 0) == bool(parent.unwell())
    print(json.dumps([said["serendip_process_up"][("supervisor",)], sorted(name for name in said)]), flush=True)
"""


class Family:
    """A supervisor that does nothing, and its child that looks at it."""

    def __init__(self, *before: str) -> None:
        self._parent = subprocess.Popen(
            [*before, sys.executable, "-c", CHILD],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        pid = int(self._said())
        assert before or pid == self._parent.pid

    def _pipe(self, pipe: IO[bytes] | None) -> IO[bytes]:
        assert pipe is not None
        return pipe

    def _said(self) -> bytes:
        return self._pipe(self._parent.stdout).readline()

    def look(self) -> bytes:
        """What the child says now."""
        ask = self._pipe(self._parent.stdin)
        ask.write(b"\n")
        ask.flush()
        return self._said().strip()

    def signal(self, number: signal.Signals) -> None:
        """To the supervisor; it is waited for until it has it."""
        self._parent.send_signal(number)
        flags = os.WSTOPPED | os.WCONTINUED | os.WEXITED | os.WNOWAIT
        os.waitid(os.P_PID, self._parent.pid, flags)

    def end(self) -> None:
        """Both."""
        for pipe in (self._parent.stdin, self._parent.stdout):
            self._pipe(pipe).close()
        self._parent.kill()
        self._parent.wait(20)


@pytest.fixture
def family() -> Iterator[Family]:
    made = Family()
    yield made
    made.end()


def test_a_supervisor_that_lives_is_up_and_what_it_takes_is_known(family: Family) -> None:
    said = family.look()
    assert said.startswith(b"[1.0, ")
    for what in (b"cpu_seconds", b"resident_memory_bytes", b"start_time_seconds"):
        assert b'"serendip_process_' + what + b'"' in said


def test_one_that_stands_still_is_not_up_and_up_again_when_it_goes_on(family: Family) -> None:
    family.signal(signal.SIGSTOP)
    assert family.look().startswith(b"[0.0, ")
    family.signal(signal.SIGCONT)
    assert family.look().startswith(b"[1.0, ")


def test_one_that_is_dead_is_not_up_and_nothing_is_said_of_who_has_its_number(family: Family) -> None:
    family.signal(signal.SIGKILL)
    assert family.look() == b'[0.0, ["serendip_process_up"]]'


@needs_root
def test_one_that_lives_is_up_also_where_processes_are_hidden_from_each_other() -> None:
    mounts = 'mount -t proc -o hidepid=2 proc /proc && exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"'
    family = Family("unshare", "-m", "-p", "-f", "--mount-proc", "sh", "-c", mounts, "sh")
    try:
        assert (
            family.look()
            == b'[1.0, ["serendip_cpu_wait_seconds", "serendip_process_cpu_seconds", "serendip_process_up"]]'
        )
    finally:
        family.end()

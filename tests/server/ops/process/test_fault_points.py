"""A test can end or stop a process at a point that it names, and nothing else can."""

import os
import signal
import subprocess
import sys

import pytest

from server.ops.process import fault_points

RUN = "from server.ops.process import fault_points as faults\nfor _ in range(3): faults.at('took'); print('on', flush=True)"


@pytest.mark.parametrize(
    ("named", "status", "times"),
    [("", 0, 3), ("sent", 0, 3), ("took", -signal.SIGKILL, 0), ("took:3", -signal.SIGKILL, 2)],
)
def test_a_process_ends_where_it_was_told_and_nowhere_else(named: str, status: int, times: int) -> None:
    environment = {**os.environ, fault_points.VARIABLE: named}
    ran = subprocess.run([sys.executable, "-c", RUN], env=environment, capture_output=True, check=False, timeout=20)
    assert (ran.returncode, ran.stdout.count(b"on")) == (status, times)


def test_a_process_is_stopped_once_where_it_was_told_and_goes_on() -> None:
    environment = {**os.environ, fault_points.VARIABLE: "took:2:stop"}
    with subprocess.Popen([sys.executable, "-c", RUN], env=environment, stdout=subprocess.PIPE) as ran:
        _, status = os.waitpid(ran.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        os.kill(ran.pid, signal.SIGCONT)
        said, _ = ran.communicate(timeout=20)
    assert (ran.returncode, said.count(b"on")) == (0, 3)

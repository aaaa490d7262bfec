"""A process as its supervisor has it: what it says is read in order, nonsense is left out, and who takes nothing is killed."""

import os
import signal
import socket
import threading
from collections.abc import Iterator

import pytest

from server.fleet.ipc.ipc_link import HEAD, MESSAGE_MAX, WIRE, Kind, body_of
from server.fleet.supervisor.child_process import READS, THREADS_MAX, Child
from server.ops.process.cpu_time import Meter
from tests.server.fleet.processes.forked import until


class Made:
    """A process that does nothing, and its end of the link, which the test has."""

    def __init__(self) -> None:
        ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        pid = os.fork()
        if not pid:
            signal.pause()
            os._exit(0)
        self.child = Child("worker 1", pid, ours, 0.0)

    def says(self, kind: int, *records: object) -> None:
        size, body = body_of(records)
        self.theirs.send(HEAD.pack(WIRE, kind, len(records), 1, size) + body)

    def end(self) -> int:
        status = os.waitstatus_to_exitcode(os.waitpid(self.child.pid, 0)[1])
        self.child.close()
        self.theirs.close()
        return status


@pytest.fixture
def made() -> Iterator[Made]:
    one = Made()
    yield one
    one.child.kill(signal.SIGKILL)
    one.end()


def test_what_it_says_is_read_in_order_and_so_much_at_a_time(made: Made) -> None:
    for number in range(READS + 2):
        made.says(Kind.SIGN, number)
    assert [said.records for said in made.child.read()] == [[number] for number in range(READS)]
    assert [said.records for said in made.child.read()] == [[READS], [READS + 1]]
    assert list(made.child.read()) == []


def test_what_is_no_message_or_too_long_is_left_out(made: Made) -> None:
    for data in (b"x", bytes(HEAD.size), bytes(HEAD.size) + b"{", bytes(HEAD.size) + b"[]"):
        made.theirs.send(data)
    made.says(Kind.UP)
    assert [(said.kind, said.records) for said in made.child.read()] == [(0, []), (Kind.UP, [])]
    made.says(Kind.SIGN, "x" * MESSAGE_MAX)
    assert list(made.child.read()) == []


def test_a_report_of_any_size_that_a_process_sends_is_read(made: Made) -> None:
    """The hub's names all hosts."""
    report = {"cluster": {"hosts": ["x" * 100] * 1_500}}
    made.says(Kind.SIGN, report)
    assert [(said.kind, said.records) for said in made.child.read()] == [(Kind.SIGN, [report])]


def test_who_takes_nothing_is_killed_as_one_that_hangs(made: Made) -> None:
    other = Made()
    for _ in range(10_000):
        if other.child.why:
            break
        other.child.tell(Kind.DEAD, "x" * 1000)
    assert other.child.why == "hung"
    assert other.end() == -signal.SIGKILL


def test_threads_are_measured_until_they_end_and_not_more_than_a_process_has(made: Made) -> None:
    ends = threading.Event()
    thread = threading.Thread(target=ends.wait)
    thread.start()
    lasting, ending = Meter.of_self(), Meter.of_self(thread.native_id)
    assert lasting is not None
    assert ending is not None
    made.child.measure(0, list(ending.descriptors))
    for number in range(1, THREADS_MAX + 1):
        made.child.measure(number, list(lasting.descriptors))
    assert set(made.child.samples()) == set(range(THREADS_MAX))
    ends.set()
    thread.join()
    until(lambda: ending.read() is None)
    made.child.measure(THREADS_MAX, list(lasting.descriptors))
    assert set(made.child.samples()) == set(range(1, THREADS_MAX + 1))
    for meter in (lasting, ending):
        meter.close()


def test_a_dead_one_can_be_told_and_read_and_killed_as_well() -> None:
    one = Made()
    one.child.end("link")
    one.child.end("hung")
    assert one.child.why == "link", "the first reason is the one"
    os.waitid(os.P_PID, one.child.pid, os.WEXITED | os.WNOWAIT)
    one.theirs.close()
    one.child.tell(Kind.DEAD, "worker 2")
    one.child.kill(signal.SIGTERM)
    assert list(one.child.read()) == []
    assert one.child.closed
    os.waitpid(one.child.pid, 0)
    one.child.close()

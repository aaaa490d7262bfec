"""A process is read by descriptors that it opened itself: its state, what it ran, what it waited, also where it is hidden and after its death."""

import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from server.ops.process import cpu_time
from server.ops.process.cpu_time import Meter, ThreadMeters, had_core
from tests.server.fleet.processes.forked import until
from tests.server.site.web.servers import ROOT
from tests.support.users import needs_root

# As the service's user under `ProtectProc=invisible`: prints what the folder of a child shows, and the state that the child's own descriptors show.
HIDDEN = """
import os, socket
from server.ops.process import process_setup as allowance
from server.ops.process.cpu_time import Meter
allowance.forbid_dumps()
ours, theirs = socket.socketpair()
pid = os.fork()
if not pid:
    meter = Meter.of_self()
    socket.send_fds(theirs, [b"x"], meter.descriptors)
    theirs.recv(1)
    os._exit(0)
theirs.close()
descriptors = socket.recv_fds(ours, 1, 2)[1]
print(os.path.exists(f"/proc/{pid}/stat"), Meter(*descriptors).read() is not None)
os.kill(pid, 9)
os.waitpid(pid, 0)
"""


def test_what_a_process_runs_is_counted_and_its_state_is_seen() -> None:
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if not pid:
        meter = Meter.of_self()
        if meter is None:
            os._exit(1)
        socket.send_fds(theirs, [b"x"], meter.descriptors)
        while True:
            pass
    _, descriptors, _, _ = socket.recv_fds(ours, 1, 2)
    meter = Meter(*descriptors)
    try:
        before = after = meter.read()
        assert before is not None
        end = time.monotonic() + 20
        while after is None or after.ran < before.ran + 0.05:
            assert time.monotonic() < end
            after = meter.read()
        assert after.state == "R"
        assert 0.05 <= had_core(before, after) <= after.at - before.at
        os.kill(pid, signal.SIGSTOP)
        os.waitid(os.P_PID, pid, os.WSTOPPED)
        stopped = meter.read()
        assert stopped is not None
        assert stopped.state == "T"
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    assert meter.read() is None, "it is dead"
    meter.close()
    ours.close()
    theirs.close()


def test_a_thread_that_begins_has_a_meter_of_its_own_once() -> None:
    meters, end = ThreadMeters(), threading.Event()
    assert os.getpid() not in meters.of_new(), "the main thread's is `of_self`"
    thread = threading.Thread(target=end.wait)
    thread.start()
    assert thread.native_id is not None
    passed = Meter(*(os.dup(one) for one in meters.of_new()[thread.native_id].descriptors))
    assert thread.native_id not in meters.of_new()
    meters.close()
    assert passed.read() is not None
    end.set()
    thread.join()
    until(lambda: passed.read() is None)
    assert Meter.of_self(thread.native_id) is None
    passed.close()


def test_a_thread_whose_files_could_not_be_opened_has_its_meter_at_the_next_call() -> None:
    meters, end = ThreadMeters(), threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
        try:
            failed = meters.of_new()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        assert failed == {}
        assert thread.native_id in meters.of_new()
        assert thread.native_id not in meters.of_new()
    finally:
        meters.close()
        end.set()
        thread.join()


@needs_root
def test_a_process_whose_folder_is_hidden_is_read_all_the_same() -> None:
    mounts = 'mount -t proc -o hidepid=2 proc /proc && exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"'
    words = ["unshare", "-m", "-p", "-f", "--mount-proc", "sh", "-c", mounts, "sh", sys.executable, "-c", HIDDEN]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.split() == ["False", "True"], done.stderr


@pytest.mark.parametrize(
    ("files", "share"),
    [
        ({}, 1.0),
        ({"cpu.max": "max 100000"}, 1.0),
        ({"cpu.max": "200000 100000"}, 1.0),
        ({"cpu.max": "50000 100000"}, 0.5),
        ({"cpu.max": "max 100000", "a/cpu.max": "25000 100000"}, 0.25),
    ],
)
def test_a_quota_of_control_groups_is_the_share_of_a_core_that_can_be_had(
    files: dict[str, str], share: float, tmp_path: Path
) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert cpu_time.core_share(tmp_path, "0::/a/b\n") == share


def test_what_is_no_quota_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text("nonsense")
    assert cpu_time.core_share(tmp_path, "0::/\n") == 1.0
    assert cpu_time.core_share(tmp_path, "1:cpu:/old\n") == 1.0
    assert 0 < cpu_time.core_share() <= 1

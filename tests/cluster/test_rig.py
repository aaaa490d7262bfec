"""What the rig's own parts do: packets are dropped, ways and links cut, clocks set; what a killed run left goes away."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import nets
from tests.cluster.clock import Clock, built
from tests.cluster.drops import Drops
from tests.cluster.nets import Machine, Nets

pytestmark = pytest.mark.timeout(300)  # networks are made and removed while no browser window is open
PORT = 999


@pytest.fixture(scope="module")
def two() -> Iterator[tuple[Machine, Machine]]:
    if why := nets.lacking():
        pytest.skip(why)
    made = Nets("t")
    try:
        yield made.machine(), made.machine()
    finally:
        made.close()


def test_what_one_sends_is_dropped_and_what_comes_back_is_not(two: tuple[Machine, Machine]) -> None:
    one, other = two
    drops = Drops(other)
    with other.inside():
        listening = socket.create_server((other.private, PORT))
    with listening:
        assert nets.reaches(one, (other.private, PORT))
        drops.set(senders=[one])
        assert not nets.reaches(one, (other.private, PORT), within=0.3)
        drops.set(senders=[other])
        assert nets.reaches(one, (other.private, PORT))
        drops.set()
        one.up(link=False)
        assert not nets.reaches(one, (other.private, PORT), within=0.3)
        one.up(link=True)
        assert nets.reaches(one, (other.private, PORT))


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_share_of_all_packets_is_dropped(two: tuple[Machine, Machine], share: float) -> None:
    one, other = two
    drops = Drops(other)
    with one.inside():
        sending = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with other.inside():
        hearing = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sending, hearing:
        hearing.bind((other.private, PORT))
        hearing.setblocking(False)
        sending.sendto(b"who is that?", (other.private, PORT))  # addresses of links are asked for first
        while not _came(hearing):
            pass
        drops.set(share)
        came = 0
        for _ in range(1000):
            sending.sendto(b"x", (other.private, PORT))
            came += _came(hearing)  # it is there, or never will be
        drops.set()
    assert came == pytest.approx(1000 * (1 - share), abs=100 if 0 < share < 1 else 0)


def _came(hearing: socket.socket) -> bool:
    try:
        return bool(hearing.recv(9))
    except BlockingIOError:
        return False


def test_a_way_into_nowhere_is_there_and_gone(two: tuple[Machine, Machine]) -> None:
    one, other = two
    with other.inside():
        listening = socket.create_server((other.private, PORT))
    with listening:
        one.black_hole(other, there=True)
        assert not nets.reaches(one, (other.private, PORT), within=0.3)
        one.black_hole(other, there=False)
        assert nets.reaches(one, (other.private, PORT))


def test_a_clock_is_set_while_a_process_runs(tmp_path: Path) -> None:
    clock = Clock(built(tmp_path), tmp_path / "clock")
    asked = "import time\nwhile input() != 'end': print(time.time(), time.monotonic(), flush=True)"
    with subprocess.Popen(
        [sys.executable, "-c", asked],
        env={**os.environ, **clock.environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdin is not None
        assert program.stdout is not None

        def told() -> tuple[float, float]:
            print("now", file=program.stdin, flush=True)
            wall, counting = program.stdout.readline().split()  # type: ignore[union-attr]
            return float(wall), float(counting)

        wall, counting = told()
        clock.set(-3600)
        later, further = told()
        assert 0 <= further - counting < 600
        assert wall - 3600 <= later < wall - 3000
        print("end", file=program.stdin, flush=True)


def test_a_thread_that_was_begun_on_a_machine_is_noticed_since_it_stays_there(two: tuple[Machine, Machine]) -> None:
    go = threading.Event()
    thread = threading.Thread(target=go.wait)
    with pytest.raises(RuntimeError, match="stay in another network"), two[0].inside():
        thread.start()
    go.set()
    thread.join()
    while Path(f"/proc/self/task/{thread.native_id}").exists():
        os.sched_yield()  # the system lets it go a moment later
    with two[0].inside():
        subprocess.run(["true"], check=True)


def test_what_a_run_left_that_was_killed_is_removed_by_the_next(two: tuple[Machine, Machine]) -> None:
    leaves = (
        "import os, signal, subprocess\n"
        "from tests.cluster.nets import Nets\n"
        "nets = Nets('l')\n"
        "with nets.machine().inside(): program = subprocess.Popen(['sleep', '600'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
        "print(program.pid, nets.name, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    root = Path(__file__).resolve().parents[2]
    ran = subprocess.run([sys.executable, "-c", leaves], cwd=root, capture_output=True, text=True, check=False)
    pid, name = ran.stdout.split()
    assert Path(f"/proc/{pid}").exists()
    assert f"{name}-1" in nets.sweep()
    assert not nets._runs(int(pid))
    assert not [one for one in nets._names() if one.startswith(name)]
    assert two[0].name in nets._names()  # whose process lives

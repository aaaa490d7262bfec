"""Real processes that hang, or whose link breaks: they are killed and started anew, and none is for what the machine did."""

import asyncio
import ctypes
import itertools
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from server.fleet.ipc.ipc_link import Kind, Message
from server.fleet.ipc.ipc_peers import FRONTEND, HUB, Peers
from server.fleet.supervisor import supervisor as module
from server.fleet.supervisor.child_process import Child
from server.fleet.supervisor.child_stacks import MAIN, STACKS_SIGNAL
from server.fleet.supervisor.control_server import ControlClients
from server.fleet.supervisor.watchdog import (
    CALM_AFTER,
    DEAD_WITHIN,
    ENDS_WITHIN,
    HANG_AFTER,
    LOOK_EVERY,
    Silence,
    Watchdog,
)
from server.ops.process.cpu_time import Sample
from tests.server.fleet.processes.forked import Life, Say, forked, told, until

WORKER, OTHER = "worker 1", "worker 2"
SOON = 0.5  # seconds
LONGER = HANG_AFTER + 1.0  # seconds


async def live(up: socket.socket, say: Say) -> int:
    """Says who joined and who died. By SIGUSR1 its link to the worker ends; a message makes it say which deaths it knows of."""

    def hear(name: str, _: Message) -> None:
        say("deaths", sorted([*key, count] for key, count in peers.deaths.items()))

    peers = Peers(
        up, {Kind.LOAD: hear}, lambda name: say("joined", name), lambda name: say("dead", name), asyncio.Event().set
    )
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, lambda: peers._links[WORKER].close())
    loop.add_signal_handler(signal.SIGUSR2, lambda: peers.send(FRONTEND, Kind.LOAD, 1))
    peers.ready()
    say("lives")
    await told(signal.SIGTERM).wait()
    peers.close()
    return 0


ALL: dict[str, Life] = {HUB: live, FRONTEND: live, WORKER: live}


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that dies young is started anew at once, too."""
    monkeypatch.setattr(module, "AGAIN_AFTER", 0.0)
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)


@pytest.mark.parametrize("name", [HUB, FRONTEND, WORKER])
def test_who_hangs_is_killed_and_started_anew_and_the_others_go_on(name: str) -> None:
    with forked(ALL) as host:
        host.hear("supervisor", None, "ready")
        pids = {one: host.hear(one, None, "lives")[1] for one in ALL}
        host.kill(pids[name], signal.SIGSTOP)
        assert host.hear(name, None, "lives")[1] != pids[name]
        for other in set(ALL) - {name}:
            assert host.hear(other, None, "dead", name)[1] == pids[other]
            host.hear(other, pids[other], "joined", name)


def test_it_is_counted_as_what_it_was_and_a_frontend_that_comes_later_is_told_too() -> None:
    with forked(ALL) as host:
        host.hear("supervisor", None, "ready")
        pids = {one: host.hear(one, None, "lives")[1] for one in ALL}
        for number in (signal.SIGSTOP, signal.SIGKILL):
            host.kill(pids[WORKER], number)
            pids[WORKER] = host.hear(WORKER, None, "lives")[1]
        host.hear(HUB, None, "joined", FRONTEND)  # that of the beginning
        host.kill(pids[FRONTEND])
        frontend = host.hear(FRONTEND, None, "lives")[1]
        host.hear(HUB, None, "joined", FRONTEND)  # to nobody it could say a thing
        wanted = [[FRONTEND, "ended", 1], [WORKER, "ended", 1], [WORKER, "hung", 1]]

        def is_told() -> bool:
            host.kill(pids[HUB], signal.SIGUSR2)
            return bool(host.hear(FRONTEND, frontend, "deaths")[3] == wanted)

        until(is_told)


def test_nobody_is_killed_for_a_time_in_which_the_whole_machine_stood_still() -> None:
    with forked(ALL) as host:
        host.hear("supervisor", None, "ready")
        pids = {one: host.hear(one, None, "lives")[1] for one in ALL}
        for pid in (host.pid, *pids.values()):
            host.kill(pid, signal.SIGSTOP)
        end = time.monotonic() + LONGER
        until(lambda: time.monotonic() > end)
        for pid in (host.pid, *pids.values()):
            host.kill(pid, signal.SIGCONT)
        host.kill(pids[HUB], signal.SIGSTOP)  # by its death the others would be dead too, if they were blamed
        host.hear(HUB, None, "lives")
        host.kill(host.pid, signal.SIGTERM)
        assert [what for name, _, what, *_ in host.rest() if what == "lives" and name != HUB] == []


async def lingering(up: socket.socket, say: Say) -> int:
    """By SIGTERM it closes all its links, as at its end, and takes longer for the rest than a broken link is given."""
    peers = Peers(up, {}, lambda _: None, lambda _: None, asyncio.Event().set)
    peers.ready()
    say("lives")
    await told(signal.SIGTERM).wait()
    peers.close()
    time.sleep(1.5 * DEAD_WITHIN)  # noqa: ASYNC251 - as a process that has much to free
    say("ends")
    return 0


def test_who_is_slow_to_end_costs_nobody_younger_their_life() -> None:
    with forked({HUB: live, FRONTEND: lingering, WORKER: live}) as host:
        host.hear("supervisor", None, "ready")
        pids = {one: host.hear(one, None, "lives")[1] for one in ALL}
        host.kill(pids[FRONTEND], signal.SIGTERM)
        host.hear(FRONTEND, None, "ends")
        host.hear(FRONTEND, None, "lives")
        for one in (HUB, WORKER):
            assert host.hear(one, None, "dead", FRONTEND)[1] == pids[one]
            host.hear(one, pids[one], "joined", FRONTEND)


def stuck_once(folder: Path) -> Life:
    """Lives; its second start does not come to serve."""

    async def life(up: socket.socket, say: Say) -> int:
        mark = folder / "starts"
        starts = mark.read_text() if mark.exists() else ""
        mark.write_text(f"{starts}x")
        if starts != "x":
            return await live(up, say)
        peers = Peers(up, {}, lambda _: None, lambda _: None, asyncio.Event().set)
        say("stuck")
        await asyncio.Event().wait()
        peers.close()
        return 0

    return life


@pytest.mark.parametrize("name", [HUB, WORKER])
def test_who_does_not_come_to_serve_is_killed_counted_and_begun_again(name: str, tmp_path: Path) -> None:
    with forked({**ALL, name: stuck_once(tmp_path)}, watch=Watchdog(start_within=2.0)) as host:
        host.hear("supervisor", None, "ready")
        pids = {one: host.hear(one, None, "lives")[1] for one in ALL}
        host.kill(pids[name])
        stuck = host.hear(name, None, "stuck")[1]
        assert host.hear(name, None, "lives")[1] != stuck
        wanted = [[name, "ended", 1], [name, "start", 1]]

        def is_told() -> bool:
            host.kill(pids[WORKER if name == HUB else HUB], signal.SIGUSR2)
            return bool(host.hear(FRONTEND, None, "deaths")[3] == wanted)

        until(is_told)


def test_who_dies_again_and_again_is_begun_again_after_longer_and_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AGAIN_AFTER", 1.0)
    host = module.Supervisor({}, 1.0, lambda: None, lambda _: None, ControlClients(None))
    child = Child(WORKER, os.getpid(), socket.socket(), 0.0)
    waits = []
    for _ in range(9):
        host._again(child)
        waits.append(round(host._due[WORKER] - time.monotonic()))
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    child.ready, child.started = True, time.monotonic() - 3 * module.YOUNG
    host._again(child)
    child.started = time.monotonic()
    host._again(child)
    assert round(host._due[WORKER] - time.monotonic()) == 1
    child.close()


async def slow(up: socket.socket, say: Say) -> int:
    """Its start keeps its loop from turning."""
    time.sleep(LONGER)  # noqa: ASYNC251 - that is the point
    return await live(up, say)


def test_who_starts_may_take_its_time() -> None:
    with forked({**ALL, FRONTEND: slow}) as host:
        host.hear("supervisor", None, "ready")
        host.kill(host.pid, signal.SIGTERM)
        assert [line[0] for line in host.rest() if line[2] == "lives"].count(FRONTEND) <= 1
        assert host.status() == 0


def test_of_two_that_live_without_a_link_the_younger_is_killed() -> None:
    with forked({**ALL, OTHER: live}) as host:
        host.hear("supervisor", None, "ready")
        pids = {one: host.hear(one, None, "lives")[1] for one in (HUB, FRONTEND, WORKER, OTHER)}
        host.hear(OTHER, None, "joined", WORKER)  # it has a link that can end
        host.kill(pids[OTHER], signal.SIGUSR1)
        again = host.hear(OTHER, None, "lives")[1]
        assert host.hear(WORKER, None, "dead", OTHER)[1] == pids[WORKER]
        host.hear(OTHER, again, "joined", WORKER)
        assert Path(f"/proc/{pids[WORKER]}").exists()
        assert not Path(f"/proc/{pids[OTHER]}").exists()


Read = tuple[float, str, float, float]  # the fields of a `Sample`


def of(*threads: Sequence[Read]) -> Silence:
    """What is known of a process of whose threads these were read, at the same times."""
    first, *later = [
        {number: Sample(*sample) for number, sample in enumerate(look)} for look in zip(*threads, strict=True)
    ]
    silence = Silence(first[0].at, first)
    for look in later:
        silence.look(look[0].at, look)
    return silence


@pytest.mark.parametrize(
    ("samples", "own"),
    [
        pytest.param([(0, "R", 0, 0), (1, "R", 1.0, 0), (2, "R", 2.0, 0)], 2.0, id="spins on a core of its own"),
        pytest.param([(0, "R", 0, 0), (1, "R", 0.1, 0.5), (2, "R", 0.2, 0.8)], 0.2, id="spins, and has a tenth of one"),
        pytest.param(
            [(0, "R", 0, 0), (2, "R", 0, 0)], 0.0, id="waits all the time: the kernel adds that when it is over"
        ),
        pytest.param([(0, "S", 0, 0), (2, "S", 0, 0)], 2.0, id="sleeps, and is woken by nothing"),
        pytest.param([(0, "S", 0, 0), (2, "S", 0.1, 1.5)], 0.5, id="slept between long waits"),
        pytest.param([(0, "R", 0, 0), (2, "T", 0, 0)], 2.0, id="is stopped by a signal"),
        pytest.param([(0, "S", 0, 0), (2, "t", 0, 0)], 2.0, id="is held by a debugger"),
        pytest.param([(0, "S", 0, 0), (2, "D", 0, 0)], 2.0, id="waits for a disk"),
        pytest.param([(0, "S", 0, 0), (1, "S", 0, 3.0)], 0.0, id="waited since before the first look"),
    ],
)
def test_only_time_in_which_a_process_had_a_core_or_wanted_none_is_its_own(samples: list[Read], own: float) -> None:
    silence = of(samples)
    assert silence.own == pytest.approx(own)
    assert silence.starved == pytest.approx(samples[-1][0] - own)


@pytest.mark.parametrize(
    ("other", "own"),
    [
        pytest.param([(0, "R", 0, 0), (2, "R", 0.1, 0)], 0.1, id="computes, and has hardly a core"),
        pytest.param([(0, "S", 0, 0), (2, "S", 0.1, 1.5)], 0.5, id="waited for one"),
        pytest.param([(0, "R", 0, 0), (2, "R", 2.0, 0)], 2.0, id="computes, and has one"),
        pytest.param([(0, "S", 0, 0), (2, "S", 0, 0)], 2.0, id="sleeps too"),
    ],
)
def test_time_in_which_another_thread_had_no_core_is_not_its_own_either(other: list[Read], own: float) -> None:
    silence = of([(0, "S", 0, 0), (2, "S", 0, 0)], other)
    assert silence.own == pytest.approx(own)
    assert silence.starved == pytest.approx(2.0 - own)


def test_a_thread_that_ends_or_begins_between_two_looks_changes_nothing() -> None:
    silence = Silence(0.0, {0: Sample(0, "S", 0, 0), 1: Sample(0, "R", 0, 0)})
    silence.look(1.0, {0: Sample(1, "S", 0, 0)})
    silence.look(2.0, {0: Sample(2, "S", 0, 0), 2: Sample(2, "R", 0, 0)})
    assert silence.own == pytest.approx(2.0)


def test_what_no_sample_tells_and_what_the_supervisor_did_not_see_are_judged_by_its_clock() -> None:
    unseen = Silence(0.0, {})
    unseen.look(1.5, {})
    assert unseen.own == 1.5
    slept = Silence(0.0, {0: Sample(0.0, "S", 0.0, 0.0)})
    slept.look(0.5, {0: Sample(60.0, "S", 0.0, 0.0)})  # the machine was suspended
    assert slept.own == 0.5


def test_each_kill_doubles_the_time_that_the_next_one_of_that_name_has_until_it_was_quiet_for_long() -> None:
    watch, limits = Watchdog(), []

    def kill(name: str) -> None:
        watch.clock.now += 2 * HANG_AFTER * 64
        pid = os.fork()
        if not pid:
            signal.pause()
        child = Child(name, pid, socket.socket(), 0.0)
        child.ready = True
        limits.append(watch.limit(child) / HANG_AFTER)
        while not child.why:  # no meter: the time is its own
            watch.judge({name: child})
            watch.clock.now += 0.25
        os.waitpid(pid, 0)
        child.close()

    for _ in range(7):
        kill(WORKER)
    kill(OTHER)
    watch.clock.now += CALM_AFTER
    kill(WORKER)
    assert limits == [1, 2, 4, 8, 16, 32, 32, 1, 1]


def test_while_others_start_a_silent_process_that_serves_is_spared_and_not_longer() -> None:
    watch = Watchdog(start_within=HANG_AFTER)
    serves, starts = (Child(name, _paused(), socket.socket(), 0.0) for name in (HUB, FRONTEND))
    serves.ready = True

    def pass_time(*, patient: bool) -> None:
        for _ in range(round(2 * watch.limit(starts) / LOOK_EVERY)):
            watch.judge({HUB: serves, FRONTEND: starts}, patient=patient)
            watch.clock.now += LOOK_EVERY

    pass_time(patient=True)
    assert (serves.why, starts.why) == ("", "start"), "patience is for those who serve alone"
    pass_time(patient=False)
    assert serves.why == "hung"
    for child in (serves, starts):
        os.waitpid(child.pid, 0)
        child.close()


def test_who_has_closed_its_links_has_longer_for_its_end_and_not_for_ever() -> None:
    watch, pid = Watchdog(), _paused()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    child = Child(FRONTEND, pid, ours, 0.0)
    child.ready = True
    theirs.close()
    list(child.read())
    while not child.why:
        watch.judge({FRONTEND: child})
        watch.clock.now += LOOK_EVERY
    assert child.why == "hung"
    assert watch.clock.now == pytest.approx(ENDS_WITHIN, abs=1.5)
    os.waitpid(child.pid, 0)
    child.close()


def _paused() -> int:
    """A process that waits for a signal and says nothing; its number."""
    pid = os.fork()
    if not pid:
        signal.pause()
        os._exit(0)
    return pid


async def spinning(up: socket.socket, say: Say) -> int:
    """Lives until SIGQUIT, from which on it computes without an end."""
    asyncio.get_running_loop().add_signal_handler(signal.SIGQUIT, spin)
    return await live(up, say)


def spin() -> None:
    """Never returns."""
    while True:
        pass


async def blocking(up: socket.socket, say: Say) -> int:
    """Lives until SIGQUIT, from which on it is in a call of C that keeps the interpreter."""
    asyncio.get_running_loop().add_signal_handler(signal.SIGQUIT, block)
    return await live(up, say)


def block() -> None:
    """Returns too late, and lets no other thread run."""
    ctypes.PyDLL(None).sleep(1_000)


async def deaf(up: socket.socket, say: Say) -> int:
    """As `blocking`, and takes no signal but SIGKILL then."""

    def hang() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())
        block()

    asyncio.get_running_loop().add_signal_handler(signal.SIGQUIT, hang)
    return await live(up, say)


def test_the_log_says_where_a_process_was_that_hung() -> None:
    with forked({**ALL, WORKER: blocking}, watch=Watchdog(hang_after=SOON)) as host:
        host.hear("supervisor", None, "ready")
        host.kill(host.hear(WORKER, None, "lives")[1], signal.SIGQUIT)
        while (stack := host.hear("log", None, "process.stack")[3])["what"] != MAIN:
            pass
        assert stack["process"] == WORKER
        assert re.match(r"test_watchdog\.py:\d+ block < ", stack["where"])
        host.hear("log", None, "process.died", {"process": WORKER, "status": -STACKS_SIGNAL, "why": "hung"})


@pytest.mark.parametrize("state", ["deaf", "stopped"])
def test_who_cannot_say_where_it_is_is_killed_all_the_same(state: str) -> None:
    with forked({**ALL, WORKER: deaf}, watch=Watchdog(hang_after=SOON)) as host:
        host.hear("supervisor", None, "ready")
        pid = host.hear(WORKER, None, "lives")[1]
        host.kill(pid, signal.SIGQUIT if state == "deaf" else signal.SIGSTOP)
        host.hear("log", None, "process.died", {"process": WORKER, "status": -signal.SIGKILL, "why": "hung"})
        assert not [line for line in host.said if line[2] == "process.stack" and line[3]["process"] == WORKER]


def test_who_spins_is_killed_and_the_log_says_that_it_had_its_time() -> None:
    with forked({**ALL, WORKER: spinning}, watch=Watchdog(hang_after=SOON)) as host:
        host.hear("supervisor", None, "ready")
        pid = host.hear(WORKER, None, "lives")[1]
        host.kill(pid, signal.SIGQUIT)
        hung = host.hear("log", None, "process.hung")[3]
        assert hung["process"] == WORKER
        assert hung["seconds"] >= SOON
        assert host.hear(WORKER, None, "lives")[1] != pid


async def starving(up: socket.socket, say: Say) -> int:
    """By SIGQUIT it is served last of all processes of one core, and has much to do beside its signs."""

    def starve() -> None:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        work()

    def work() -> None:
        end = time.thread_time() + 0.02
        while time.thread_time() < end:
            pass
        loop.call_later(0.01, work)

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGQUIT, starve)
    return await live(up, say)


@contextmanager
def hogs() -> Iterator[None]:
    """Processes that take one core."""
    pids = []
    try:
        for _ in range(3):
            pids.append(os.fork())
            if not pids[-1]:
                os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
                spin()
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def test_who_has_no_core_is_not_killed_for_it_and_the_log_says_so() -> None:
    with forked({**ALL, WORKER: starving}) as host:
        host.hear("supervisor", None, "ready")
        pid = host.hear(WORKER, None, "lives")[1]
        with hogs():
            host.kill(pid, signal.SIGQUIT)
            starved = host.hear("log", None, "process.starved")[3]
            assert starved["process"] == WORKER
            assert starved["seconds"] >= HANG_AFTER
        host.kill(pid, signal.SIGTERM)
        assert host.hear("log", None, "process.died")[3] == {"process": WORKER, "status": 0, "why": "ended"}


async def holding(up: socket.socket, say: Say) -> int:
    """By SIGQUIT a second thread keeps the interpreter from the loop, and is served last of all threads of one core."""

    def hold() -> None:
        begin.wait()
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        any(itertools.repeat(False, 50_000_000))  # in C, and it returns

    begin = threading.Event()
    threading.Thread(target=hold, daemon=True).start()
    asyncio.get_running_loop().add_signal_handler(signal.SIGQUIT, begin.set)
    return await live(up, say)


def test_who_waits_for_its_own_thread_that_has_no_core_is_not_killed_for_it_either() -> None:
    with forked({**ALL, WORKER: holding}) as host:
        host.hear("supervisor", None, "ready")
        pid = host.hear(WORKER, None, "lives")[1]
        with hogs():
            host.kill(pid, signal.SIGQUIT)
            starved = host.hear("log", None, "process.starved")[3]
        assert starved["process"] == WORKER
        assert starved["seconds"] >= HANG_AFTER
        assert not [line for line in host.said if line[2] == "process.hung"]

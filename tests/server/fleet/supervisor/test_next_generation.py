"""A real host of several processes that is upgraded while people are there: nobody notices, and a failure changes nothing."""

import asyncio
import itertools
import os
import select
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import aiohttp
import pytest

from engine.engine import OLDEST, VERSION
from server.fleet.ipc.ipc_link import Kind
from server.fleet.supervisor.child_process import Child, ChildLink
from server.fleet.supervisor.next_generation import NextGeneration
from server.main.commands.process_control_commands import serves
from server.ops.process import successor
from tests.server.fleet.migrate.rig import until
from tests.server.fleet.migrate.test_upgrade import States, ask_whether_ready, program
from tests.server.fleet.migrate.test_upgrade_deaths import ALL, NOBODY, Crowd, descriptors, dies
from tests.server.fleet.migrate.upgrades import Talk, meet
from tests.server.fleet.processes.rig import pair
from tests.server.fleet.processes.test_worker_drain_out import ask, stands
from tests.server.main.processes.test_process_group import several
from tests.server.main.processes.test_process_group import talk as talk_with
from tests.server.ops.process.lives import gone

pytestmark = [pytest.mark.blocking, pytest.mark.timeout(180)]  # runs servers and commands, and waits for them
PAIRS = 12
# who is away at the first upgrade comes back before the second, however long a command takes to start
PATIENT = {"SERENDIP_STORE__ENABLED": "true", "SERENDIP_SESSION__GRACE": "600"}
REFUSED = '[safety]\nhelp_file = "/nowhere/help.toml"\n'
FAULTS = ("worker.fault", "loop.fault", "task.failed", "migration.fault", "migration.refused", "process.died")


async def no_more(pid: int, opened: list[str]) -> None:
    """A supervisor has nothing open beside this. Its answer is here before it has closed its end of the connection, then as now."""
    await until(lambda: not Counter(descriptors(pid)) - Counter(opened))


async def test_whatever_people_do_goes_on_through_two_upgrades(tmp_path: Path) -> None:
    async with several(tmp_path, **PATIENT) as server, aiohttp.ClientSession() as http:
        port = server.port
        talks = [Talk(*await meet(http, port, f"pair {number}")) for number in range(PAIRS)]
        states = await States(http, port).begin()
        answers: set[int] = set()
        asking = asyncio.create_task(ask_whether_ready(http, port, answers))
        before = await stands(server)
        status, done = await server.upgrade()
        assert (status, done["done"]) == (0, True), done
        assert (done["people"], done["chats"]) == (PAIRS * 2 + states.people, PAIRS + states.chats)
        middle = await stands(server)
        opened = descriptors(server.newest)
        await states.go_on()
        status, done = await ask(server, "restart", "--frontend")  # which is one, by the same program
        assert (status, done["done"]) == (0, True), done
        assert done["people"] == PAIRS * 2 + states.left
        after = await stands(server)
        await no_more(server.newest, opened)
        pids = [{one["pid"] for one in each.values()} for each in (before, middle, after)]
        assert [len(one | other) for one, other in itertools.pairwise(pids)] == [8, 8]
        assert not asking.done()
        asking.cancel()
        assert answers == {200}
        for talk in talks:
            heard, wrong = await talk.end()
            assert wrong == []
            assert heard > 0
        await states.all_here()
        assert [one["deaths"] for one in after.values()] == [0] * 4
        assert {line["stayed"] for line in server.events("process.left")} == {0}
        assert {fault: server.events(fault) for fault in FAULTS if server.events(fault)} == {}
        assert await server.status() == 0


async def test_a_generation_that_does_not_come_to_serve_changes_nothing_and_one_that_dies_takes_whom_it_had(
    tmp_path: Path,
) -> None:
    config = tmp_path / "serendip.toml"
    config.touch()
    async with several(tmp_path, **PATIENT, SERENDIP_CONFIG=str(config)) as server, aiohttp.ClientSession() as http:
        talks = [Talk(*await meet(http, server.port, f"pair {number}")) for number in range(4)]
        before = await stands(server)
        opened: list[str] = []
        for file, said in (
            (program(tmp_path, "echo no module >&2; exit 3"), "the new process ended (status 3); its log says why"),
            (dies(tmp_path, "ready"), "the new process ended (signal 9); its log says why"),
        ):
            status, done = await server.upgrade(file)
            assert (status, done["done"], done["said"]) == (1, False, said)
            assert done.get("printed", []) == (["no module"] if "status 3" in said else [])
            opened = opened or descriptors(server.newest)
        config.write_text(REFUSED)
        status, done = await server.upgrade()
        assert (status, done["done"]) == (1, False)
        assert done["said"].startswith("safety.help_file"), done
        config.write_text("[server]\nhots = 1\n")
        status, done = await server.upgrade()
        assert (status, "server.hots" in done["said"]) == (1, True), done
        config.write_text("")
        assert {one["pid"] for one in (await stands(server)).values()} == {one["pid"] for one in before.values()}
        for talk in talks:
            heard, wrong = await talk.end()
            assert wrong == []
            assert heard > 0
        await no_more(server.newest, opened)
        crowd = await Crowd(http, server.port).come()
        status, done = await server.upgrade(dies(tmp_path, "begun"))
        assert (status, done["done"]) == (1, False)
        await crowd.goes_on(await crowd.living())
        await crowd.go()
        crowd = await Crowd(http, server.port).come()
        status, done = await server.upgrade(dies(tmp_path, "took:2"))
        assert (status, done["done"]) == (0, True), done
        living = await crowd.living()
        assert living != ALL  # all of them, where they all were in one worker: who accepts them is the kernel's choice
        # Another worker would die at the next whom it takes, in a meeting too: on by a program that does not, once there are all again.
        async with asyncio.timeout(30):
            while {one["phase"] for one in (await stands(server)).values()} != {"ready"}:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)
        status, done = await server.upgrade(dies(tmp_path, ""))
        assert (status, done["done"]) == (0, True), done
        await crowd.goes_on(living)
        await crowd.go()
        assert await server.status() == 0


async def test_an_older_generation_that_dies_leaves_what_was_taken(tmp_path: Path) -> None:
    async with several(tmp_path, **PATIENT, HANDOVER_FAULT="spread:2") as server, aiohttp.ClientSession() as http:
        crowd = await Crowd(http, server.port).come()
        status, done = await server.upgrade(dies(tmp_path, "sockets"))
        assert (status, done["done"]) == (0, True)
        assert "died (signal 9) before all sessions had migrated" in done["said"], done
        living = await crowd.living()
        assert NOBODY != living != ALL
        await crowd.goes_on(living)
        await crowd.go()
        for number, following in enumerate(("begin", ""), 3):
            crowd = await Crowd(http, server.port).come()
            old = [one["pid"] for one in (await stands(server)).values()]
            status, done = await server.upgrade(dies(tmp_path, following))
            assert (status, done["done"]) == (1, False)
            assert "ended before it had answered" in done["said"]
            await server.told("server.ready", number)
            for pid in old:  # workers go on with their people for a while as their supervisor dies, which the command does not wait for
                await asyncio.to_thread(gone, pid)
            assert await crowd.living() == NOBODY
            await crowd.go()
        crowd = await Crowd(http, server.port).come()
        assert await crowd.living() == ALL
        assert await server.status() == 0


@pytest.mark.parametrize("process", ["hub", "frontend"])
@pytest.mark.parametrize("generation", ["old", "new"])
async def test_a_hub_or_a_frontend_that_dies_in_an_upgrade_costs_no_chat(
    tmp_path: Path, generation: str, process: str
) -> None:
    async with several(tmp_path, **PATIENT) as server, aiohttp.ClientSession() as http:
        talks = [Talk(*await meet(http, server.port, f"pair {number}")) for number in range(PAIRS)]
        old = server.pid_of(process)
        upgrade = asyncio.create_task(server.upgrade())
        # as soon as it serves: the others of its generation are on their way, and nobody has gone over
        while (new := server.pid_of(process)) == old and not upgrade.done():  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.005)
        os.kill(old if generation == "old" else new, signal.SIGKILL)
        _, done = await upgrade
        assert "done" in done
        async with asyncio.timeout(30):
            while not serves((await ask(server, "status"))[1]):
                pass
        for talk in talks:
            heard, wrong = await talk.end()
            assert wrong == []
            assert heard > 0
        one, two = await meet(http, server.port, "afterwards")
        await talk_with(one, two)
        assert (await server.upgrade())[1]["done"] is True
        await talk_with(one, two)
        assert await server.status() == 0


class Told:
    """Of an upgrade's parts what it asks of them: who asked for it, and what is handed on."""

    def say(self, step: dict[str, object]) -> None:
        """Who asked is told."""

    def packed(self) -> tuple[tuple[object, ...], tuple[int, ...]]:
        """Nothing is handed on."""
        return (), ()


def test_who_is_started_anew_in_the_turn_in_which_their_forerunner_dies_is_not_taken_for_dead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (ours, theirs), (up, down) = pair(), pair()
    for end in (ours, theirs, up, down):
        end.setblocking(False)
    keeper, first, second = (subprocess.Popen(["sleep", "60"]) for _ in range(3))
    monkeypatch.setattr(successor, "spawn", lambda *_: (keeper.pid, ours))
    child, other, worker = Child("worker 1", os.getpid(), up, 0.0), ChildLink(theirs), ChildLink(down)
    following = NextGeneration(Told(), None, Told(), {child.name: child}, lambda: None, 60.0)  # type: ignore[arg-type]

    def comes(process: subprocess.Popen[bytes]) -> None:
        pidfd = os.pidfd_open(process.pid)
        other.tell(Kind.CHILD, child.name, process.pid, descriptors=(pidfd,))
        os.close(pidfd)

    def turn() -> list[int]:
        poll = select.poll()
        following.register(poll)
        following.turn(dict(poll.poll(5000)), time.monotonic())
        return [said.kind for said in worker.read()]

    try:
        comes(first)
        assert turn() == []
        other.tell(Kind.READY, [OLDEST, VERSION], "the next version")
        assert turn() == [Kind.PEER, Kind.NEXT]
        first.kill()
        first.wait()
        comes(second)
        assert turn() == [Kind.DEAD, Kind.PEER]
        second.kill()
        second.wait()
        assert turn() == [Kind.DEAD]
    finally:
        following.close()
        for process in (keeper, first, second):
            process.kill()
            process.wait()
        for end in (theirs, up, down):
            end.close()
        os.close(child.pidfd)

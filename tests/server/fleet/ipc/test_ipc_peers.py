"""The links of one process: by name, in order, and a death is what the supervisor says."""

import asyncio
import os
from collections import Counter

import pytest

from server.fleet.ipc.ipc_link import Kind
from server.fleet.ipc.ipc_peers import FRONTEND, HUB, name_of, number_of
from tests.server.fleet.migrate.rig import until
from tests.server.fleet.processes.rig import Host
from tests.support.descriptors import more_than, opened


@pytest.mark.parametrize(("number", "name"), [(0, FRONTEND), (1, "worker 1"), (12, "worker 12")])
def test_a_number_has_a_name_and_a_name_its_number(number: int, name: str) -> None:
    assert name_of(number) == name
    assert number_of(name) == number


def test_the_hub_has_no_number_of_a_worker() -> None:
    assert number_of(HUB) == -1


async def test_a_message_passes_with_pieces_and_descriptors_and_says_who_sent_it(made: Host) -> None:
    one, two = made.play("worker 1"), made.play("worker 2")
    await made.joined()
    reader, writer = os.pipe()
    assert one.peers.send("worker 2", Kind.COME, {"v": 1}, pieces=[b"abc"], descriptors=[writer]) == 1
    os.close(writer)
    came = await two.next(Kind.COME)
    assert (came.records, came.pieces) == ([{"v": 1}], [b"abc"])
    os.close(came.descriptors[0])
    assert os.read(reader, 1) == b"", "the last that wrote to it"
    os.close(reader)
    two.peers.send("worker 1", Kind.TOOK, came.number)
    assert (await one.next(Kind.TOOK)).records == [1]


async def test_who_has_people_is_all_but_the_hub(made: Host) -> None:
    made.play(HUB), made.play(FRONTEND), made.play("worker 1")
    one = made.play("worker 2")
    await made.joined()
    assert one.joined == [HUB, FRONTEND, "worker 1"]
    assert one.peers.people == [FRONTEND, "worker 1"]


async def test_to_who_is_not_there_nothing_is_sent(made: Host) -> None:
    one = made.play("worker 1")
    assert one.peers.send("worker 2", Kind.LOAD, 1) is None
    assert "worker 2" not in one.peers


async def test_a_kind_that_is_unknown_is_skipped_counted_and_its_descriptors_are_closed(made: Host) -> None:
    one, two = made.play("worker 1"), made.play("worker 2")
    await made.joined()
    before = opened()
    one.peers.send("worker 2", 99, "what", descriptors=[0, 1])  # type: ignore[arg-type]  # of a later release
    one.peers.send("worker 2", Kind.LOAD, 7)
    assert (await two.next(Kind.LOAD)).records == [7]
    assert (two.peers.unknown, more_than(before)) == (1, Counter())
    assert two.peers.reading()["serendip_ipc_link_unknown"] == 1


async def test_what_waits_for_who_does_not_read_is_shown_by_its_name(made: Host) -> None:
    one = made.play("worker 1")
    made.play("worker 2")
    hub = made.play(HUB)
    await made.joined()
    for _ in range(64):  # more than a socket takes, and nobody reads before this task waits
        one.peers.send("worker 2", Kind.LOAD, "x" * 65_536)
    bytes_ = one.peers.reading()["serendip_ipc_link_bytes"]
    assert isinstance(bytes_, dict)
    assert (bytes_["worker 2",] > 1_000_000, bytes_["hub",]) == (True, 0)
    assert hub.peers.reading()["serendip_ipc_link_bytes"] == {("worker 1",): 0, ("worker 2",): 0}
    await until(lambda: one.peers.idle("worker 2"))
    assert one.peers.reading()["serendip_ipc_link_bytes"] == {("worker 2",): 0, ("hub",): 0}


async def test_what_the_supervisor_says_of_a_later_release_is_skipped_too(made: Host) -> None:
    one = made.play("worker 1")
    before = opened()
    made.tell("worker 1", 99, "what", descriptors=(0,))
    made.play("worker 2")
    await made.joined()
    await until(lambda: one.peers.unknown == 1)
    made.kill("worker 2")
    await until(lambda: one.dead)
    assert not more_than(before)


async def test_what_was_sent_before_a_death_is_read_before_it_is_told(made: Host) -> None:
    one, two = made.play("worker 1"), made.play("worker 2")
    await made.joined()
    order: list[object] = []
    one.peers._dead = order.append
    one.peers._handlers = {Kind.LOAD: lambda name, message: order.append((name, *message.records))}
    for number in range(50):  # more than a turn of the loop reads
        two.peers.send("worker 1", Kind.LOAD, number)
    made.kill("worker 2")
    await until(lambda: "worker 2" in order)
    assert order == [*(("worker 2", number) for number in range(50)), "worker 2"]
    assert one.peers.send("worker 2", Kind.LOAD, 1) is None


async def test_a_link_that_falls_is_no_death_until_the_supervisor_says_so(made: Host) -> None:
    one, two = made.play("worker 1"), made.play("worker 2")
    await made.joined()
    two.peers.close()
    await until(lambda: one.peers._links["worker 2"].down)
    assert one.peers.send("worker 2", Kind.LOAD, 1) is None
    assert one.dead == []
    made.kill("worker 2")
    await until(lambda: one.dead == ["worker 2"])


async def test_one_that_is_started_anew_has_a_link_of_its_own(made: Host) -> None:
    one, _ = made.play("worker 1"), made.play("worker 2")
    await made.joined()
    made.kill("worker 2")
    again = made.play("worker 2")
    await until(lambda: one.joined == ["worker 2", "worker 2"])
    await made.joined()
    one.peers.send("worker 2", Kind.LOAD, 3)
    assert (await again.next(Kind.LOAD)).number == 1


async def test_the_death_of_who_was_never_there_is_nobodys(made: Host) -> None:
    one = made.play("worker 1")
    made.tell("worker 1", Kind.DEAD, "worker 9")
    made.play("worker 2")
    await made.joined()
    assert one.dead == []


async def test_how_often_who_died_is_what_the_supervisor_said_last(made: Host) -> None:
    one = made.play(FRONTEND)
    for count in (1, 2):
        made.tell(FRONTEND, Kind.DEATHS, ["worker 1", "hung", count], [HUB, "ended", 1])
    await until(lambda: one.peers.deaths == {("worker 1", "hung"): 2, (HUB, "ended"): 1})


async def test_who_has_a_link_that_fell_tells_the_supervisor_which(made: Host) -> None:
    one, two = made.play("worker 1"), made.play("worker 2")
    await made.joined()
    two.peers._links["worker 1"].close()
    await until(lambda: made.said["worker 1"])
    said = made.said["worker 1"][0]
    assert (said.kind, said.records) == (Kind.FELL, ["worker 2", 2])
    made.kill("worker 2")
    await until(lambda: one.dead)
    assert [message.kind for message in made.said["worker 1"]] == [Kind.FELL], "of a death nothing is told"


async def test_who_serves_says_so_and_who_has_no_supervisor_is_an_orphan(made: Host) -> None:
    one = made.play("worker 1")
    one.peers.ready()
    await until(lambda: made.said["worker 1"])
    assert made.said["worker 1"][0].kind == Kind.UP
    assert not one.orphaned.is_set()
    made.leave("worker 1")
    await asyncio.wait_for(one.orphaned.wait(), 10)

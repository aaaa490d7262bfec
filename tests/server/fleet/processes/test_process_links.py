"""What a turn has to say goes as one message; a hub that is new knows all who wait; people go when the turn is over."""

import asyncio
import mmap
import os
from typing import Any

import pytest

from engine.rooms import hub_messages as rows
from engine.rooms.hub_records import pack
from server.fleet.ipc.ipc_link import Kind
from server.fleet.ipc.ipc_peers import HUB
from server.fleet.ipc.row_channel import RING_SIZE
from server.fleet.processes import process_links as module
from server.ops.metrics.migration_metrics import DRAIN
from server.ops.security.secret_keys import Keys
from tests.server.fleet.migrate.rig import until
from tests.server.fleet.processes.rig import Host, Waiting, Working, answers, sent_to


async def hub_and_worker(made: Host) -> tuple[Waiting, Working]:
    """Return a hub and a worker that pass rows in shared memory."""
    hub, one = made.hub(), made.worker(1)
    await made.joined()
    await until(lambda: one.links._rows_out._reads)
    return hub, one


async def test_what_a_turn_has_to_say_is_one_message(made: Host) -> None:
    hub, one = made.play(HUB), made.worker(1)
    await made.joined()
    await hub.next(Kind.ROWS)  # that nobody waits

    def ask(now: float) -> None:
        for number in range(3):
            one.room.asked(f"question {number}", "en", now)

    one.worker.act(ask)
    one.worker.act(ask)
    for _ in range(2):
        assert [row[0] for row in (await hub.next(Kind.ROWS)).records] == [rows.ASKED] * 3


async def test_a_hub_that_is_new_is_told_who_waits_and_what_none_was_told_is_not_told_twice(made: Host) -> None:
    hub, one = made.play(HUB), made.worker(1)
    await made.joined()
    first, a, _ = await made.visitor(one)
    first.find("sailing")
    (said,) = await hub.rows(rows.TICKET)
    made.kill(HUB)
    await until(lambda: HUB not in one.peers)
    second, b, _ = await made.visitor(one)
    second.find("chess")
    await until(lambda: b in one.room.clients())
    again = made.play(HUB)
    await made.joined()
    told = await again.rows(rows.TICKET, rows.TICKET)
    assert {row[1]: row[-1] for row in told} == {a: rows.WAITS, b: rows.WAITS}
    assert next(row for row in told if row[1] == a)[2] == said[2], "the same ticket, with its age"
    first.ask("leave")
    await again.rows(rows.CANCEL)


async def test_the_hub_is_told_how_many_are_here(made: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOAD_EVERY", 0.001)
    one = made.worker(1)
    await made.visitor(one)
    hub = made.play(HUB)
    await made.joined()
    first = (await hub.next(Kind.LOAD)).records
    assert (first[:2], len(first[2])) == ([1, 1], 1)
    await made.visitor(one)
    await until(lambda: [2, 2] in [message.records[:2] for message in hub.of(Kind.LOAD)])
    (named,) = {tuple(message.records[2]) for message in hub.of(Kind.LOAD) if message.records[0] == 2}
    hub.peers.send("worker 1", Kind.THERE, 5, [*named, 1], {})
    await until(lambda: one.worker.engine.people == 5 + 2 + 1)


async def test_who_is_to_go_goes_when_a_turn_that_was_put_off_is_over(made: Host) -> None:
    hub, one, two = made.play(HUB), made.worker(1), made.play("worker 2")
    await made.joined()
    visitor, id, _ = await made.visitor(one)
    one.links.after_turn = lambda: None  # type: ignore[method-assign]  # a turn that tells nothing
    visitor.find("sailing")
    await until(lambda: one.room.rows)
    del one.links.after_turn
    one.worker._put_off = asyncio.get_running_loop().call_later(60, lambda: None)
    one.worker.act(lambda _: None)
    (ticket,) = await hub.rows(rows.TICKET)
    meeting = [rows.MEET, 1, [[id, ticket[2], 1], [77, 1, 2]], [0.0, 0.0], ["sailing"], 1.0, "any", False, None]
    one.links.across.go(id, 2, meeting, ticket[2])
    one.worker.act(lambda _: None)
    assert one.sessions == {id}
    one.worker._put_off.cancel()
    one.worker._put_off = None
    one.worker.act(lambda _: None)
    assert one.sessions == set()
    assert (await two.next(Kind.COME)).records[1] == id


async def test_of_a_meeting_with_who_is_here_nobody_goes(made: Host) -> None:
    made.hub()
    one = made.worker(1)
    await made.joined()
    crowd = [await made.visitor(one) for _ in range(2)]
    for visitor, _, _ in crowd:
        visitor.find("sailing")
    for visitor, _, _ in crowd:
        await visitor.hears("matched")
    assert one.links.tally.people["meet", "given"] == 0


async def test_further_kinds_and_who_comes_and_dies_are_told_to_who_asked(made: Host, secret: Keys) -> None:
    told: list[object] = []

    def wanted(up: object) -> Working:
        made_ = Working(up, 1, secret)  # type: ignore[arg-type]
        made_.peers._handlers = {**made_.peers._handlers, Kind.HTTP: lambda name, message: told.append(message.records)}
        made_.links._also_joined = made_.links._also_dead = told.append
        return made_

    made.start("worker 1", wanted)
    two = made.play("worker 2")
    await made.joined()
    two.peers.send("worker 1", Kind.HTTP, "this")
    made.kill("worker 2")
    await until(lambda: len(told) == 3)
    assert told == ["worker 2", ["this"], "worker 2"]


async def test_without_a_supervisor_it_is_an_orphan_and_serves_on(made: Host) -> None:
    one = made.worker(1)
    visitor, _, _ = await made.visitor(one)
    made.leave("worker 1")
    await asyncio.wait_for(one.links.orphaned.wait(), 10)
    await answers(visitor)


async def test_when_it_is_closed_nothing_is_told_any_more(made: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOAD_EVERY", 0.001)
    hub, one = made.play(HUB), made.worker(1)
    await made.joined()
    visitor, id, _ = await made.visitor(one)
    await sent_to(hub, visitor, id, 9)
    await hub.rows(rows.FAILED)
    one.links.close()
    await until(lambda: hub.peers._links["worker 1"].down)
    hub.came.clear()
    one.worker.act(lambda now: one.room.asked("question", "en", now))
    await answers(visitor)
    assert hub.came == []


async def test_a_save_that_a_worker_has_not_answered_that_dies_is_answered_where_its_person_is(made: Host) -> None:
    one, two = made.worker(1), made.worker(2)
    await made.joined()
    (visitor, id, _), (other, own, _) = await made.visitor(two), await made.visitor(one)
    two.worker.engine.sessions[id].saves = (("c", b""),)
    one.worker.engine.sessions[own].saves = (("d", b""),)
    assert two.links.across.exports.transfer((id,), two.links.across.to("worker 1"), DRAIN)
    await until(lambda: id in one.sessions)
    made.kill("worker 2")
    assert (await visitor.hears("error"))["code"] == "not_saved"
    assert one.worker.engine.sessions[id].saves == ()
    await answers(other)
    assert one.worker.engine.sessions[own].saves == (("d", b""),), "it is asked for by this process itself, which lives"


@pytest.mark.parametrize(("place", "name", "of"), [(1, "worker 1", HUB), (0, HUB, "worker 1")])
async def test_damaged_memory_is_reported_once_and_read_no_more(made: Host, place: int, name: str, of: str) -> None:
    hub, one = await hub_and_worker(made)
    with mmap.mmap(one.links._rows_out._file, 4096, offset=place * (4096 + RING_SIZE)) as head:
        head[:8] = (1 << 63).to_bytes(8, "little")
    os.eventfd_write(one.links._bell if place else hub.process.channels.bell, 1)

    def reports() -> list[Any]:
        return [message.records[0] for message in made.said[name] if message.kind == Kind.FELL]

    await until(reports)
    visitor, _, _ = await made.visitor(one)
    await answers(visitor)
    assert reports() == [of]


async def test_a_message_that_is_damaged_takes_no_other_with_it(made: Host) -> None:
    faults: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context["exception"]))
    hub, one = await hub_and_worker(made)
    for count, ring in enumerate(
        (one.links._rows_out._outbound, hub.process.channels.by_name["worker 1"]._outbound), 1
    ):
        assert ring is not None
        assert ring.put(b"\xff")
        await made.waiting(one, f"word {count}")
        assert [type(fault) for fault in faults] == [ValueError] * count


async def test_connections_have_their_turn_while_rows_come_without_end(
    made: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub, one = await hub_and_worker(made)
    ring = hub.process.channels.by_name["worker 1"]._outbound
    assert ring is not None
    loop, hear, heard, turns = asyncio.get_running_loop(), one.links._hear, [0], [0]

    def hear_and_more() -> bool:
        found = hear()
        if heard[0] < 1000:
            heard[0] += 1
            ring.put(pack([[rows.ASK, 1]]))
        return found

    def turn() -> None:
        turns[0] += 1
        if heard[0] < 1000:
            loop.call_soon(turn)

    monkeypatch.setattr(one.links, "_hear", hear_and_more)
    loop.call_soon(turn)
    os.eventfd_write(one.links._bell, 1)
    await until(lambda: heard[0] == 1000)
    assert turns[0] > 1000 // module.ROUNDS // 2


async def test_rows_that_the_ring_has_no_room_for_are_counted_as_waiting_at_the_link(made: Host) -> None:
    hub, one = await hub_and_worker(made)
    ends = (one.links._rows_out, one.links.reading, HUB), (
        hub.process.channels.by_name["worker 1"], hub.process._reading, "worker 1",
    )  # fmt: skip
    for channel, reading, name in ends:
        while not channel.waiting:
            channel.send([[rows.ASK, 1]] * 32)
        assert reading()["serendip_ipc_link_bytes"] == {(name,): channel.waiting}
    await until(lambda: not any(channel.waiting for channel, _, _ in ends))

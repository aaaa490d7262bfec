"""Figures of several processes at one place: what is asked is added up, who is silent is shown as silent, with what they said last."""

import asyncio
from collections.abc import Callable

import pytest

from engine.views import WAIT_BOUNDS
from server.fleet.frontend import metrics_merge as module
from server.fleet.frontend.metrics_merge import MetricsAnswers, MetricsMerge, packed, unpacked
from server.fleet.ipc.ipc_link import Kind, Message
from server.ops.metrics.exposition import MetricsBoard
from server.ops.metrics.histogram import Buckets
from server.ops.metrics.metric_type import Reading
from tests.server.fleet.migrate.rig import until
from tests.server.fleet.processes.rig import Host, Told

READ = {
    "serendip_messages": {(): 3},
    "serendip_migrations": {("meet", "descriptor", "taken"): 2},
    "serendip_relay_seconds": {(): Buckets([1, 2], 0.5)},
}
NAMES = "frontend", "worker 1", "worker 2"


def test_numbers_labels_and_histograms_come_through() -> None:
    assert unpacked(packed(READ)) == READ


def asking(told: Told, begun: int = 0) -> MetricsMerge:
    """A frontend, which is told of the others from now on, and hears what they say."""
    gathering = MetricsMerge(MetricsBoard(), lambda: told.peers, begun)
    told.peers._handlers = {**told.peers._handlers, Kind.FIGURES: gathering.figures}
    for name in told.peers.others:
        gathering.joined(name)
    return gathering


def answering(told: Told, source: Callable[[], Reading]) -> None:
    """A process that answers with this, and with what each has."""
    board = MetricsBoard()
    board.add(source)
    made = MetricsAnswers("worker 1", board, lambda: told.peers)
    told.peers._handlers = {**told.peers._handlers, Kind.READ: made.read}


def messages() -> Reading:
    """What a worker counted."""
    return {"serendip_messages": 3}


def said(gathering: MetricsMerge, name: str) -> dict[tuple[str, ...], object]:
    """What the frontend's board says now."""
    return dict(gathering._board.read().get(name, {}))


def ups(gathering: MetricsMerge) -> dict[str, object]:
    """Who answered last."""
    return {name: up for (name,), up in said(gathering, "serendip_process_up").items()}


async def test_what_all_say_is_added_up_and_what_each_is_stands_by_its_name(
    made: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WITHIN", 1e6)
    one, two, three = (made.play(name) for name in NAMES)
    await made.joined()
    gathering = asking(one)
    for other in (two, three):
        answering(other, messages)
    await asyncio.wait_for(gathering.gather(), 10)
    assert said(gathering, "serendip_messages") == {(): 6}
    assert ups(gathering) == {"worker 1": 1, "worker 2": 1}
    cpu = said(gathering, "serendip_process_cpu_seconds")
    assert list(cpu) == [("worker 1",)]  # as both call themselves
    assert all(isinstance(value, float) and value > 0 for value in cpu.values())
    assert said(gathering, "serendip_ipc_link_bytes") == {("frontend",): 0, ("worker 1",): 0, ("worker 2",): 0}


async def test_who_is_silent_is_shown_as_silent_and_counts_as_it_did(
    made: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two, three = (made.play(name) for name in NAMES)
    await made.joined()
    gathering = asking(one)
    answering(two, messages)
    monkeypatch.setattr(module, "WITHIN", 2.0)
    await asyncio.wait_for(gathering.gather(), 10)
    assert said(gathering, "serendip_messages") == {(): 3}
    assert ups(gathering) == {"worker 1": 1, "worker 2": 0}
    answering(three, messages)
    monkeypatch.setattr(module, "WITHIN", 1e6)
    await asyncio.wait_for(gathering.gather(), 10)
    assert said(gathering, "serendip_messages") == {(): 6}
    three.peers._handlers = {**three.peers._handlers, Kind.READ: lambda _, __: None}
    monkeypatch.setattr(module, "WITHIN", 2.0)
    await asyncio.wait_for(gathering.gather(), 10)
    assert said(gathering, "serendip_messages") == {(): 6}, "what it counted stays counted"
    assert ups(gathering) == {"worker 1": 1, "worker 2": 0}


async def test_an_answer_that_comes_late_counts_at_the_next_question(
    made: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WITHIN", 0.05)
    one, two = made.play("frontend"), made.play("worker 1")
    await made.joined()
    gathering = asking(one)
    await asyncio.wait_for(gathering.gather(), 10)
    asked = await two.next(Kind.READ)
    two.peers.send("frontend", Kind.FIGURES, asked.records[0], 0, packed({"serendip_messages": {(): 5}}))
    await until(lambda: gathering._ledger._last)
    await asyncio.wait_for(gathering.gather(), 10)
    assert (said(gathering, "serendip_messages"), ups(gathering)) == ({(): 5}, {"worker 1": 0})


async def test_who_dies_is_waited_for_no_more_and_is_not_there(made: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WITHIN", 1e6)
    one, two = made.play("frontend"), made.play("worker 1")
    await made.joined()
    gathering = asking(one)
    waiting = asyncio.create_task(gathering.gather())
    await two.next(Kind.READ)
    one.peers.deaths = {("worker 1", "hung"): 1}
    gathering.dead("worker 1")
    await asyncio.wait_for(waiting, 10)
    assert ups(gathering) == {"worker 1": 0}
    assert said(gathering, "serendip_messages") == {}


async def test_who_was_ended_by_an_operator_is_neither_silent_nor_dead(made: Host) -> None:
    one, two = made.play("frontend"), made.play("worker 1")
    await made.joined()
    gathering = asking(one)
    answering(two, messages)
    await asyncio.wait_for(gathering.gather(), 10)
    assert ups(gathering) == {"worker 1": 1}
    made.kill("worker 1")
    await until(lambda: one.dead)
    gathering.dead("worker 1")
    await asyncio.wait_for(gathering.gather(), 10)
    assert (ups(gathering), said(gathering, "serendip_messages")) == ({}, {(): 3})


async def test_two_who_ask_at_once_wait_for_the_same_answers(made: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WITHIN", 1e6)
    one, two = made.play("frontend"), made.play("worker 1")
    await made.joined()
    gathering = asking(one)
    asks = [asyncio.create_task(gathering.gather()) for _ in range(5)]
    read = await two.next(Kind.READ)
    two.peers.send("frontend", Kind.FIGURES, read.records[0], 0, packed({"serendip_messages": {(): 5}}))
    await asyncio.wait_for(asyncio.gather(*asks), 10)
    assert (gathering._asked, two.of(Kind.READ)) == (1, [])


async def test_whoever_died_is_counted_by_why_and_nobody_is_a_nought_from_the_start(made: Host) -> None:
    one, two = made.play("frontend"), made.play("worker 1")
    await made.joined()
    gathering = asking(one)
    answering(two, messages)
    await asyncio.wait_for(gathering.gather(), 10)
    expected = dict.fromkeys(
        ((name, why) for name in ("frontend", "worker 1") for why in ("ended", "hung", "link", "start")), 0
    )
    assert said(gathering, "serendip_deaths") == expected
    one.peers.deaths = {("worker 1", "ended"): 2}
    await asyncio.wait_for(gathering.gather(), 10)
    assert said(gathering, "serendip_deaths") == {**expected, ("worker 1", "ended"): 2}


async def test_how_long_people_wait_is_asked_of_all_and_not_for_each_who_wants_to_know(
    made: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WITHIN", 1e6)
    monkeypatch.setattr(module, "APART", 1e6)
    one, two = made.play("frontend"), made.play("worker 1")
    await made.joined()
    gathering = asking(one)
    counts = [0] * len(WAIT_BOUNDS) + [1]
    answering(two, lambda: {"serendip_match_wait_seconds": {("text",): Buckets(counts, 70.0)}})
    none = gathering.waits()
    assert {mode: sum(waits.counts) for mode, waits in none.items()} == {"text": 0, "video": 0, "spy": 0}
    running = asyncio.create_task(gathering.run())
    await until(lambda: gathering.waits()["text"].counts == counts)
    assert gathering.waits()["video"].bounds == WAIT_BOUNDS
    for _ in range(100):
        gathering.waits()
        await asyncio.sleep(0)
    assert gathering._asked == 1
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_what_a_later_release_shows_is_left_out_and_counted(made: Host) -> None:
    one, two = made.play("frontend"), made.play("worker 1")
    await made.joined()
    gathering = asking(one)
    rows = packed({"serendip_messages": {(): 1}, "serendip_of_a_later_release": {(): 1}})
    gathering.figures("worker 1", Message(Kind.FIGURES, 1, [0, 0, rows], [], []))
    answering(two, dict)
    await asyncio.wait_for(gathering.gather(), 10)
    assert said(gathering, "serendip_ipc_link_unknown") == {(): 1}

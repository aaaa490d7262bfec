"""Figures of several processes at one place: what is asked is added up, who is silent is left out."""

import asyncio

import pytest

from server.handover.link import Kind
from server.metrics.exposition import Board
from server.metrics.histogram import Buckets
from server.workers import figures as module
from server.workers.figures import Answering, Gathering, packed, unpacked
from tests.server.workers.rig import Host, Told

READ = {
    "serendip_messages": {(): 3},
    "serendip_moves": {("taken",): 2, ("given",): 1},
    "serendip_relay_seconds": {(): Buckets([1, 2], 0.5)},
}


def test_numbers_labels_and_histograms_come_through() -> None:
    assert unpacked(packed(READ)) == READ


def asking(told: Told, *others: Told) -> Gathering:
    """One who asks, and hears what others say."""
    gathering = Gathering(Board(), lambda: told.peers)
    told.peers._handlers = {**told.peers._handlers, Kind.FIGURES: gathering.figures}
    for other in others:
        board = Board()
        board.add(lambda: {"serendip_messages": 3})
        answering = Answering(board, lambda other=other: other.peers)  # type: ignore[misc]  # bound now
        other.peers._handlers = {**other.peers._handlers, Kind.READ: answering.read}
    return gathering


async def test_what_all_say_is_added_up(made: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WITHIN", 1e6)
    one, two, three = (made.play(name) for name in ("office", "worker 1", "worker 2"))
    await made.joined()
    gathering = asking(one, two, three)
    await asyncio.wait_for(gathering.gather(), 10)
    assert gathering._board.read() == {"serendip_messages": {(): 6}}


async def test_who_is_silent_is_left_out_and_comes_too_late(made: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WITHIN", 0.05)
    one, two, three = (made.play(name) for name in ("office", "worker 1", "worker 2"))
    await made.joined()
    gathering = asking(one, two)
    await asyncio.wait_for(gathering.gather(), 10)
    assert gathering._board.read() == {"serendip_messages": {(): 3}}
    three.peers.send("office", Kind.FIGURES, 1, packed(READ))
    await asyncio.wait_for(gathering.gather(), 10)
    assert gathering._board.read() == {"serendip_messages": {(): 3}}


async def test_who_dies_is_waited_for_no_more(made: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WITHIN", 1e6)
    one, _ = made.play("office"), made.play("worker 1")
    await made.joined()
    gathering = asking(one)
    waiting = asyncio.create_task(gathering.gather())
    await asyncio.sleep(0)
    gathering.dead("worker 1")
    await asyncio.wait_for(waiting, 10)
    assert gathering._board.read() == {}

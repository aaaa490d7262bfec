"""What another worker acknowledged in memory is its own: when it is read, when that worker dies, and before a session comes back."""

import os
from collections import Counter

import pytest

from ext.base.shared_ring import SharedRing
from server.fleet.ipc.acknowledgement_ring import SIZE, AcknowledgementRing
from server.fleet.ipc.ipc_link import Kind
from server.fleet.processes import move_acknowledgements
from tests.server.fleet.migrate.rig import until
from tests.server.fleet.processes.rig import Host, Told, sent_to
from tests.server.fleet.processes.test_worker_to_worker_transfer import left_open, played
from tests.support.descriptors import opened


async def acknowledging(two: Told) -> AcknowledgementRing:
    """Return the ring of a played process, which acknowledges in memory from here on."""
    ring = AcknowledgementRing(lambda *_: None)
    ring.accept(await two.next(Kind.TAKEN))
    return ring


async def test_what_a_receiver_took_is_given_once_it_is_read_in_memory(made: Host) -> None:
    hub, one, visitor, id = await played(made)
    two = made.play("worker 2")
    await made.joined()
    before = opened()
    await sent_to(hub, visitor, id, 2)
    ring, came = await acknowledging(two), await two.next(Kind.COME)
    assert ring.write(came.number)
    await until(lambda: one.links.tally.people["meet", "given"])
    for descriptor in came.descriptors:
        os.close(descriptor)
    assert visitor.sock.recv(1) == b""
    ring.close()
    assert left_open(before) == Counter()


async def test_a_receiver_that_said_so_in_memory_alone_takes_them_along_when_it_dies(
    made: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(move_acknowledgements, "LOOK", 3_600.0)
    hub, one, visitor, id = await played(made)
    two = made.play("worker 2")
    await made.joined()
    await sent_to(hub, visitor, id, 2)
    ring = await acknowledging(two)
    await until(lambda: two.of(Kind.COME))
    assert ring.write(two.of(Kind.COME)[0].number)
    assert one.links.across.forwarding.is_under_way(id)
    made.kill("worker 2")
    await until(lambda: one.links.tally.people["meet", "given"])
    assert visitor.sock.recv(1) == b""
    assert (one.sessions, one.links.tally.people["meet", "back"]) == (set(), 0)


async def test_who_comes_back_is_not_on_the_way_any_more(made: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(move_acknowledgements, "LOOK", 3_600.0)
    hub, one, visitor, id = await played(made)
    two, three = made.play("worker 2"), made.play("worker 3")
    await made.joined()
    await sent_to(hub, visitor, id, 2)
    ring, came = await acknowledging(two), await two.next(Kind.COME)
    assert ring.write(came.number)
    three.peers.send("worker 1", Kind.COME, *came.records, pieces=came.pieces, descriptors=came.descriptors)
    await until(lambda: one.sessions == {id})
    forwarding = one.links.across.forwarding
    assert (forwarding.is_under_way(id), one.links.tally.people["meet", "given"]) == (False, 1)
    for descriptor in came.descriptors:
        os.close(descriptor)


async def test_a_receiver_whose_memory_is_damaged_is_reported_and_acknowledges_over_the_link(
    made: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub, one, visitor, id = await played(made)
    two = made.play("worker 2")
    await made.joined()
    await sent_to(hub, visitor, id, 2)
    offer, came = await two.next(Kind.TAKEN), await two.next(Kind.COME)
    SharedRing(offer.descriptors[0], SIZE).put(b"no number")
    await until(lambda: [message for message in made.said["worker 1"] if message.kind == Kind.FELL])
    two.peers.send("worker 1", Kind.TOOK, came.number)
    await until(lambda: one.links.tally.people["meet", "given"])
    for descriptor in (*offer.descriptors, *came.descriptors):
        os.close(descriptor)
    assert visitor.sock.recv(1) == b""

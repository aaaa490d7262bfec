"""Numbers of messages pass through shared memory once one end offered it; before, and if there is no room, they must go over the link."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from ext.base.shared_ring import SharedRing
from server.fleet.ipc import acknowledgement_ring as module
from server.fleet.ipc.acknowledgement_ring import SIZE, AcknowledgementRing
from server.fleet.ipc.ipc_link import Kind, Message


class Ends:
    """A sender of messages, and who takes them; `offers`: what the sender said."""

    def __init__(self) -> None:
        self.offers: list[Message] = []
        self.sender = AcknowledgementRing(self._sent)
        self.taker = AcknowledgementRing(self._sent)

    def _sent(self, kind: Kind, *records: Any, descriptors: tuple[int, ...] = ()) -> None:
        self.offers.append(Message(kind, 0, list(records), [], [os.dup(one) for one in descriptors]))


@pytest.fixture
def ends() -> Iterator[Ends]:
    made = Ends()
    yield made
    made.sender.close()
    made.taker.close()


def test_numbers_arrive_in_order_once_the_memory_was_offered(ends: Ends) -> None:
    assert (ends.taker.write(1), ends.sender.read()) == (False, [])
    ends.sender.offer()
    ends.taker.accept(ends.offers.pop())
    assert [ends.taker.write(number) for number in (2, 4_294_967_295, 3)] == [True] * 3
    assert (ends.sender.read(), ends.sender.read()) == ([2, 4_294_967_295, 3], [])


def test_what_finds_no_room_must_go_over_the_link(ends: Ends) -> None:
    ends.sender.offer()
    ends.taker.accept(ends.offers.pop())
    written = [number for number in range(1_000) if ends.taker.write(number)]
    assert 0 < len(written) < 1_000
    assert ends.sender.read() == written
    assert ends.taker.write(7)


def test_what_was_written_is_read_after_the_writer_is_gone(ends: Ends) -> None:
    ends.sender.offer()
    ends.taker.accept(ends.offers.pop())
    assert ends.taker.write(5)
    ends.taker.close()
    assert not ends.taker.write(6)
    assert ends.sender.read() == [5]


def test_without_memory_nothing_is_offered(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(*_: object) -> int:
        raise OSError

    monkeypatch.setattr(module, "new_memory", no_memory)
    ends.sender.offer()
    assert (ends.offers, ends.sender.read()) == ([], [])


def test_damaged_memory_and_too_little_of_it_are_refused(ends: Ends) -> None:
    ends.sender.offer()
    offer = ends.offers.pop()
    file = os.dup(offer.descriptors[0])
    ends.taker.accept(offer)
    SharedRing(file, SIZE).put(b"abc")
    os.close(file)
    with pytest.raises(ValueError, match="damaged"):
        ends.sender.read()
    small = os.memfd_create("small")
    with pytest.raises(ValueError, match="too small"):
        ends.taker.accept(Message(Kind.TAKEN, 0, [], [], [small]))

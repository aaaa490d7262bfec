"""Rows pass through shared memory once both ends have it: in order over the change, and none is lost in a full ring; a sleeping reader is woken."""

import os
from collections import deque
from typing import Any

import pytest

from engine.rooms.hub_messages import Row
from engine.rooms.hub_records import unpack
from server.fleet.ipc import row_channel as module
from server.fleet.ipc.ipc_link import Kind, Message
from server.fleet.ipc.row_channel import RowChannel, new_bell, silence

ASK: Row = ["ask", 1]


class Ends:
    """The hub's end and another one, with a link in memory between them."""

    def __init__(self) -> None:
        self.link: deque[tuple[str, Message]] = deque()
        self.hub = RowChannel(lambda *said, **more: self._sent("other", *said, **more))
        self.other = RowChannel(lambda *said, **more: self._sent("hub", *said, **more))
        self.bells = [new_bell()]
        self.read: dict[str, list[Row]] = {"hub": [], "other": []}

    def _sent(self, to: str, kind: Kind, *records: Any, descriptors: tuple[int, ...] = ()) -> None:
        self.link.append((to, Message(kind, 0, list(records), [], [os.dup(one) for one in descriptors])))

    def pass_on(self) -> None:
        """Deliver what the link has."""
        while self.link:
            to, message = self.link.popleft()
            if message.kind == Kind.ROWS:
                self.read[to] += message.records
            elif message.descriptors:
                self.bells.append(self.other.accept(message))
            else:
                (self.hub if to == "hub" else self.other).confirm()
            self.take()

    def take(self) -> None:
        """Read both rings."""
        for name, end in (("hub", self.hub), ("other", self.other)):
            for data in end.take():
                self.read[name] += unpack(data)

    def close(self) -> None:
        self.hub.close()
        self.other.close()
        for bell in self.bells:
            os.close(bell)


@pytest.fixture
def ends() -> Any:
    """Both ends, closed after the test."""
    made = Ends()
    yield made
    made.close()


def rows(first: int, count: int) -> list[Row]:
    return [["ask", number] for number in range(first, first + count)]


def is_rung(bell: int) -> bool:
    """Whether a bell was rung since it was last heard."""
    try:
        os.eventfd_read(bell)
    except BlockingIOError:
        return False
    return True


def test_rows_keep_their_order_over_the_change_from_the_link_to_the_ring(ends: Ends) -> None:
    ends.hub.send(rows(0, 2))
    ends.other.send(rows(0, 2))
    ends.hub.offer(ends.bells[0])
    ends.hub.send(rows(2, 2))
    ends.other.send(rows(2, 2))
    to, message = ends.link[2]
    assert (to, message.kind) == ("other", Kind.RING)
    while ends.link:
        ends.other.send([["ask", 4]]) if len(ends.bells) == 2 and [4] not in ends.read["hub"] else None
        ends.pass_on()
    ends.hub.send(rows(4, 100))
    ends.other.send(rows(5, 100))
    assert not ends.link
    ends.take()
    assert [row[1] for row in ends.read["other"]] == list(range(104))
    assert [row[1] for row in ends.read["hub"] if row[1] != 4] == [*range(4), *range(5, 105)]


def test_the_reader_is_woken_only_where_it_sleeps(ends: Ends) -> None:
    ends.hub.offer(ends.bells[0])
    ends.pass_on()
    _, bell = ends.bells
    ends.hub.send([ASK])
    assert not is_rung(bell)
    assert not ends.other.sleep()
    ends.take()
    assert ends.other.sleep()
    ends.hub.send([ASK])
    ends.hub.send([ASK])
    assert is_rung(bell)
    silence(bell)
    ends.take()
    assert ends.read["other"] == [ASK] * 3


def test_what_a_full_ring_has_no_room_for_waits_and_follows_when_it_was_read(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends.hub.offer(ends.bells[0])
    ends.pass_on()
    monkeypatch.setattr(module, "WAITING_MAX", 1000)
    sent = 0
    while not ends.hub.is_full:
        ends.hub.send(rows(sent, 32))
        sent += 32
    ends.take()
    assert is_rung(ends.bells[0]), "the writer is called"
    while len(ends.read["other"]) < sent:
        before = len(ends.read["other"])
        ends.take()
        assert len(ends.read["other"]) > before
    assert [row[1] for row in ends.read["other"]] == list(range(sent))
    assert not ends.hub.is_full


def test_without_shared_memory_rows_stay_on_the_link(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> int:
        raise OSError

    monkeypatch.setattr(module, "new_memory", fails)
    ends.hub.offer(ends.bells[0])
    ends.hub.send([ASK])
    ends.pass_on()
    assert (ends.read["other"], ends.hub.take(), ends.hub.sleep()) == ([ASK], [], True)

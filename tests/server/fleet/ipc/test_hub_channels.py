"""The hub reads the rings of all processes in rounds, and what one of them does wrong keeps no other from being read."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from engine.rooms.hub_records import unpack
from server.fleet.ipc import hub_channels as module
from server.fleet.ipc.hub_channels import HubChannels
from server.fleet.ipc.ipc_link import Kind, Message
from server.fleet.ipc.row_channel import RowChannel


class Hub:
    """The channels of a hub and their other ends, whose links are handled at once."""

    def __init__(self) -> None:
        self.read: list[tuple[int, Any]] = []
        self.flushed = 0
        self.faults: list[tuple[str, str]] = []
        self.on_flush: Callable[[], None] = lambda: None
        self.channels = HubChannels(self._read, self._flush, self._fault, self._fault)
        self.ends: dict[str, RowChannel] = {}
        self._bells = [self.channels.bell]

    def _read(self, number: int, data: bytes, _: float) -> None:
        self.read += [(number, row) for row in unpack(data)]

    def _flush(self) -> None:
        self.flushed += 1
        self.on_flush()

    def _fault(self, name: str, fault: Exception) -> None:
        self.faults.append((name, type(fault).__name__))

    def add(self, name: str, number: int) -> RowChannel:
        """A process that has accepted its rings."""
        offers: list[Message] = []

        def send(kind: Kind, *records: Any, descriptors: tuple[int, ...] = ()) -> None:
            if descriptors:
                offers.append(Message(kind, 0, list(records), [], [os.dup(one) for one in descriptors]))

        end = self.ends[name] = RowChannel(lambda *_, **__: None)
        self.channels.add(name, number, send)
        self._bells.append(end.accept(offers.pop()))
        self.channels.by_name[name].confirm()
        end.confirm()
        return end

    def close(self) -> None:
        """Close all ends."""
        for channel in (*self.channels.by_name.values(), *self.ends.values()):
            channel.close()
        for bell in self._bells:
            os.close(bell)


@pytest.fixture
def hub() -> Iterator[Hub]:
    """A hub, closed after the test."""
    made = Hub()
    yield made
    made.close()


def test_the_rows_of_all_processes_are_read_and_what_they_led_to_is_sent(hub: Hub) -> None:
    one, two = hub.add("worker 1", 1), hub.add("worker 2", 2)
    one.send([["ask", 1]])
    two.send([["ask", 2]])
    hub.on_flush = lambda: hub.channels.send("worker 2", [["full", 7, 1]])
    assert hub.channels.rounds()
    assert hub.read == [(1, ["ask", 1]), (2, ["ask", 2])]
    assert hub.flushed == 1
    assert [unpack(data) for data in two.take()] == [[["full", 7, 1]]]
    assert hub.channels.rounds()
    assert hub.flushed == 1, "there was nothing to read"


def test_rows_without_end_leave_timers_and_links_their_turn(hub: Hub) -> None:
    one = hub.add("worker 1", 1)
    hub.on_flush = lambda: one.send([["ask", hub.flushed]])
    one.send([["ask", 0]])
    assert not hub.channels.rounds()
    assert 0 < len(hub.read) <= module.ROUNDS
    assert hub.read == [(1, ["ask", number]) for number in range(len(hub.read))]


def test_after_a_long_round_timers_and_links_have_their_turn_and_the_other_rings_are_read_next(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONGEST", 0.0)
    one, two = hub.add("worker 1", 1), hub.add("worker 2", 2)
    one.send([["ask", 1]])
    two.send([["ask", 2]])
    for number, ask in ((1, 1), (2, 2), (1, 3)):
        assert not hub.channels.rounds()
        assert (hub.read.pop(), hub.read) == ((number, ["ask", ask]), [])
        if ask == 1:
            one.send([["ask", 3]])
    assert hub.channels.rounds()


def test_a_message_that_cannot_be_handled_is_reported_and_the_others_are_read(hub: Hub) -> None:
    one, two = hub.add("worker 1", 1), hub.add("worker 2", 2)
    ring = one._outbound
    assert ring is not None
    assert ring.put(b"\xff")
    one.send([["ask", 1]])
    two.send([["ask", 2]])
    assert hub.channels.rounds()
    assert hub.faults == [("worker 1", "ValueError")]
    assert hub.read == [(1, ["ask", 1]), (2, ["ask", 2])]


def test_damaged_memory_is_reported_once_and_the_rings_of_others_are_read(hub: Hub) -> None:
    one, two = hub.add("worker 1", 1), hub.add("worker 2", 2)
    os.pwrite(one._file, (1 << 63).to_bytes(8, "little"), 0)  # what is written of the ring that the hub reads
    two.send([["ask", 2]])
    for _ in range(2):
        assert hub.channels.rounds()
    assert hub.faults == [("worker 1", "ValueError")]
    assert hub.read == [(2, ["ask", 2])]


def test_what_a_process_wrote_before_it_died_is_read(hub: Hub) -> None:
    one = hub.add("worker 1", 1)
    one.send([["ask", 1]])
    hub.channels.remove("worker 1", 0.0)
    assert hub.read == [(1, ["ask", 1])]
    assert hub.channels.by_name == {}

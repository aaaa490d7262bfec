"""The bus of one process keeps the order and loses nothing; the only member is this worker."""

from engine.core.bus_messages import Ended, Moved
from server.realtime.worker.local_bus import LocalBus


def test_messages_wait_in_the_order_in_which_they_were_sent() -> None:
    bus = LocalBus()
    one, two = Ended("chat", 0, "stranger"), Moved("chat", 1, 5.0)
    bus.send((0, 0, 7, 0), one)
    bus.send((0, 0, 8, 0), two)
    assert list(bus.inbox) == [((0, 0, 7, 0), one), ((0, 0, 8, 0), two)]

"""What a worker sends is there until it was taken, and goes to the next frontend once, in its order."""

from typing import Any, cast

from server.fleet.frontend.store_outbox import StoreOutbox
from server.fleet.ipc.ipc_link import Kind
from server.fleet.ipc.ipc_peers import FRONTEND, Peers
from tests.server.fleet.processes.wires import Wires, took


def outbox(wires: Wires) -> StoreOutbox:
    """One over these."""
    return StoreOutbox(lambda: cast(Peers, wires))


def records(wires: Wires) -> list[Any]:
    """What was sent, by its first record."""
    return [message.records[0] for message in wires.take()]


def test_what_was_not_taken_goes_to_the_next_frontend_before_what_waited() -> None:
    wires = Wires(FRONTEND)
    box = outbox(wires)
    for number in (1, 2, 3):
        box.send(Kind.RECORD, number, weight=10)
    assert records(wires) == [1, 2, 3]
    box.took(took(2))
    box.took(took(99))  # something else's
    assert box.weight[Kind.RECORD] == 20
    wires.there.clear()
    box.dead()
    assert not box.open
    box.send(Kind.REPORT, 4)
    assert records(wires) == []
    wires.there.append(FRONTEND)
    box.joined()
    assert records(wires) == [1, 3, 4]
    assert (box.weight[Kind.RECORD], box.weight[Kind.REPORT]) == (20, 1)
    for number in (4, 5, 6):
        box.took(took(number))
    box.dead()
    box.joined()
    assert records(wires) == []
    assert not +box.weight

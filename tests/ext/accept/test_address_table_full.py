"""Test a table of addresses without room, and a slot that is being reassigned."""

import os
from collections.abc import Iterator

import pytest

from ext.accept.address_limits import Addresses
from ext.reactor.debug_hooks import claim, counted, hand_on, hold, slots
from tests.ext.accept.test_address_table import HOME, SECOND, Host, give_away, host_of, of

STATE = 0xFF
SETTLED = 1


@pytest.fixture
def small() -> Iterator[Host]:
    """Of two processes and one set: 16 addresses."""
    made = host_of(2, 16)
    yield made
    os.close(made.fd)


def lone(number: int) -> str:
    """An address that is in no network with others: a name that is none, so that it takes one slot."""
    return f"address {number}"


def fill(addresses: Addresses, now: float = 0.0) -> None:
    """All slots are in use."""
    for number in range(16):
        assert addresses.enter(lone(number), now)
    assert addresses.alone == 0


def place(host: Host, number: int) -> int:
    """The slot of the address that came as the `number`th into an empty set."""
    assert slots(host.table)[number][0]
    return number


def test_who_finds_no_room_is_judged_by_each_process_alone_and_that_is_counted(small: Host) -> None:
    one, two = small.process(0), small.process(1)
    fill(one)
    assert [one.enter(HOME, 0.0) for _ in range(4)] == [True] * 3 + [False]
    assert [two.enter(HOME, 0.0) for _ in range(4)] == [True] * 3 + [False]
    assert (one.alone, two.alone) == (6, 6), "the address and its network each time"
    assert two.wait(HOME, 0.0) == 0


def test_nobody_who_has_something_open_or_owes_something_gives_way(small: Host) -> None:
    one, two = small.process(0), small.process(1)
    fill(one)
    before = slots(small.table)
    for number in range(100, 200):
        two.enter(lone(number), 0.0)
    assert slots(small.table) == before
    for number in range(16):
        one.leave(lone(number), 0.1)
    two.enter(lone(300), 0.1)
    assert [word for word, _ in slots(small.table)] == [word for word, _ in before], "each owes a token still"
    two.enter(lone(301), 0.6)
    assert of(small, lone(301)) == (1, 0)
    assert small.table.used == 16


def test_what_was_alone_is_with_the_others_once_there_is_room(small: Host) -> None:
    one, two = small.process(0), small.process(1)
    fill(one)
    assert [two.enter(lone(20), 0.0), two.enter(lone(20), 0.0)] == [True, True]
    assert of(small, lone(20)) == (0, 0)
    one.leave(lone(3), 0.0)
    assert two.enter(lone(20), 10.0)
    assert of(small, lone(20)) == (3, 0), "all of it"
    assert not one.enter(lone(20), 10.0)
    for _ in range(3):
        two.leave(lone(20), 10.0)
    assert of(small, lone(20)) == (0, 0)


def test_whose_slot_went_to_another_gets_another(small: Host) -> None:
    one, two = small.process(0), small.process(1)
    fill(one)
    for number in range(16):
        one.leave(lone(number), 0.0)
    for number in range(16, 32):
        assert two.enter(lone(number), 10.0)
    assert two.alone == 0
    assert one.enter(lone(0), 10.0)
    assert one.alone == 1
    two.leave(lone(20), 10.0)
    one.leave(lone(0), 10.0)
    assert one.enter(lone(0), 20.0)
    assert of(small, lone(0)) == (1, 0)
    one.leave(lone(0), 20.0)
    cells = [cells for _, cells in slots(small.table)]
    assert sum(own for own, _ in cells) == 0
    assert sum(theirs >> 16 for _, theirs in cells) == 15


def test_a_slot_that_a_dead_process_was_giving_away_stops_nobody(small: Host) -> None:
    one, two = small.process(0), small.process(1)
    assert one.enter(lone(0), 0.0)
    give_away(small, place(small, 0), 1)
    assert of(small, lone(0)) == (1, 0), "what was counted there is seen all the while"
    assert [one.enter(lone(0), 0.0), one.enter(lone(0), 0.0), one.enter(lone(0), 0.0)] == [True, True, False]
    one.leave(lone(0), 0.0)
    small.table.clear(1, 0.0)
    assert slots(small.table)[0][0] & STATE == SETTLED
    assert of(small, lone(0)) == (2, 0)
    assert [two.enter(lone(0), 10.0), two.enter(lone(0), 10.0)] == [True, False]


def test_who_comes_to_a_slot_that_is_being_given_away_counts_in_another_and_both_are_summed(small: Host) -> None:
    one, two = small.process(0), small.process(1)
    assert one.enter(lone(0), 0.0)
    give_away(small, place(small, 0), 1)
    assert two.enter(lone(0), 0.0)
    assert small.table.used == 2
    assert of(small, lone(0)) == (2, 0)
    assert two.enter(lone(0), 0.0)
    assert not two.enter(lone(0), 0.0)
    small.table.clear(0, 0.0)
    assert of(small, lone(0)) == (2, 0)
    two.leave(lone(0), 0.0)
    two.leave(lone(0), 0.0)
    small.table.clear(1, 100.0)
    assert small.table.used == 0


def test_a_slot_goes_to_another_only_where_nobody_counts_and_nothing_is_owed(small: Host) -> None:
    one = small.process(0)
    assert one.enter(lone(0), 0.0)
    slot = place(small, 0)
    assert not claim(small.table, slot, 1, 100 * SECOND)
    one.leave(lone(0), 0.0)
    assert not claim(small.table, slot, 1, SECOND // 4)
    assert claim(small.table, slot, 1, SECOND)
    assert not claim(small.table, slot, 0, SECOND), "one process at a time"
    assert hand_on(small.table, slot, 1, lone(1), SECOND)
    assert counted(small.table, lone(0)) is None
    assert of(small, lone(1)) == (0, 0)


def test_a_count_that_came_before_the_claim_keeps_its_slot(small: Host) -> None:
    one = small.process(0)
    assert one.enter(lone(0), 0.0)
    slot = place(small, 0)
    give_away(small, slot, 1)
    assert not hand_on(small.table, slot, 1, lone(1), 100 * SECOND)
    assert counted(small.table, lone(1)) is None
    assert of(small, lone(0)) == (1, 0)
    assert one.enter(lone(0), 0.0)
    assert small.table.used == 1


def test_a_count_that_comes_after_the_claim_is_not_there(small: Host) -> None:
    one = small.process(0)
    assert one.enter(lone(0), 0.0)
    one.leave(lone(0), 0.0)
    slot = place(small, 0)
    assert claim(small.table, slot, 1, SECOND)
    assert not hold(small.table, slot, 0, lone(0), 1 << 16)
    assert hand_on(small.table, slot, 1, lone(1), SECOND)
    assert not hold(small.table, slot, 0, lone(0), 1 << 16)
    assert of(small, lone(1)) == (0, 0)
    assert hold(small.table, slot, 0, lone(1), 1 << 16)
    assert of(small, lone(1)) == (1, 0)


def test_two_slots_of_an_address_have_one_bucket(small: Host) -> None:
    one, two = small.process(0, open_max=100), small.process(1, open_max=100)
    assert sum(one.enter(lone(0), 0.0) for _ in range(4)) == 4
    give_away(small, place(small, 0), 1)
    assert sum(two.enter(lone(0), 0.0) for _ in range(10)) == 2
    small.table.clear(1, 0.0)
    assert not one.enter(lone(0), 0.0)
    found = counted(small.table, lone(0))
    assert found is not None
    assert found[2] == 3_000_000_000


def test_a_second_slot_before_the_first_owes_what_that_one_owes(small: Host) -> None:
    one, two = small.process(0, open_max=100), small.process(1, open_max=100)
    assert one.enter(lone(9), 0.0)
    one.leave(lone(9), 0.0)
    assert sum(one.enter(lone(0), 4.0) for _ in range(6)) == 6
    one.forget(4.0)
    assert [bool(word) for word, _ in slots(small.table)[:2]] == [False, True]
    give_away(small, place(small, 1), 1)
    assert not two.enter(lone(0), 4.0)
    assert two.enter(lone(0), 4.5)
    assert small.table.used == 2
    assert not two.enter(lone(0), 4.5)
    assert two.wait(lone(0), 4.5) == 1

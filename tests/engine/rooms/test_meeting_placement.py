"""Where people of several workers meet, of one host and of several."""

from __future__ import annotations

import pytest

from engine.rooms.meeting_placement import CUT_FOR, FAILS, HOST_BITS, OTHERS, Placement

A, B, C = (host << HOST_BITS for host in (0xA, 0xB, 0xC))


def placing(people: dict[int, int], fixed: tuple[int, ...] = ()) -> Placement:
    """Workers, and how many people each has."""
    made = Placement()
    for worker, count in people.items():
        made.joined(worker, count, worker in fixed)
    return made


def test_people_of_one_host_meet_at_the_emptier_of_the_two_or_at_a_third_that_is_emptier_still() -> None:
    made = placing({1: 10, 2: 8, 3: 7})
    assert made.where([1, 2]) == 2
    made.people[3] = 5
    assert made.where([1, 2]) == 3
    made.leaves(3)
    assert made.where([1, 2]) == 2
    made.stays(3)
    assert made.where([1, 2]) == 3


def test_people_of_two_hosts_meet_at_one_of_the_two_and_never_at_a_third() -> None:
    made = placing({A | 1: 10, B | 1: 8, C | 1: 0})
    assert made.where([A | 1, B | 1]) == B | 1
    made.joined(B | 2, 2, False)  # of that host the emptiest
    assert made.where([A | 1, B | 1]) == B | 2
    made.people[A | 1] = 1
    assert made.where([A | 1, B | 1]) == A | 1
    assert made.where([B | 1, B | 1]) == B | 1


def test_of_three_those_who_are_at_one_host_stay_there() -> None:
    made = placing({A | 1: 100, A | 2: 90, B | 1: 0})
    assert made.where([A | 1, B | 1, A | 2]) == A | 2


def test_nobody_goes_to_a_host_that_leaves_unless_both_do() -> None:
    made = placing({A | 1: 10, B | 1: 1})
    made.leaves(B | 1)
    assert made.where([A | 1, B | 1]) == A | 1
    made.leaves(A | 1)
    assert made.where([A | 1, B | 1]) == B | 1


def test_who_cannot_move_is_come_to_from_any_host() -> None:
    made = placing({A: 0, A | 1: 0, B | 1: 0}, fixed=(A,))
    made.leaves(A | 1)
    assert made.where([A, B | 1]) == A


def test_of_two_who_are_come_to_one_goes_to_the_emptier_that_takes_people() -> None:
    made = placing({A: 5, A | 1: 0, B: 4, B | 1: 0}, fixed=(A, B))
    assert [made.place(worker) for worker in made.people] == [0, 0, 0, 0]
    assert made.where([A, B]) == made.where([B, A]) == B
    made.people[B] = 5
    assert made.where([B, A]) == A
    made.leaves(A)
    assert made.where([B, A]) == B
    made.leaves(B)
    assert made.where([B, A]) == A
    assert made.where([A, A]) == A


def test_of_three_of_whom_two_are_come_to_they_meet_where_two_of_them_are() -> None:
    made = placing({A: 9, A | 1: 0, B: 4, B | 1: 0, C | 1: 0}, fixed=(A, B))
    assert made.where([A, B, A | 1]) == made.where([A | 1, B, A]) == made.where([B, A, A]) == A
    assert made.where([C | 1, A, B]) == B


def fail(made: Placement, one: int, two: int, now: float = 0.0, times: int = FAILS) -> None:
    for _ in range(times):
        made.missed([one, two], now)


def test_two_hosts_between_which_nobody_comes_over_are_apart_for_a_while_and_then_tried_once() -> None:
    made = placing({A | 1: 0, B | 1: 0, C | 1: 0})
    fail(made, A | 1, B | 1, times=FAILS - 1)
    made.met([B | 1, A | 1])
    fail(made, A | 1, B | 1, times=FAILS - 1)
    assert made.due() is None
    fail(made, A | 1, B | 1, times=1)
    places = {made.place(A | 1), made.place(B | 1)}
    assert len(places - {0}) == 2
    assert made.place(C | 1) == 0, "it reaches both"
    assert made.due() == CUT_FOR
    assert made.advance(CUT_FOR - 1) == []
    assert sorted(made.advance(CUT_FOR)) == [A | 1, B | 1]
    assert (made.place(A | 1), made.place(B | 1), made.due()) == (0, 0, None)
    fail(made, A | 1, B | 1, CUT_FOR, times=1)
    assert made.due() == 2 * CUT_FOR


def test_one_host_that_reaches_nobody_leaves_the_others_together() -> None:
    made = placing({A | 1: 0, B | 1: 0, C | 1: 0, C: 0}, fixed=(C,))
    fail(made, A | 1, C | 1)
    fail(made, B | 1, C | 1)
    assert made.place(A | 1) == made.place(B | 1) == OTHERS
    assert made.place(C | 1) == made.place(C) not in (0, OTHERS)
    for worker in (C, C | 1):
        made.gone(worker)
    assert (made.place(A | 1), made.due()) == (0, None)


def test_failures_within_a_host_part_nobody() -> None:
    made = placing({A | 1: 0, A | 2: 0, B | 1: 0})
    fail(made, A | 1, A | 2)
    assert made.due() is None


@pytest.mark.parametrize("number", [1, 0xFF, 0xABCDEF0123])
def test_a_host_is_all_but_the_lowest_bits(number: int) -> None:
    made = placing({number << HOST_BITS | 1: 3, 1: 2})
    assert made.apart
    assert made.where([1, number << HOST_BITS | 1]) == 1

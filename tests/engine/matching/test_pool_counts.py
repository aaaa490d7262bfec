"""The pools that are open: given back when nobody needs them, and never all looked at."""

import itertools
import random
import sys
from collections.abc import Callable, Iterator
from string import ascii_lowercase
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.matching.lobby import MOST_POOLS, Lobby
from engine.matching.pool_counts import EMPTY_FOR, EMPTY_MAX, PoolRooms
from engine.matching.tickets import Pool, Ticket

EN = Pool()


def languages() -> Iterator[Pool]:
    """As many pools as a stranger can name: every tag of three letters."""
    for a in ascii_lowercase:
        for b in ascii_lowercase:
            for c in ascii_lowercase:
                yield Pool(language=a + b + c)


def lines(call: Callable[[], Any]) -> int:
    """How many lines of the waiting room a call runs, each turn of a loop counted: what it costs, on any machine."""
    count = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        if "/engine/matching/" not in frame.f_code.co_filename:
            return None
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return count


def costs(open_pools: int) -> tuple[int, ...]:
    """The lines of a find, a second one, a step and a status, of an English speaker and of who takes any language."""
    lobby = Lobby()
    for client, pool in zip(range(1000, 1000 + open_pools), languages(), strict=False):
        lobby.submit(Ticket(client, pool, (), person=client), 0.0)
    wish = lobby.intern(["chess"])
    star = Pool(language="*")
    return (
        lines(lambda: lobby.submit(Ticket(1, EN, wish, person=1), 1.0)),
        lines(lambda: lobby.status(1, 1.0)),
        lines(lambda: lobby.submit(Ticket(1, EN, (), person=1), 1.5)),
        lines(lambda: lobby.submit(Ticket(2, star, wish, person=2), 2.0)),
        lines(lambda: lobby.advance(5.5)),
        lines(lambda: lobby.cancel(1, 6.0)),
    )


def test_no_find_no_step_and_no_end_costs_more_where_more_pools_are_open() -> None:
    assert costs(2 * EMPTY_MAX) == costs(8_000)  # from EMPTY_MAX on, a pool that opens strikes the oldest off the list


def test_after_many_languages_all_is_as_before() -> None:
    lobby = Lobby()
    lobby.submit(Ticket(1, EN, lobby.intern(["chess"]), person=1), 0.0)
    before = lobby.figures()
    for client, pool in enumerate(languages(), 10):
        lobby.submit(Ticket(client, pool, (), person=client), 0.0)
        lobby.cancel(client, 0.0)
        assert lobby.figures()["pools"] <= EMPTY_MAX + 1
    assert lobby.due() == 3.0
    lobby.advance(2 * EMPTY_FOR)
    after = lobby.figures()
    assert after["pools"] == before["pools"] == 1
    assert after["interests"] == before["interests"]
    assert after["bytes"] <= before["bytes"] + 64 * (EMPTY_MAX + 1), (
        "the index keeps one line for each number, to be used again"
    )
    assert lobby.sizes() == {EN: 1}


def test_as_many_pools_are_open_as_people_wait_in_and_a_few() -> None:
    lobby = Lobby()
    for client, pool in zip(range(1_000), languages(), strict=False):
        lobby.submit(Ticket(client, pool, (), person=client), 0.0)
    assert lobby.figures()["pools"] == 1_000
    for client in range(1_000):
        lobby.cancel(client, 1.0)
    assert lobby.figures()["pools"] == EMPTY_MAX
    lobby.advance(1.0 + EMPTY_FOR)
    assert lobby.figures()["pools"] == 0
    assert lobby.due() is None


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 70)), max_size=60))
def test_when_the_first_empty_pool_is_looked_at_is_known_whatever_came_before(
    moves: list[tuple[int, int, int]],
) -> None:
    numbers, now = itertools.count(), 0.0
    rooms = PoolRooms(lambda: next(numbers))
    for which, what, seconds in moves:
        now += seconds
        room = rooms.of(Pool(language="abcd"[which]), now)
        if what == 0:
            rooms.enter(room)
        elif what == 1 and room.waiting:
            rooms.leave(room, now)
        elif what == 2:
            rooms.expire(now)
        empty = rooms._empty
        assert rooms.due() == (min(empty.values()) + EMPTY_FOR if empty else float("inf"))


def test_a_pool_to_which_people_come_stays_open_and_remembers_how_many() -> None:
    lobby = Lobby()
    for client in range(70):
        lobby.submit(Ticket(client, EN, (), person=client), 50.0)
    assert lobby.sizes() == {EN: 0}
    lobby.advance(50.0 + EMPTY_FOR - 5.0)
    assert lobby.submit(Ticket(100, EN, lobby.intern(["a", "b", "c"]), person=100, since=105.0), 105.0) is None
    assert lobby.submit(Ticket(101, EN, lobby.intern(["c", "d", "e"]), person=101, since=105.0), 105.0) is None, (
        "not quiet"
    )


def test_who_comes_back_after_their_pool_was_given_back_waits_in_it_again() -> None:
    lobby = Lobby()
    lobby.submit(Ticket(1, EN, (), person=1), 0.0)
    lobby.set_aside(1, 1.0)
    lobby.advance(2 * EMPTY_FOR)
    assert lobby.sizes() == {}
    lobby.submit(Ticket(2, Pool(language="de"), (), person=2), 2 * EMPTY_FOR)  # has the number that it had
    assert lobby.restore(1, 2 * EMPTY_FOR) is None
    match = lobby.submit(Ticket(3, EN, (), person=3), 2 * EMPTY_FOR)
    assert match is not None
    assert (match.a, match.b) == (3, 1)


def test_who_takes_any_language_looks_where_the_most_wait() -> None:
    lobby = Lobby()
    client = 0
    for number, pool in zip(range(2 * MOST_POOLS), languages(), strict=False):
        for _ in range(2 ** (number % 5)):
            client += 1
            lobby.submit(Ticket(client, pool, lobby.intern([f"only {client}"]), True, client), 0.0)
    own = lobby._rooms.of(Pool(language="*"), 0.0)
    found = [room.waiting for room in own.family.fullest(MOST_POOLS, own)]
    assert found == [16] * 6 + [8] * 6 + [4] * 3


def numbered() -> Callable[[], int]:
    given = iter(range(1_000_000))
    return lambda: next(given)


def test_numbers_are_used_again() -> None:
    made = numbered()
    rooms = PoolRooms(made)
    for number, pool in enumerate(languages()):
        rooms.of(pool, float(number))
    assert made() == EMPTY_MAX + 1


@pytest.mark.parametrize("seed", range(3))
def test_rooms_and_index_agree_on_how_many_wait(seed: int) -> None:
    rng = random.Random(seed)
    lobby = Lobby()
    pools = [Pool(mode, language) for mode in ("text", "video") for language in ("en", "de", "fr", "*")]
    for step in range(5_000):
        now, client = step * 0.05, rng.randrange(200)
        deed = rng.randrange(6)
        if deed < 3:
            ids = lobby.intern([f"w{rng.randrange(30)}" for _ in range(rng.randrange(4))])
            lobby.submit(Ticket(client, rng.choice(pools), ids, rng.random() < 0.3, client, since=now), now)
        elif deed == 3:
            lobby.cancel(client, now)
        elif deed == 4:
            lobby.set_aside(client, now)
        else:
            lobby.restore(client, now)
        lobby.advance(now)
        for room in lobby._rooms._rooms.values():
            assert room.waiting == lobby._matcher.waiting(room.number)
        for family in lobby._rooms._families.values():
            own = [room for room in lobby._rooms._rooms.values() if room.family is family]
            assert family.waiting == sum(room.waiting for room in own)
            assert family.open == len(own)
            assert [set(rooms) for rooms in family.sizes[1:]] == [
                {room for room in own if room.waiting.bit_length() == size} for size in range(1, len(family.sizes))
            ]
    assert sum(lobby.sizes().values()) == len(lobby._matcher)

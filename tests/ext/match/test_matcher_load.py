"""Test the matcher under load and under attack: its cost is counted in postings and tickets, never timed."""

import random
from collections import deque
from typing import Any

import numpy as np
import pytest

from bench.matching.workloads import Arrivals, Stream
from ext.match.errors import BadArray, DuplicateInterest, MatcherFull, TooMany, UnknownPool
from ext.match.matcher import FULL, LISTS_FULL, Matcher, variants


def batch(
    matcher: Matcher, part: Arrivals, **how: Any
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """One call with arrays of its own for the answers."""
    n = len(part)
    partner, handle, score = np.empty(n, np.int64), np.empty(n, np.int64), np.zeros(n, np.uint32)
    matcher.submit_batch(
        part.pools, part.offsets, part.interests, partner, handle, score,
        **({"clients": part.clients, "persons": part.persons, "recents": part.recents} | how),
    )  # fmt: skip
    return partner, handle, score


def opened(capacity: int, pools: int = 8, **more: Any) -> Matcher:
    matcher = Matcher(capacity, **more)
    for _ in range(pools):
        matcher.pool()
    return matcher


@pytest.mark.parametrize("variant", variants())
@pytest.mark.parametrize(
    "table_from", [4, 2000, 262_144]
)  # fetched ahead from the first on, from 1,000 who wait on, never
def test_arrays_give_what_single_calls_give(variant: str, table_from: int) -> None:
    part = Stream(3).take(4000)
    one, other = opened(8000, variant=variant, table_from=table_from), opened(8000, variant=variant)
    partner, handle, score = batch(one, part, exact=True, recents=None)
    clients: dict[int, int] = {}
    for i in range(len(part)):
        persons = int(part.persons[i])
        answer = other.submit(persons, int(part.pools[i]), part.ids(i), 1, 0.0, exact=True)
        if isinstance(answer, tuple):
            assert score[i] == len(answer[1])
            assert clients[int(partner[i])] == answer[0]
        else:
            assert partner[i] == -1
            clients[int(handle[i])] = persons
    assert len(one) == len(other)


def test_arrays_without_clients_number_them_from_the_first_on() -> None:
    matcher = opened(8000, table_from=2000)  # from 1,000 who wait on the rest is fetched ahead
    _, handle, _ = batch(matcher, Stream(5).take(3000), clients=None, only_insert=True, hold=True)
    for client, one in enumerate(handle):
        assert f" client {client} pool" in matcher.dump("ticket", int(one))


def test_every_build_gives_the_same_results_in_arrays_with_the_table() -> None:
    answers = []
    for variant in variants():
        matcher = opened(30_000, variant=variant, table_from=2000, log=1024)
        stream = Stream(4)
        batch(matcher, stream.take(10_000), only_insert=True, hold=True)
        answers.append([batch(matcher, stream.take(1000), hold=True) for _ in range(10)])
    for other in answers[1:]:
        for a, b in zip(answers[0], other, strict=True):
            assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def test_the_table_keeps_most_of_the_exact_overlap_and_nearly_all_matches() -> None:
    totals = []
    for exact in (True, False):
        matcher = opened(60_000, table_from=1 << 31 if exact else 4000, log=0 if exact else 4096)
        stream = Stream(5)
        batch(matcher, stream.take(40_000), only_insert=True, hold=True)
        overlap = met = 0
        for _ in range(40):
            partner, _, score = batch(matcher, stream.take(1000), hold=True, exact=exact)
            overlap += int(score.sum())
            met += int((partner >= 0).sum())
        totals.append((overlap, met))
    assert totals[1][0] >= 0.85 * totals[0][0]
    assert totals[1][1] >= 0.99 * totals[0][1]


def test_a_million_submits_and_cancels_leave_nothing_behind() -> None:
    matcher = opened(50_000)
    dice = random.Random(1)
    before = matcher.memory()
    waiting: list[int] = []
    new = 0
    for _ in range(1_000_000 // 20):
        for _ in range(20):
            new += 1
            handle = matcher.submit(new, new & 7, (new % 1000, 1000 + new), 0, 0.0, new, quiet=False, look=False)
            assert isinstance(handle, int)
            waiting.append(handle)
        while len(waiting) > 100:
            at = dice.randrange(len(waiting))
            waiting[at], waiting[-1] = waiting[-1], waiting[at]
            assert matcher.remove(waiting.pop())
    for handle in waiting:
        assert matcher.remove(handle)
    for client in range(200):  # lists touched by the last 64 tickets (and half as many as wait) are kept for the moment
        assert isinstance(matcher.submit(client, 0, (), 0, 0.0), int)
    matcher.tidy(3_000_000)
    after = matcher.memory()
    assert after["lists_open"] - before["lists_open"] <= 1
    assert after["postings"] - before["postings"] <= 256
    assert matcher.counts()["swept"] < 40_000_000


def test_new_interests_only_do_not_pile_up_when_their_tickets_are_matched_away() -> None:
    matcher = opened(4096)
    for new in range(100_000):
        matcher.submit(new, 0, (0, *range(10 * new + 10, 10 * new + 19)), 1, 0.0)
    assert matcher.memory()["lists_open"] < 10_000


def test_a_budget_bounds_postings_and_tickets_whoever_is_blocked() -> None:
    """Everybody has the one interest and everybody is a recent partner of everybody."""
    matcher = opened(60_000, most_postings=2000, most_tickets=64)
    for client in range(20_000):
        matcher.submit(client, 0, (7,), 1, 0.0, 5, (5,), look=False)
    before = matcher.counts()
    for client in range(100):
        assert isinstance(matcher.submit(100_000 + client, 0, (7,), 1, 0.0, 5, (5,)), int)
    after = matcher.counts()
    assert after["postings"] - before["postings"] <= 100 * 2000
    assert after["tickets"] - before["tickets"] <= 100 * 64
    assert after["cut"] - before["cut"] == 100
    assert isinstance(matcher.submit(1, 0, (7,), 1, 0.0, 6, exact=True), tuple)


def test_dead_postings_are_swept_away_by_the_deaths_themselves() -> None:
    matcher = opened(60_000)
    handles = [matcher.submit(client, 0, (7,), 1, 0.0, look=False) for client in range(50_000)]
    for handle in handles[:-10]:
        assert isinstance(handle, int)
        assert matcher.remove(handle)
    before = matcher.counts()["postings"]
    answer = matcher.submit(1, 0, (7, 8), 1, 0.0, exact=True)
    assert isinstance(answer, tuple)
    assert answer[0] == 49_990
    assert matcher.counts()["postings"] - before < 2000


def test_exact_search_in_a_pool_of_many_finds_who_the_table_forgot() -> None:
    matcher = opened(30_000, table_from=100, log=64)
    assert isinstance(matcher.submit(1, 0, (123_456, 3), 1, 0.0, look=False), int)
    stream = Stream(6)
    for _ in range(10):
        part = stream.take(2000)
        batch(
            matcher,
            Arrivals(part.pools * 0, part.offsets, part.interests + 10, part.persons, part.recents, part.clients),
            only_insert=True,
            hold=True,
        )
    answer = matcher.submit(2, 0, (123_456,), 1, 0.0, exact=True)
    assert isinstance(answer, tuple)
    assert answer[0] == 1


def test_a_full_matcher_says_so_and_goes_on() -> None:
    matcher = opened(8)
    for client in range(8):
        assert isinstance(matcher.submit(client, 0, (client,), 1, 0.0), int)
    with pytest.raises(MatcherFull):
        matcher.submit(99, 0, (99,), 1, 0.0)
    assert isinstance(matcher.submit(100, 0, (3,), 1, 0.0), tuple)
    assert isinstance(matcher.submit(99, 0, (99,), 1, 0.0), int)


@pytest.mark.parametrize("table_from", [4, 262_144])  # fetched ahead, and not
def test_an_array_tells_who_was_refused_from_who_met_somebody(table_from: int) -> None:
    matcher = opened(8, table_from=table_from)
    arrays = good(12)
    assert matcher.submit_batch(**arrays) == 0
    assert (arrays["handle"][:8] >= 0).all()
    assert arrays["partner"].tolist() == [-1] * 12
    assert arrays["handle"][8:].tolist() == [FULL] * 4
    met = good(1)
    assert matcher.submit_batch(**met) == 1
    assert (met["partner"][0], met["handle"][0]) == (arrays["handle"][0], -1)


def test_an_array_that_outgrows_the_list_table_says_who_was_refused() -> None:
    matcher = opened(1000, lists=64)
    arrays = good(100)
    assert matcher.submit_batch(**arrays) == 0
    refused = arrays["handle"] < 0
    assert refused.any()
    assert (arrays["handle"][refused] == LISTS_FULL).all()
    assert len(matcher) == 100 - int(refused.sum())
    assert len({FULL, LISTS_FULL, -1}) == 3


def test_arrays_of_who_named_nothing_are_taken() -> None:
    matcher = opened(100)
    arrays = good(4) | {"offsets": np.zeros(5, np.uint32), "interests": np.empty(0, np.uint32)}
    assert matcher.submit_batch(**arrays) == 0
    assert len(matcher) == 4


def test_a_full_list_table_refuses_the_newcomer() -> None:
    matcher = opened(1000, lists=64)
    clients = iter(range(1000))
    with pytest.raises(MatcherFull):
        deque(iter(lambda: matcher.submit(client := next(clients), 0, (client,), 1, 0.0), None), maxlen=0)
    assert isinstance(matcher.submit(5000, 0, (0,), 1, 0.0), tuple)


def test_what_waits_in_the_log_does_not_outgrow_the_list_table() -> None:
    matcher = opened(4096, lists=800, table_from=32, log=128)
    clients = iter(range(4096))
    with pytest.raises(MatcherFull):
        deque(
            iter(lambda: matcher.submit(c := next(clients), 0, tuple(range(10 * c, 10 * c + 10)), 1, 0.0), None),
            maxlen=0,
        )
    matcher.tidy()
    waiting = len(matcher)
    assert waiting > 128
    assert matcher.memory()["lists_open"] <= 800
    assert isinstance(matcher.submit(5000, 0, (0,), 1, 0.0), tuple)
    assert len(matcher) == waiting - 1


def good(n: int = 4) -> dict[str, Any]:
    return {
        "pools": np.zeros(n, np.uint16), "offsets": np.arange(n + 1, dtype=np.uint32), "interests": np.arange(n, dtype=np.uint32),
        "partner": np.empty(n, np.int64), "handle": np.empty(n, np.int64), "score": np.zeros(n, np.uint32),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"pools": np.zeros(4, np.int64)}, ValueError),
        ({"pools": np.zeros(8, np.uint16)[::2]}, BadArray),
        ({"pools": np.zeros((2, 2), np.uint16)}, ValueError),
        ({"pools": np.zeros(3, np.uint16)}, BadArray),
        ({"pools": np.full(4, 9, np.uint16)}, UnknownPool),
        ({"offsets": np.array([0, 2, 1, 3, 4], np.uint32)}, BadArray),
        ({"offsets": np.array([0, 1, 2, 3, 9], np.uint32)}, BadArray),
        ({"offsets": np.array([0, 4_000_000_000, 2, 3, 4], np.uint32)}, TooMany),
        (
            {"interests": np.array([1, 1, 1, 1], np.uint32), "offsets": np.array([0, 2, 2, 3, 4], np.uint32)},
            DuplicateInterest,
        ),
        ({"interests": np.arange(40, dtype=np.uint32), "offsets": np.array([0, 36, 37, 38, 39], np.uint32)}, TooMany),
        ({"score": np.zeros(5, np.uint32)}, BadArray),
        ({"recents": np.zeros((4, 3), np.uint32)}, BadArray),
        ({"levels": np.full(4, 7, np.uint8)}, BadArray),
        ({"pools": None}, BadArray),
    ],
)
def test_a_bad_array_is_a_named_error_and_changes_nothing(change: dict[str, Any], error: type[Exception]) -> None:
    matcher = opened(100)
    matcher.submit(1, 0, (2,), 1, 0.0)
    arrays = good() | change
    with pytest.raises(error):
        matcher.submit_batch(**arrays)
    assert len(matcher) == 1
    assert matcher.submit_batch(**good()) == 1

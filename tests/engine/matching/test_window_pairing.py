"""All who wait are paired together, for the most of shared weight."""

import itertools
import random

import pytest

from engine.matching.lobby import Lobby
from engine.matching.thresholds import LEAST_WINDOW, SPAN, Thresholds
from engine.matching.tickets import Match, Pool, Ticket
from engine.matching.window_pairing import MOST, EndedWindow, Pair
from ext.base.id_map import IdMap
from tests.engine.matching.test_lobby import EN, ticket


def test_windows_pair_for_the_sum_and_not_by_who_came_first() -> None:
    lobby = Lobby(Thresholds(any_after=0.0, window=0.2))
    for client, words in enumerate(("music", "music chess", "music chess", "music"), 1):
        assert lobby.submit(ticket(lobby, client, words), 0.0) is None
    assert lobby.due() == 0.2
    matches, _ = lobby.advance(0.2)
    assert sorted(sorted((m.a, m.b)) for m in matches) == [[1, 4], [2, 3]]
    assert all(m.waited_a == 0.2 for m in matches)
    assert lobby.sizes().get(EN, 0) == 0
    assert lobby.counts["matched"] == 4


def test_who_has_no_interests_waits_for_no_window() -> None:
    lobby = Lobby(Thresholds(window=0.2))
    assert lobby.submit(ticket(lobby, 1), 0.0) is None
    assert lobby.submit(ticket(lobby, 2), 0.0) == Match(2, 1, (), 0.0, 0.0, 0.0, "anyone")


def test_a_window_respects_who_must_not_meet() -> None:
    lobby = Lobby(Thresholds(any_after=0.0, window=0.2))
    lobby.submit(ticket(lobby, 1, "music", blocked=(2,)), 0.0)
    lobby.submit(ticket(lobby, 2, "music"), 0.0)
    lobby.submit(ticket(lobby, 3, "music", recent=(1,)), 0.0)
    assert [{m.a, m.b} for m in lobby.advance(0.2)[0]] == [{2, 3}]


def waiting(count: int) -> list[Ticket]:
    """Tickets in the order of age; two and two share an interest."""
    return [Ticket(client, Pool(), (client // 2,), person=client) for client in range(count)]


def pairs(tickets: list[Ticket], *, quiet: bool = True) -> list[Pair]:
    """The pairs of a window of tickets which all still wait."""
    here: IdMap[Ticket] = IdMap()
    for one in tickets:
        here.put(one.client, one)
    window = EndedWindow(tickets, lambda _: 8, quiet)
    found = [window.next(here) for _ in range(len(window))]
    assert None not in found
    return [pair for pair in found if pair is not None]


def test_a_ticket_without_interests_takes_no_part() -> None:
    assert pairs([Ticket(1, Pool()), Ticket(2, Pool()), *waiting(1)]) == []


def test_of_too_many_the_longest_waiting_and_the_newest_take_part() -> None:
    met = {ticket.client for one, other, *_ in pairs(waiting(MOST + 1000)) for ticket in (one, other)}
    assert len(met) == MOST
    assert met.isdisjoint(range(MOST // 2, MOST // 2 + 1000))


def test_a_pair_is_good_where_it_shares_half_of_what_either_asked_for() -> None:
    one, other = Ticket(1, Pool(), (1, 2, 3), person=1), Ticket(2, Pool(), (3, 4, 5), person=2)
    one._level = other._level = 1
    assert [good for *_, good in pairs([one, other], quiet=False)] == [False]
    other.interests = (3, 4)
    assert [good for *_, good in pairs([one, other], quiet=False)] == [True]


def test_the_pairs_of_a_large_window_are_taken_over_turns_without_who_left_meanwhile() -> None:
    lobby = Lobby(Thresholds(window=0.2))
    for client in range(400):
        lobby.submit(ticket(lobby, client, f"both{client // 2} own{client}"), 0.0)
    turns = [lobby.advance(0.2, 500)[0], lobby.advance(0.2, 1)[0]]
    assert len(turns[1]) == 1  # it goes on however little a turn may do
    lobby.cancel(398, 0.2)
    lobby.set_aside(396, 0.2)
    while (due := lobby.due()) is not None and due <= 0.2:
        turns.append(lobby.advance(0.2, 500)[0])
    assert max(map(len, turns)) < 100
    assert sorted(sorted((m.a, m.b)) for turn in turns for m in turn) == [[n, n + 1] for n in range(0, 396, 2)]
    assert [lobby.waiting(client) is not None for client in (396, 397, 398, 399)] == [False, True, False, True]


def test_a_window_respects_who_stays_where() -> None:
    lobby = Lobby(Thresholds(any_after=0.0, window=0.2))
    for client, place in ((1, 1), (2, 2), (3, 2)):
        lobby.submit(ticket(lobby, client, "music", place=place), 0.0)
    assert [{m.a, m.b} for m in lobby.advance(0.2)[0]] == [{2, 3}]


def arrive(lobby: Lobby, rate: float, until: float, words: str = "only{}") -> float:
    """People arrive at a steady rate until a time, and leave at once. Return that time."""
    for number in range(round(rate * until)):
        now = number / rate
        lobby.advance(now)
        lobby.submit(ticket(lobby, 10_000 + number, words.format(number), now), now)
        lobby.cancel(10_000 + number, now)
    lobby.advance(until)
    return until


def test_a_busy_pool_gathers_newcomers_by_itself_and_pairs_them_for_the_most_shared() -> None:
    lobby = Lobby(Thresholds(any_after=0.0))
    now = arrive(lobby, 500.0, 3.0)
    for client, words in enumerate(("music", "music chess", "music chess tea", "music film"), 1):
        assert lobby.submit(ticket(lobby, client, words, now), now) is None
    due = lobby.due()
    assert due is not None
    assert now < due < now + lobby.thresholds.busy_window
    matches, _ = lobby.advance(due)
    assert sorted(sorted((m.a, m.b)) for m in matches) == [[1, 4], [2, 3]]


def test_the_window_grows_with_the_arrivals_and_without_a_step() -> None:
    rules = Thresholds()
    windows = [rules.window_at(rate) for rate in range(1200)]
    assert windows[:51] == [0.0] * 51
    assert windows[51] == LEAST_WINDOW
    assert set(windows[500:1001]) == {rules.busy_window}
    assert all(0.0 <= later - before < 0.0027 for before, later in itertools.pairwise(windows[51:1001]))
    assert rules.window_at(1e6) == pytest.approx(0.0012)  # no more tickets than one pairing can afford
    assert Thresholds(busy_window=0.0).window_at(1000.0) == 0.0


def test_two_with_the_same_interests_wait_for_no_window() -> None:
    lobby = Lobby(Thresholds())
    now = arrive(lobby, 500.0, 3.0)
    assert lobby.submit(ticket(lobby, 1, "chess tea", now), now) is None
    assert lobby.submit(ticket(lobby, 2, "chess tea film", now), now) is None
    match = lobby.submit(ticket(lobby, 3, "tea chess", now), now)
    assert match is not None
    assert {match.a, match.b} == {1, 3}


def test_who_gathered_meets_the_next_who_fits_when_the_pool_is_busy_no_more() -> None:
    lobby = Lobby(Thresholds())
    now = arrive(lobby, 500.0, 3.0)
    lobby.submit(ticket(lobby, 1, "chess tea film", now), now)
    later = now + 2 * SPAN  # nobody came since
    assert lobby.advance(later)[0] == []
    assert lobby.submit(ticket(lobby, 2, "tea", later), later) is not None


def test_nobody_who_gathers_waits_longer_than_the_steps_allow() -> None:
    lobby = Lobby(Thresholds())
    now = arrive(lobby, 1000.0, 3.0)
    lobby.submit(ticket(lobby, 1, "alone", now), now)
    lobby.submit(ticket(lobby, 2, "lonely", now), now)
    steps = []
    while (due := lobby.due()) is not None and due <= now + 10.0:
        matches, told = lobby.advance(due)
        steps += told
        if matches:
            break
    assert [step.accepts for step in steps if step.client == 1][:1] == ["any"]
    assert {matches[0].a, matches[0].b} == {1, 2}
    assert due is not None
    assert due <= now + 10.0


@pytest.mark.parametrize("rate", [10.0, 60.0, 300.0, 1000.0])
def test_no_two_who_may_meet_by_rule_6_go_on_waiting(rate: float) -> None:
    lobby, dice = Lobby(), random.Random(6)
    rules = lobby.thresholds
    wait: dict[int, Ticket] = {}

    def met(matches: list[Match], now: float) -> None:
        for match in matches:
            del wait[match.a], wait[match.b]
        old = [one for one in wait.values() if now >= one.since + rules.any_after]
        assert sum(now >= one.since + rules.anyone_after for one in old) <= 1
        for one, other in itertools.combinations(old, 2):
            assert not set(one.interests) & set(other.interests)

    now = 0.0
    for client in range(1, 2001):
        now += dice.expovariate(rate)
        while (due := lobby.due()) is not None and due <= now:
            met(lobby.advance(due)[0], due)
        words = " ".join(f"w{dice.paretovariate(0.6):.0f}" for _ in range(dice.randint(1, 4)))
        wait[client] = newcomer = ticket(lobby, client, words, now)
        match = lobby.submit(newcomer, now)
        met([match] if match is not None else [], now)
    met(lobby.advance(now + rules.anyone_after)[0], now + rules.anyone_after)
    assert len(wait) <= 1
    assert lobby.counts["matched"] >= 1998


def test_a_partner_of_the_same_home_is_preferred_where_it_is_nearly_as_good() -> None:
    for window in (0.0, 0.2):
        lobby = Lobby(Thresholds(any_after=0.0, window=window, busy_window=0.0, near=0.1))
        lobby.submit(ticket(lobby, 1, "music", home=1), 0.0)
        lobby.submit(ticket(lobby, 2, "music", home=2, recent=(1,)), 0.0)
        found = lobby.submit(ticket(lobby, 3, "music", home=2), 0.0)
        met = [found] if found is not None else lobby.advance(0.2)[0]
        assert [{m.a, m.b} for m in met] == [{2, 3}]


def test_a_partner_of_another_home_is_taken_where_it_is_better() -> None:
    for window in (0.0, 0.2):
        lobby = Lobby(Thresholds(any_after=0.0, window=window, busy_window=0.0, near=0.1))
        lobby.submit(ticket(lobby, 1, "music chess", home=1), 0.0)
        lobby.submit(ticket(lobby, 2, "music", home=2, recent=(1,)), 0.0)
        found = lobby.submit(ticket(lobby, 3, "music chess", home=2), 0.0)
        met = [found] if found is not None else lobby.advance(0.2)[0]
        assert [{m.a, m.b} for m in met] == [{1, 3}]

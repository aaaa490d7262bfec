"""All who wait are paired together, for the most of shared weight."""

from engine.matching.lobby import Lobby
from engine.matching.thresholds import Thresholds
from engine.matching.tickets import Match, Pool, Ticket
from engine.matching.window_pairing import MOST, choose
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


def test_a_ticket_without_interests_takes_no_part() -> None:
    assert list(choose([Ticket(1, Pool()), Ticket(2, Pool()), *waiting(1)], lambda _: 8, True)) == []


def test_of_too_many_the_longest_waiting_and_the_newest_take_part() -> None:
    pairs = list(choose(waiting(MOST + 1000), lambda _: 8, True))
    met = {ticket.client for one, other, *_ in pairs for ticket in (one, other)}
    assert len(met) == MOST
    assert met.isdisjoint(range(MOST // 2, MOST // 2 + 1000))


def test_a_pair_is_good_where_it_shares_half_of_what_either_asked_for() -> None:
    one, other = Ticket(1, Pool(), (1, 2, 3), person=1), Ticket(2, Pool(), (3, 4, 5), person=2)
    one._level = other._level = 1
    assert [good for *_, good in choose([one, other], lambda _: 8, False)] == [False]
    other.interests = (3, 4)
    assert [good for *_, good in choose([one, other], lambda _: 8, False)] == [True]


def test_a_window_respects_who_stays_where() -> None:
    lobby = Lobby(Thresholds(any_after=0.0, window=0.2))
    for client, place in ((1, 1), (2, 2), (3, 2)):
        lobby.submit(ticket(lobby, client, "music", place=place), 0.0)
    assert [{m.a, m.b} for m in lobby.advance(0.2)[0]] == [{2, 3}]

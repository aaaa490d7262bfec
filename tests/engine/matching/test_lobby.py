"""The lobby by its rules, with the clock passed in."""

import pytest

from engine.matching.interest_normalisation import BadInterest
from engine.matching.lobby import Lobby, TooMany
from engine.matching.thresholds import Thresholds
from engine.matching.tickets import Match, Pool, Step, Ticket

EN = Pool()


@pytest.fixture
def lobby() -> Lobby:
    return Lobby(Thresholds(busy_window=0.0, enough=float("inf")))


def ticket(lobby: Lobby, client: int, words: str = "", now: float = 0.0, pool: Pool = EN, **more: object) -> Ticket:
    return Ticket(client, pool, lobby.intern(words.split()), person=client, since=now, **more)  # type: ignore[arg-type]


def busy(lobby: Lobby, now: float = 0.0, pool: Pool = EN) -> None:
    """Sixty arrivals in the last minute, none of whom stays."""
    for client in range(10_000, 10_060):
        lobby.submit(ticket(lobby, client, f"only{client}", now, pool), now)
        lobby.cancel(client, now)


def test_two_without_interests_meet_at_once(lobby: Lobby) -> None:
    assert lobby.submit(ticket(lobby, 1), 0.0) is None
    assert lobby.submit(ticket(lobby, 2, now=1.0), 1.0) == Match(2, 1, (), 0.0, 0.0, 1.0, "anyone")
    assert lobby.sizes().get(EN, 0) == 0


def test_a_ticket_without_interests_meets_nobody_who_still_wants_overlap(lobby: Lobby) -> None:
    assert lobby.submit(ticket(lobby, 1, "cats"), 0.0) is None
    assert lobby.submit(ticket(lobby, 2), 0.0) is None
    assert lobby.advance(3.0)[0] == []
    matches, _ = lobby.advance(10.0)
    assert [(m.a, m.b, m.rule) for m in matches] == [(1, 2, "anyone")]


def test_overlap_is_shared_in_any_spelling_and_given_rarest_first(lobby: Lobby) -> None:
    for client in range(20, 40):
        lobby.submit(ticket(lobby, client, "music"), 0.0)
        lobby.cancel(client, 0.0)
    lobby.submit(ticket(lobby, 1, "Music CHESS"), 0.0)
    mine = lobby.intern(["music", "chess", "tea"])
    match = lobby.submit(Ticket(2, EN, mine, person=2), 0.0)
    assert match is not None
    assert match.common == (mine[1], mine[0])
    assert match.rule == "good"


def test_a_quiet_pool_takes_any_overlap_at_once(lobby: Lobby) -> None:
    lobby.submit(ticket(lobby, 1, "a b c d e"), 0.0)
    match = lobby.submit(ticket(lobby, 2, "e f g h i"), 0.0)
    assert match is not None
    assert match.rule == "good"


def test_a_busy_pool_waits_three_seconds_before_it_takes_any_overlap(lobby: Lobby) -> None:
    busy(lobby)
    assert lobby.submit(ticket(lobby, 1, "a b c d e"), 0.0) is None
    assert lobby.submit(ticket(lobby, 2, "e f g h i"), 0.0) is None
    assert lobby.status(1, 1.0) == Step(1, "good", 2.0, False)
    assert lobby.due() == 3.0
    matches, steps = lobby.advance(3.0)
    assert [(m.a, m.b, m.rule) for m in matches] == [(2, 1, "any")]
    assert steps == [Step(1, "any", 7.0, False)]


def test_half_of_the_weight_of_either_is_good(lobby: Lobby) -> None:
    busy(lobby)
    lobby.submit(ticket(lobby, 1, "a b c d e"), 0.0)
    match = lobby.submit(ticket(lobby, 2, "e"), 0.0)
    assert match is not None
    assert match.rule == "good"


def test_strict_stops_at_any(lobby: Lobby) -> None:
    lobby.submit(ticket(lobby, 1, "cats", strict=True), 0.0)
    lobby.submit(ticket(lobby, 2), 0.0)
    assert lobby.advance(100.0) == ([], [Step(1, "any", None, False)])
    assert lobby.status(1, 100.0) == Step(1, "any", None, False)


def test_more_steps_than_are_wanted_at_once_stay_due(lobby: Lobby) -> None:
    for client in range(1, 6):
        lobby.submit(ticket(lobby, client, f"w{client}", strict=True), 0.0)
    assert [step.client for step in lobby.advance(3.0, 2)[1]] == [1, 2]
    assert lobby.due() == 3.0
    assert [step.client for step in lobby.advance(3.0, 4)[1]] == [3, 4, 5]
    assert lobby.due() == 10.0


def test_recent_partners_meet_again_only_twenty_seconds_after_both_took_anyone(lobby: Lobby) -> None:
    lobby.submit(ticket(lobby, 1, recent=(2,)), 0.0)
    assert lobby.submit(ticket(lobby, 2, now=5.0), 5.0) is None
    assert lobby.advance(20.0) == ([], [])
    assert lobby.advance(24.9) == ([], [])
    assert [(m.a, m.b) for m in lobby.advance(25.0)[0]] == [(2, 1)]


def test_blocked_people_never_meet(lobby: Lobby) -> None:
    lobby.submit(ticket(lobby, 1, blocked=(2,)), 0.0)
    lobby.submit(ticket(lobby, 2), 0.0)
    assert lobby.advance(1000.0) == ([], [])


def test_a_second_find_replaces_and_keeps_its_age(lobby: Lobby) -> None:
    lobby.submit(ticket(lobby, 1, "cats"), 0.0)
    lobby.submit(ticket(lobby, 1, "dogs", now=4.0), 4.0)
    assert lobby.sizes().get(EN, 0) == 1
    assert lobby.status(1, 4.0) == Step(1, "any", 6.0, False)


def test_the_pool_of_any_language_meets_every_language(lobby: Lobby) -> None:
    star, german = Pool(language="*"), Pool(language="de")
    lobby.submit(ticket(lobby, 1, pool=german), 0.0)
    match = lobby.submit(ticket(lobby, 2, pool=star), 0.0)
    assert match is not None
    lobby.submit(ticket(lobby, 3, pool=star), 0.0)
    match = lobby.submit(ticket(lobby, 4, pool=EN), 0.0)
    assert match is not None
    lobby.submit(ticket(lobby, 5, pool=german), 0.0)
    assert lobby.submit(ticket(lobby, 6, pool=EN), 0.0) is None
    assert lobby.status(6, 0.0) == Step(6, "anyone", None, True)


def test_who_is_set_aside_meets_nobody_and_comes_back_with_the_age(lobby: Lobby) -> None:
    lobby.submit(ticket(lobby, 1, "cats"), 0.0)
    assert lobby.set_aside(1, 1.0)
    assert lobby.submit(ticket(lobby, 2, "cats"), 2.0) is None
    match = lobby.restore(1, 6.0)
    assert match is not None
    assert (match.a, match.b, match.waited_a) == (1, 2, 6.0)


def test_cancel_says_whether_the_client_waited(lobby: Lobby) -> None:
    lobby.submit(ticket(lobby, 1), 0.0)
    assert lobby.cancel(1, 0.0)
    assert not lobby.cancel(1, 0.0)


def test_too_many_interests_are_refused_and_change_nothing(lobby: Lobby) -> None:
    with pytest.raises(TooMany):
        lobby.submit(ticket(lobby, 1, " ".join(f"w{n}" for n in range(33))), 0.0)
    assert lobby.sizes().get(EN, 0) == 0
    with pytest.raises(BadInterest):
        lobby.intern(["fine", " \u200b "])


def test_a_falling_floor_lets_the_heavy_pair_wait_for_each_other() -> None:
    lobby = Lobby(Thresholds(any_after=0.0, quiet_below=0, peak=300, falls=10, falls_for=10.0))
    assert lobby.submit(ticket(lobby, 1, "a b"), 0.0) is None
    assert lobby.submit(ticket(lobby, 2, "a"), 0.0) is None
    met: list[tuple[int, int]] = []
    while (due := lobby.due()) is not None and not met:
        met = [(m.a, m.b) for m in lobby.advance(due)[0]]
        assert due <= 10.0
    assert met
    assert lobby.sizes().get(EN, 0) == 0


def test_nobody_starves_while_newcomers_keep_coming(lobby: Lobby) -> None:
    """Rare tastes wait among a stream of others; each is met within ten seconds of the arrival of one who shares them."""
    busy(lobby)
    lobby.submit(ticket(lobby, 1, "glassblowing a b c d e f g"), 0.0)
    now = 0.0
    for client in range(100, 1100):
        now += 0.01
        lobby.advance(now)
        words = " ".join(f"common{(client * k) % 7}" for k in (1, 3, 5))
        lobby.submit(ticket(lobby, client, words + (" glassblowing" if client == 600 else ""), now), now)
    lobby.advance(now + 10.0)
    assert lobby.status(1, now + 10.0) is None


def test_a_clock_that_steps_back_stands_still(lobby: Lobby) -> None:
    lobby.submit(ticket(lobby, 1, "cats"), 100.0)
    assert lobby.status(1, 50.0) == lobby.status(1, 100.0)
    assert lobby.advance(1.0) == ([], [])


def test_equal_histories_give_equal_results() -> None:
    logs = []
    for _ in range(2):
        lobby, log = Lobby(), []
        for client in range(500):
            now = client * 0.05
            log.append(lobby.advance(now))
            words = " ".join(f"w{(client * client + k * 7) % 23}" for k in range(client % 5))
            log.append((lobby.submit(ticket(lobby, client, words, now), now), []))  # type: ignore[arg-type]
            if client % 11 == 0:
                lobby.cancel(client, now)
        logs.append(log)
    assert logs[0] == logs[1]


def test_a_ticket_that_leaves_is_nowhere_and_goes_on_where_it_enters_as_old_and_as_little_picky(lobby: Lobby) -> None:
    lobby.submit(ticket(lobby, 1, "chess tea"), 0.0)
    lobby.advance(3.0)
    counts = dict(lobby.counts)
    found = lobby.leave(1, 4.0)
    assert found is not None
    assert (found[1], lobby.clients(), lobby.sizes(), lobby.leave(1, 4.0)) == (False, [], {Pool(): 0}, None)
    assert found[0].progress() == (1, 10.0, 12)
    assert lobby.enter(*found, 5.0) is None
    assert lobby.counts == counts
    assert lobby.status(1, 5.0) == Step(1, "any", 5.0, False)
    assert [step.accepts for step in lobby.advance(10.0)[1]] == ["anyone"]
    match = lobby.submit(ticket(lobby, 2, now=12.0), 12.0)
    assert match is not None
    assert match.waited_b == 12.0


def test_a_step_that_was_due_on_the_way_is_taken_and_told_by_the_next_advance(lobby: Lobby) -> None:
    lobby.submit(ticket(lobby, 1, "chess"), 0.0)
    found = lobby.leave(1, 2.0)
    assert found is not None
    lobby.enter(*found, 4.0)
    assert lobby.due() == 3.0
    assert [step.accepts for step in lobby.advance(4.0)[1]] == ["any"]


@pytest.mark.parametrize(("words", "first", "later"), [("chess", "good", "any"), ("", "anyone", "anyone")])
def test_a_ticket_that_was_in_no_lobby_yet_widens_as_one_of_its_age(
    lobby: Lobby, words: str, first: str, later: str
) -> None:
    lobby.enter(ticket(lobby, 1, words), False, 1.0)
    said = [lobby.status(1, 1.0)]
    lobby.advance(3.0)
    said.append(lobby.status(1, 3.0))
    assert [step.accepts for step in said if step is not None] == [first, later]
    lobby.enter(ticket(lobby, 2, words), False, 20.0)
    late = lobby.status(2, 20.0)
    assert late is None or late.accepts == "anyone", "it met the other, or is as old"


def test_one_who_is_set_aside_enters_so_and_one_who_fits_is_met_at_once(lobby: Lobby) -> None:
    lobby.submit(ticket(lobby, 1), 0.0)
    lobby.set_aside(1, 0.0)
    one = lobby.leave(1, 1.0)
    lobby.submit(ticket(lobby, 2), 1.0)
    two = lobby.leave(2, 1.0)
    assert one is not None
    assert two is not None
    assert (one[1], two[1]) == (True, False)
    assert lobby.enter(*one, 2.0) is None
    assert lobby.enter(*two, 2.0) is None
    assert lobby.clients() == [2, 1]
    match = lobby.restore(1, 3.0)
    assert match is not None
    assert (match.a, match.b, match.waited_a) == (1, 2, 3.0)


def test_who_stays_at_one_place_meets_nobody_who_stays_at_another(lobby: Lobby) -> None:
    assert lobby.submit(ticket(lobby, 1, place=1), 0.0) is None
    assert lobby.submit(ticket(lobby, 2, place=2), 0.0) is None
    lobby.set_aside(2, 1.0)
    assert lobby.restore(2, 2.0) is None
    assert lobby.advance(700.0)[0] == []
    for client, place, partner in ((3, 2, 2), (4, 0, 1)):
        match = lobby.submit(ticket(lobby, client, now=700.0, place=place), 700.0)
        assert match is not None
        assert match.b == partner

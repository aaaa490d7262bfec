"""The simulated rooms lose nobody, pair nobody twice, and more people or fewer walls never make the wait longer."""

from collections import Counter
from dataclasses import replace

import pytest

from bench.scale import room_simulation
from bench.scale.assumptions import Assumed
from bench.scale.room_simulation import CLUSTERS, COMMON, ONE, THIN, WAYS, Rooms, Waiting

WORLD = Assumed()
RATES = (8.0, 1.0, 0.5)  # the last two are thin
ARRIVALS = 600


def ran(way: str, rates: tuple[float, ...] = RATES, seed: int = 3) -> tuple[Rooms, list[Waiting]]:
    people = room_simulation.coming(rates, WORLD, ARRIVALS, seed)
    return room_simulation.run(way, rates, people, WORLD.thin), people


@pytest.mark.parametrize("way", WAYS)
def test_nobody_meets_twice_and_everybody_met_or_waits(way: str) -> None:
    made, people = ran(way)
    met = Counter(client for meeting in made.met for client in (meeting.match.a, meeting.match.b))
    assert max(met.values()) == 1
    assert met.keys() | made.waiting.keys() == set(range(len(people)))
    assert not met.keys() & made.waiting.keys()


@pytest.mark.parametrize("way", WAYS)
def test_who_meets_has_come_and_has_waited_since(way: str) -> None:
    made, people = ran(way)
    for match, at in made.met:
        assert at - people[match.a].since == pytest.approx(match.waited_a)
        assert at - people[match.b].since == pytest.approx(match.waited_b)
    assert [meeting.at for meeting in made.met] == sorted(meeting.at for meeting in made.met)


def test_a_room_a_cell_lets_nobody_over_and_a_common_one_some() -> None:
    def crossing(way: str) -> float:
        return room_simulation.figures(*ran(way))["crossing"]

    assert crossing(CLUSTERS) == 0
    assert 0 < crossing(THIN) < crossing(ONE)
    assert 0 < crossing(COMMON) < crossing(ONE)


def test_the_common_room_is_asked_by_thin_pools_at_once_and_by_others_at_a_step() -> None:
    asked = {way: ran(way)[0].asked for way in WAYS}
    thin = sum(RATES[one.cluster] < WORLD.thin for one in ran(ONE)[1])
    assert asked[ONE] == asked[CLUSTERS] == 0
    assert 0 < asked[THIN] <= thin
    assert asked[THIN] < asked[COMMON] <= ARRIVALS


def test_walls_make_the_wait_longer_and_a_common_room_takes_most_of_that_back() -> None:
    mean = {way: room_simulation.figures(*ran(way, (0.2, 0.2, 0.2)))["mean_s"] for way in WAYS}
    assert mean[THIN] == mean[COMMON]  # all of it is thin
    assert mean[ONE] <= mean[THIN] < (mean[ONE] + mean[CLUSTERS]) / 2


def test_more_people_wait_less() -> None:
    waits = [room_simulation.figures(*ran(ONE, (rate,)))["mean_s"] for rate in (0.1, 1.0, 10.0)]
    assert waits == sorted(waits, reverse=True)
    assert len(set(waits)) == len(waits)


def test_the_same_seed_gives_the_same_figures_and_another_others() -> None:
    first, again, other = (room_simulation.compared(RATES, WORLD, 300, seed) for seed in (5, 5, 6))
    assert first == again
    assert first != other


def test_a_language_s_people_are_all_in_some_cell_and_most_at_home() -> None:
    assert sum(room_simulation.sizes(WORLD)) == pytest.approx(1)
    for rank in (1, 5, 120):
        found = room_simulation.shares(WORLD, rank)
        assert sum(found) == pytest.approx(1)
        assert max(found) == found[(rank - 1) % WORLD.clusters] == WORLD.home
    assert room_simulation.shares(Assumed(people=1_000), 7) == [1.0]


def test_without_interests_every_second_one_waits_for_the_next() -> None:
    world = replace(WORLD, interests=0.0)
    for rates, mean in (((2.0,), 0.25), ((1.0, 1.0), 0.5)):
        found = room_simulation.compared(rates, world, 4_000, 9)
        assert found[CLUSTERS]["mean_s"] == pytest.approx(mean, rel=0.06)
        assert found[ONE]["mean_s"] == pytest.approx(0.25, rel=0.06)
        assert found[THIN]["mean_s"] == pytest.approx(0.25, rel=0.06)

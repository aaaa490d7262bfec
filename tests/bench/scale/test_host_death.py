"""After a host's death everybody is back, no sooner than the fronts can take them."""

import numpy as np
import pytest

from bench.scale import host_death
from bench.scale.assumptions import Assumed

WORLD = Assumed(tls=800.0)
PEOPLE = 2_000


def test_the_pauses_are_those_of_the_page() -> None:
    steps, soon = host_death.pauses()
    assert steps == tuple(sorted(steps))
    assert steps[0] <= soon < steps[-1] <= 60


@pytest.mark.parametrize("hosts", [2, 10])
def test_everybody_is_back_once(hosts: int) -> None:
    crowd = host_death.run(hosts, PEOPLE, WORLD, 1)
    assert not np.isnan(crowd.back).any()
    assert crowd.back.min() >= host_death.pauses().steps[0] / 2


@pytest.mark.parametrize("hosts", [2, 10])
def test_no_second_lets_in_more_than_the_fronts_take(hosts: int) -> None:
    back = np.sort(host_death.run(hosts, PEOPLE, WORLD, 1).back)
    most = (hosts - 1) * WORLD.tls * (1 + WORLD.queue) + 1
    counts = np.searchsorted(back, back + 1.0) - np.arange(len(back))
    assert counts.max() <= most


def test_more_hosts_and_fewer_people_are_back_sooner() -> None:
    def last(hosts: int, people: int) -> float:
        return float(host_death.figures(hosts, people, WORLD, 1)["last_s"])

    assert last(40, PEOPLE) <= last(10, PEOPLE) < last(2, PEOPLE) < last(2, 2 * PEOPLE)


def test_a_row_says_when_all_are_back_and_never_sooner_than_possible() -> None:
    row = host_death.figures(2, PEOPLE, WORLD, 1)
    assert row["least_s"] - WORLD.queue <= row["last_s"]
    assert row["p50_s"] <= row["p99_s"] <= row["last_s"] == row["curve"][-1]
    assert row["curve"] == sorted(row["curve"])
    assert 0 <= row["in_grace"] <= 1
    assert host_death.figures(2, PEOPLE, WORLD, 1) == row

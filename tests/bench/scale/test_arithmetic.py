"""The arithmetic adds up, and grows with what it is made from."""

from dataclasses import replace
from itertools import pairwise

import pytest

from bench.scale import arithmetic, measured_costs
from bench.scale.assumptions import SAID, Assumed, told

WORLD = Assumed()


@pytest.fixture(scope="module")
def known() -> measured_costs.Costs:
    found = {name: cost.value for name, cost in measured_costs.measured().items()}
    return found | measured_costs.derived(found)


def test_each_assumption_is_said_what_it_is() -> None:
    assert SAID.keys() == told(WORLD).keys()


@pytest.mark.parametrize("apart", [0.0, 0.5, 1.0])
def test_the_parts_add_up_to_all(known: measured_costs.Costs, apart: float) -> None:
    found = arithmetic.cores(WORLD, known, apart)
    assert found["all"] == pytest.approx(sum(value for part, value in found.items() if part != "all"))
    assert all(value >= 0 for value in found.values())


def test_pairs_that_share_a_host_pay_for_no_second_one(known: measured_costs.Costs) -> None:
    found = arithmetic.cores(WORLD, known, 0.0)
    assert found["moves between hosts"] == found["frames through a second host"] == found["bus"] == 0


def test_more_people_and_more_pairs_apart_take_more(known: measured_costs.Costs) -> None:
    def all_(people: int, apart: float) -> float:
        return arithmetic.cores(replace(WORLD, people=people), known, apart)["all"]

    for fewer, more in ((1_000_000, 2_000_000), (2_000_000, 10_000_000)):
        for apart in (0.0, 0.9):
            assert all_(fewer, apart) < all_(more, apart)
    for people in (1_000_000, 10_000_000):
        assert all_(people, 0.0) < all_(people, 0.1) < all_(people, 0.9)


@pytest.mark.parametrize("name", measured_costs.FIELDS)
def test_each_cost_is_in_some_figure(name: str) -> None:
    plain = {cost: read.value for cost, read in measured_costs.measured().items()}
    dearer = {**plain, name: 2 * plain[name]}
    made = [arithmetic.everything(WORLD, {**some, **measured_costs.derived(some)}) for some in (plain, dearer)]
    assert made[0] != made[1]


def test_hosts_hold_everybody_and_are_never_one(known: measured_costs.Costs) -> None:
    for row in arithmetic.hosts(WORLD, known):
        assert row["people"] * row["hosts"] == pytest.approx(WORLD.people)
        assert row["hosts"] * row["cores_together"] == pytest.approx(arithmetic.cores(WORLD, known, 0.0)["all"])
        assert row["cores_together"] < row["cores_apart"] <= row["workers"]
        assert row["told_elsewhere"] <= row["chats_cut"] <= row["people"]
    assert arithmetic.hosts_of(100, 250_000) == 2


def test_a_ring_holds_the_lines_of_a_chat() -> None:
    for lines in (0.01, 0.12, 1.0):
        world = replace(WORLD, lines=lines)
        size = arithmetic.ring_bytes(world)
        assert size >= max(512, 2 * lines * world.find_every * world.line_bytes)
        assert size & (size - 1) == 0


def test_the_hub_takes_its_cost_a_chat(known: measured_costs.Costs) -> None:
    found = arithmetic.hub(WORLD, known)
    chats = arithmetic.load(replace(WORLD, people=1_000_000))["chats"]
    assert found["million"] == pytest.approx(chats * known["hub_us"] / 1e6)
    assert found["people_at_most"] * found["million"] == pytest.approx(1e6)


@pytest.mark.parametrize("kept", [True, False])
def test_a_host_carries_what_its_fullest_process_carries(known: measured_costs.Costs, kept: bool) -> None:
    rows = [row for row in arithmetic.crowded(known) if row["kept"] is kept]
    assert [row["workers"] for row in rows] == list(arithmetic.WORKERS)
    for row in rows:
        assert row["chats"] == min(row["at_most"].values()) == row["at_most"][row["full"]]
        assert row["chats"] <= row["chats_then"]
        assert 0 < row["moves"] < 1
        assert row["at_most"]["workers"] == pytest.approx(row["workers"] / row["worker_us"] * 1e6)
    assert all(fewer["at_most"]["hub"] == more["at_most"]["hub"] for fewer, more in pairwise(rows))
    assert all(fewer["worker_us"] < more["worker_us"] for fewer, more in pairwise(rows))


def test_two_workers_cost_what_was_measured(known: measured_costs.Costs) -> None:
    found = arithmetic.chat_rates(known, arithmetic.WORKERS_MEASURED, kept=True)
    others = known["hub_us"] + known["frontend_us"] + known["screening_us"]
    assert found["worker_us"] == pytest.approx(known["chat_us"] - others)


def test_a_hub_at_its_goal_bounds_no_sooner(known: measured_costs.Costs) -> None:
    dear = {**known, "hub_us": 50.0, "frontend_us": 1.0}
    found = arithmetic.chat_rates(dear, 32, kept=True)
    assert (found["full"], found["chats"]) == ("hub", pytest.approx(20_000))
    assert found["chats_then"] == pytest.approx(min(1e6 / arithmetic.HUB_GOAL_US, found["at_most"]["workers"]))
    cheap = {**known, "hub_us": 1.0, "frontend_us": 1.0}
    assert arithmetic.chat_rates(cheap, 32, kept=True)["full"] == "workers"


def test_messages_to_one_host_are_never_closer_than_the_batch() -> None:
    assert arithmetic.batches(10.0, 0.001) == pytest.approx(10.0, rel=0.02)
    for rate in (1e3, 1e5, 1e7):
        assert arithmetic.batches(rate, 0.001) < min(rate, 1_000)


def test_the_bus_has_fewer_messages_than_rows_where_it_is_busy_and_more_with_more_hosts() -> None:
    four, twenty = (arithmetic.bus(WORLD, WORLD.cluster, count) for count in (4, 20))
    assert four["sent"] < four["rows"]
    assert four["sent"] < twenty["sent"] < twenty["heard"]
    assert four["owner"] < four["cores"]

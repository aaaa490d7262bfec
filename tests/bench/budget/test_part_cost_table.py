"""The parts of a chat add up to what the clock said."""

import pytest

from bench.budget import part_cost_table
from bench.budget.instruction_counts import Counted
from bench.budget.parts import BESIDE, GARBAGE, KERNEL, PARTS, REST

# 100 chats and 20 connects; 50 chats and 100 connects: a chat is 1,000 of pairing, a connect 500 of connecting
STAYS = Counted({"pairing": 100_000, "connecting": 10_000, REST: 1_000}, {}, 100.0, 20.0)
COMES = Counted({"pairing": 50_000, "connecting": 50_000, REST: 500}, {}, 50.0, 100.0)


def run(cost: float, system: float) -> dict[str, float]:
    told = {"window_us": cost - 1, "reads": 4.0, "sends": 5.0, "connects_a_chat": 0.0}
    return {"chat_us": cost, "user_us": cost - system, "system_us": system, "garbage_us": 0.0, "beside_us": 0.0, **told}


RUNS = {
    part_cost_table.OPEN: [run(50.0, 20.0), run(60.0, 24.0), run(52.0, 20.8)],
    part_cost_table.FRESH: [run(100.0, 50.0)],
}


def test_connects_of_a_window_are_not_counted_as_chats() -> None:
    assert part_cost_table.a_chat(STAYS, COMES) == {
        part_cost_table.OPEN: {"pairing": 1_000.0, "connecting": 0.0, REST: 10.0},
        part_cost_table.FRESH: {"pairing": 1_000.0, "connecting": 1_000.0, REST: 10.0},
    }


def test_the_parts_add_up_to_the_clock_s_median() -> None:
    found = part_cost_table.chats(RUNS, {part_cost_table.OPEN: STAYS, part_cost_table.FRESH: COMES})
    stays, comes = found[part_cost_table.OPEN], found[part_cost_table.FRESH]
    assert stays["chat_us"] == 52.0
    assert stays["spread"] == 10.0
    for kind in found.values():
        assert sum(kind["parts"].values()) == pytest.approx(kind["chat_us"])
    assert stays["parts"][KERNEL] == pytest.approx(52 * 0.4)
    assert stays["parts"]["pairing"] == pytest.approx(52 * 0.6 * 1_000 / 1_010)
    assert comes["parts"]["connecting"] == pytest.approx(50 * 1_000 / 2_010)


def test_the_collector_s_time_is_its_own_part_and_not_shared() -> None:
    clock = {"user_us": 30.0, "system_us": 20.0, "garbage_us": 3.0, "beside_us": 2.0}
    parts = part_cost_table.shared(clock, {"pairing": 2.0, "lobby": 1.0})
    assert parts == {
        "pairing": pytest.approx(18.0),
        "lobby": pytest.approx(9.0),
        KERNEL: 20.0,
        GARBAGE: 3.0,
        BESIDE: 2.0,
    }


def test_the_table_has_a_line_a_part_and_says_what_it_was_measured_on() -> None:
    machine = {
        "cpu": "Test",
        "cores": 2,
        "interpreter": "CPython 3",
        "loop_ns": 60.0,
        "load": 0.5,
        "date": "2026-01-01",
    }
    text = part_cost_table.lines({
        "machine": machine, "rounds": 3, "seconds": 2.0, "clients": 200, "counted": [100.0, 50.0],
        "chats": part_cost_table.chats(RUNS, {part_cost_table.OPEN: STAYS, part_cost_table.FRESH: COMES}),
    })  # fmt: skip
    for part in PARTS:
        assert (f"\n| {part} |" in text) == (part != "asked")
    assert "| **a chat** | **52.0** | 1.0 | **100.0** | 2.0 |" in text
    assert "CPython 3" in text

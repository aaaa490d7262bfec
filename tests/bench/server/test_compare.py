"""What got worse is found."""

from typing import Any

from bench.server import compare


def document(cost: float) -> dict[str, Any]:
    rows = {
        "serendip": {
            "cpu_s_per_M": cost,
            "to_floor": cost / 6,
            "messages_s": 1.0,
            "p50_us": 1.0,
            "p99_us": 2.0,
            "p999_us": 3.0,
        }
    }
    return {
        "machine": {"cpu": "test", "cores": 2, "python": "3", "load": 0.0},
        "rounds": 1,
        "seconds": 1.0,
        "scenarios": {"relay": {"figure": "cpu_s_per_M", "words": "pairs", "servers": rows}},
    }


def test_what_costs_more_than_before_is_found_and_noise_is_not() -> None:
    assert compare.worse(document(6.0), document(6.6)) == []
    assert compare.worse(document(6.0), document(9.0)) == ["relay: to_floor 1 -> 1.5"]
    assert compare.heavier({"instructions": {"a message": 1000.0}}, {"instructions": {"a message": 1030.0}})
    assert not compare.heavier({"instructions": {"a message": 1000.0}}, {"instructions": {"a message": 1010.0}})

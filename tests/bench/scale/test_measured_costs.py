"""Costs are read from results, and from nowhere else."""

import pytest

from bench.scale import measured_costs
from bench.support.results import read


def test_a_path_goes_through_keys_and_takes_the_median_of_a_list() -> None:
    document = {"a": {"b": 2}, "many": [{"x": 1.0}, {"x": 9.0}, {"x": 3.0}]}
    assert measured_costs.found(document, "a/b") == 2.0
    assert measured_costs.found(document, "many/*/x") == 3.0
    assert measured_costs.found({"a": [5, 1, 2]}, "a/*") == 2.0
    with pytest.raises(KeyError):
        measured_costs.found(document, "a/c")


def test_each_cost_is_in_the_results_as_they_stand() -> None:
    for name, cost in measured_costs.measured().items():
        assert cost.value > 0, name
        value = measured_costs.found(read(cost.field.file), cost.field.path)
        assert cost.value == (
            value / measured_costs.found(read(cost.field.file), cost.field.over) if cost.field.over else value
        )


def test_a_result_without_the_field_is_an_error() -> None:
    with pytest.raises(KeyError):
        measured_costs.measured(lambda _: {})


def test_what_follows_from_costs_is_a_division_of_them() -> None:
    known = {
        "frame_us": 8.0,
        "to_floor": 1.25,
        "machine_bytes": 10_000.0,
        "server_bytes": 3_000.0,
        "client_bytes": 1_000.0,
    }
    assert measured_costs.derived(known) == {"hop_us": 6.4, "kernel_bytes": 3_000.0}

"""docs/scaling.md says what bench/results/scale.json says, and that is made of the costs as they are measured now."""

from typing import Any

import pytest

from bench.scale import arithmetic, documents, measured_costs
from bench.scale.assumptions import Assumed
from bench.support.results import read

AGAIN = "a result that this one is made of was measured anew: python -m bench scale --keep"


def exact(value: Any) -> Any:
    """Without the last digits of what a float has: since 3.12 Python adds floats in another way than before."""
    if isinstance(value, dict):
        return {name: exact(one) for name, one in value.items()}
    if isinstance(value, list):
        return [exact(one) for one in value]
    return float(f"{value:.12g}") if isinstance(value, float) else value


@pytest.mark.parametrize("mark", documents.TABLES)
def test_a_table_of_the_page_is_what_the_results_say(mark: str) -> None:
    text = documents.PAGE.read_text()
    shown = text.partition(f"<!-- {mark} -->\n")[2].partition(f"<!-- /{mark} -->")[0]
    assert shown == documents.TABLES[mark](read("scale"))


def test_the_page_has_no_other_marks() -> None:
    text = documents.PAGE.read_text()
    assert text.count("<!-- scale-") == text.count("<!-- /scale-") == len(documents.TABLES)


def test_the_costs_are_those_of_the_results_as_they_stand() -> None:
    known = {name: cost.value for name, cost in measured_costs.measured().items()}
    assert read("scale")["costs"] == {**known, **measured_costs.derived(known)}, AGAIN


def test_the_arithmetic_is_that_of_the_costs() -> None:
    kept = read("scale")
    made = arithmetic.everything(Assumed(**kept["assumed"]), kept["costs"])
    assert exact({name: kept[name] for name in made}) == exact(made), AGAIN


def test_the_figures_are_of_the_world_that_is_assumed() -> None:
    kept = read("scale")
    assert Assumed(**kept["assumed"]) == Assumed()
    for row in (*kept["languages"], *kept["small"]):
        for found in row["ways"].values():
            assert found["met"] + found["waiting"] == found["arrivals"]


def test_each_cost_stands_beside_the_field_that_it_was_read_from() -> None:
    shown = documents.costs(read("scale"))
    for name, field in measured_costs.FIELDS.items():
        assert f"`{name}`" in shown
        assert f"{field.file}.json" in shown
        assert f"`{field.path}`" in shown

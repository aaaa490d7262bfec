"""Test the figures of the load test against a sorted list."""

import random

import pytest

from serendip_client.load_figures import LoadFigures, Times, table


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99, 1.0])
def test_a_quantile_is_that_of_the_sorted_times_within_two_percent(share: float) -> None:
    random.seed(1)
    values = sorted(random.lognormvariate(-5, 2) for _ in range(5_000))
    times = Times()
    for value in values:
        times.add(value)
    exact = values[max(0, int(len(values) * share) - 1)]
    found = times.quantile(share)
    assert found is not None
    assert exact <= found * 1.000001 <= max(exact * 1.021, 1.1e-5)


def test_what_came_before_the_measuring_counts_its_errors_alone() -> None:
    figures = LoadFigures()
    figures.line.add(1.0)
    figures.chats = 3
    figures.errors["no match"] += 1
    figures.begin()
    figures.end()
    told = figures.summary()
    assert (told["chats"], told["lines"], told["line_ms"]["p50"]) == (0, 0, None)
    assert told["errors"] == {"no match": 1}
    assert "errors: 1 × no match" in table(told)


@pytest.mark.parametrize(("late", "limits"), [(0.001, False), (0.5, True)])
def test_a_test_that_was_itself_the_limit_says_so(late: float, limits: bool) -> None:
    figures = LoadFigures()
    figures.begin()
    figures.delay.add(late)
    end = figures._since
    figures._until = (end[0] + 10.0, end[1] + 1.0)
    told = figures.summary()
    assert told["own"]["limits"] is limits
    assert ("was the limit" in table(told)) is limits
    figures._until = (end[0] + 10.0, end[1] + 9.5)
    assert figures.summary()["own"]["limits"]

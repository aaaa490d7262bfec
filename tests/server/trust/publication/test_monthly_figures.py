"""Test that published figures reveal no number below ten, alone or by subtraction."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import jsonschema_rs
import pytest

from server.site.front import openapi
from server.trust.data_requests import request_states
from server.trust.publication.monthly_figures import FEW, HIDDEN, LEAST, LEVELS, hide, month, shown, tree


@pytest.mark.parametrize(("many", "top"), [(2, 40), (3, 30)])
def test_who_knows_the_sum_and_how_it_is_done_can_work_out_no_small_number(many: int, top: int) -> None:
    """All rows of numbers, by what is seen of them: no hidden number that is below ten anywhere is the same in all that look so."""
    seen = defaultdict(list)
    for numbers in itertools.product(range(top), repeat=many):
        if LEAST <= sum(numbers) < top:
            seen[sum(numbers), tuple(hide(numbers))].append(numbers)
    for (_, look), alike in seen.items():
        for at, number in enumerate(look):
            values = {numbers[at] for numbers in alike}
            assert isinstance(number, int) or len(values) > 1 or min(values) >= LEAST, (look, alike)
            if number == FEW:  # by the sum alone any of 0 to 9; by the rule too nearly any
                assert len(values) >= LEAST - 2, (look, alike)


def test_a_single_small_number_takes_another_with_it() -> None:
    assert hide([3, 40, 50]) == [FEW, HIDDEN, 50]
    assert hide([0, 12, 50]) == [FEW, HIDDEN, HIDDEN] or hide([0, 12, 50]) == [FEW, 12, HIDDEN]
    assert hide([5, 5, 5, 80]) == [FEW, FEW, FEW, 80]
    assert hide([20, 30]) == [20, 30]
    assert hide([9, 9]) == [HIDDEN, HIDDEN]


FIGURES = {
    "report/acted/spam": 120, "report/acted/hate": 30, "report/acted/threat": 14, "report/none/spam": 44, "report/none/other": 25,
    "report/aged/other": 11, "decision/person/nothing": 60, "decision/person/R5/7 days": 41, "decision/person/R4/a day": 12,
    "decision/person/R4/ended early": 3, "decision/program/R5/a day": 25, "decided/14400": 60, "decided/86400": 40, "appeal/upheld/person": 14,
    "appeal/reversed/person": 4, "answered/86400": 18, "lifted": 2, "notice/acted/log": 12, "notice/none/log": 10, "operators": 3,
    "request/fulfilled/know": 41, "request/denied/delete": 12, "request/expired/other": 3, "denial/no_match": 12, "replied/86400": 53,
    "order/produced/warrant": 11, "order/narrowed/subpoena": 13, "order/refused/demand": 14, "order_country/NO": 20, "order_country/SE": 9,
    "order_country/DE": 9, "hold": 15, "disclosure/told": 100, "disclosure/produced": 24, "disclosure/reveal": 11,
    "pictures": 40, "looks": 22, "referrals": 1, "second/agreed": 34, "second/differed": 11, "second/missed": 12,
}  # fmt: skip


def numbers(published: Mapping[str, Any]) -> list[object]:
    """Every number of a tree."""
    return [published["number"], *(one for part in published.get("parts", {}).values() for one in numbers(part))]


def test_a_month_shows_no_number_below_ten_and_parts_of_shown_numbers_only() -> None:
    made = month("2026-11", FIGURES)
    for name in (
        "reports",
        "decisions",
        "appeals",
        "second",
        "lifted",
        "notices",
        "requests",
        "denials",
        "orders",
        "order_countries",
        "holds",
        "disclosures",
    ):
        for number in numbers(made[name]):
            assert number in (FEW, HIDDEN) or (isinstance(number, int) and number >= LEAST)
    assert made["reports"]["number"] == 244
    assert made["lifted"] == {"number": FEW}
    assert [month("2026-11", {"operators": number})["operators"] for number in (0, 3, 10)] == [FEW, FEW, 10]
    assert [made[name] for name in ("pictures", "looks", "referrals")] == [
        {"number": 40},
        {"number": 22},
        {"number": FEW},
    ]
    assert made["decided"] == 14_400
    assert made["answered"] == 86_400
    assert month("2026-11", {})["decided"] is None
    assert month("2026-11", {"appeal/upheld/person": 9})["appeals"] == {"number": FEW}


def test_the_sum_of_the_refusals_is_hidden_where_it_would_tell_those_of_a_kind() -> None:
    ends = {"fulfilled": 40, "revoked": 12, "expired": 12}
    asked = {f"request/{end}/{kind}": number for end, number in ends.items() for kind in request_states.KINDS}
    several = asked | {f"request/denied/{kind}": 20 for kind in request_states.KINDS}
    assert month("2026-11", several)["denials"]["number"] == FEW
    reasons = {"denial/no_match": 20 * len(request_states.KINDS)}
    assert month("2026-11", several | reasons)["denials"]["number"] == 20 * len(request_states.KINDS)
    # all but one kind are shown, so that the sum would tell the rest: 3
    one = several | reasons | {"request/denied/know": 3, "denial/no_match": 20 * len(request_states.KINDS) - 17}
    assert month("2026-11", one)["requests"]["parts"]["know"]["parts"]["denied"]["number"] == FEW
    assert month("2026-11", one)["denials"] == {"number": HIDDEN}


def test_the_founded_share_is_not_shown_where_it_would_give_a_number_away() -> None:
    assert month("2026-11", FIGURES)["founded"] == round(164 / (164 + 69), 2)
    few = {**FIGURES, "report/none/spam": 4, "report/none/other": 0}
    assert month("2026-11", few)["founded"] is None


def test_how_often_two_people_agree_is_a_share_of_the_looks_and_hidden_where_it_would_give_a_number_away() -> None:
    assert month("2026-11", FIGURES)["agreed"] == round(34 / 45, 2)
    assert month("2026-11", {**FIGURES, "second/differed": 3})["agreed"] is None
    assert month("2026-11", {})["agreed"] is None


@pytest.mark.parametrize("figures", [{}, FIGURES])
def test_a_month_is_as_the_document_of_the_api_describes_it(figures: dict[str, int]) -> None:
    schema = openapi.MONTH | {"additionalProperties": False, "components": {"schemas": {"Figure": openapi.FIGURE}}}
    jsonschema_rs.validate(schema, month("2026-11", figures))
    assert not jsonschema_rs.is_valid(schema, month("2026-11", figures) | {"reports": {"number": 1.5}})


def test_whatever_is_shown_below_a_number_is_safe_beside_it() -> None:
    """Each family of a tree by itself: its hidden numbers are those that `hide` leaves safe, and a hidden number has no parts."""
    for kind, name in (
        ("report", "reports"),
        ("decision", "decisions"),
        ("appeal", "appeals"),
        ("second", "second"),
        ("notice", "notices"),
    ):
        assert month("2026-11", FIGURES)[name] == shown(tree(kind, FIGURES))
        walk(shown(tree(kind, FIGURES)))


def walk(published: Mapping[str, Any]) -> None:
    parts = published.get("parts", {})
    assert not parts or isinstance(published["number"], int)
    hidden = [part["number"] for part in parts.values() if not isinstance(part["number"], int)]
    assert len(hidden) != 1, published  # one alone is the sum less the others
    for part in parts.values():
        walk(part)


def test_that_no_program_decided_hides_one_rule_and_not_all() -> None:
    people = {name: number for name, number in FIGURES.items() if "program" not in name}
    parts = month("2026-11", people)["decisions"]["parts"]
    assert parts["program"] == {"number": FEW}
    assert parts["nothing"]["number"] == 60


def test_every_name_that_is_counted_has_its_place() -> None:
    for kind in LEVELS:
        mine = {name: number for name, number in FIGURES.items() if name.startswith(f"{kind}/")}
        assert tree(kind, FIGURES).number == sum(mine.values())

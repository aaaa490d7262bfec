"""Patterns: check digits, ages and what stands behind them. Addresses and numbers in sentences: lines/."""

import pytest

from server.trust.screening.line_patterns import AgeClaims, distinctive_tail, find_card_number, find_contact, find_link
from server.trust.screening.text_folding import find_words


@pytest.mark.parametrize("line", ["4111 1111 1111 1111", "5500-0000-0000-0004", "card 378282246310005 ok"])
def test_a_number_with_a_right_check_digit_is_a_card_s(line: str) -> None:
    assert find_card_number(line)


@pytest.mark.parametrize(
    "line",
    ["4111 1111 1111 1112", "00000012 0000000001", "0000 0000 0000 0000", "123456789012", "41111111111111111111"],
)
def test_others_are_not(line: str) -> None:
    assert not find_card_number(line)


def test_an_age_is_none_where_a_unit_or_more_of_the_number_follows() -> None:
    ages = AgeClaims(["i am {age}", "{age}f"], ["years older", "m", "minutes"])
    assert all(ages.find(line) for line in ("i am 14", "well, i am 9.", "15f", "i am 17 and bored"))
    wrong = (
        "i am 14 m",
        "i am 140",
        "i am 14.5",
        "i am 8/10",
        "i am 14 years older",
        "i am 14 older",
        "xi am 14",
        "i am 18",
    )
    assert not any(ages.find(line) for line in wrong)
    assert not AgeClaims((), ()).find("i am 14")


def test_a_short_rest_of_a_unit_is_no_unit() -> None:
    assert distinctive_tail("years older") == "older"
    assert distinctive_tail("out of") == distinctive_tail("minutes") == ""


def line(text: str) -> tuple[str, list[str]]:
    """A folded line and its words."""
    return text, find_words(text)


def test_an_address_stands_where_it_is_said() -> None:
    assert find_link(*line("see www.ab.example/x")) == (4, 10)
    assert find_link(*line("so.what now")) is None
    assert find_contact(*line("write to me@home.example please")) == (9, 24)
    assert find_contact(*line("+1 2 3")) is None
    assert find_contact(*line("00000012 0000000001")) is None  # no country begins with 0
    assert find_contact(*line("0044 7911 123456")) == (0, 16)

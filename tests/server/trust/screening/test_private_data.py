"""Private data: check digits decide, and other numbers are left alone."""

import pytest

from server.trust.screening import line_patterns
from server.trust.screening.private_data import (
    BESIDE,
    find_card_number,
    find_document,
    find_iban,
    find_phone,
    find_street,
)


@pytest.mark.parametrize("line", ["4111 1111 1111 1111", "5500-0000-0000-0004", "card 378282246310005 ok"])
def test_a_number_with_a_right_check_digit_is_a_card_s(line: str) -> None:
    assert find_card_number(line)


@pytest.mark.parametrize(
    "line",
    ["4111 1111 1111 1112", "00000012 0000000001", "0000 0000 0000 0000", "123456789012", "41111111111111111111"],
)
def test_others_are_not(line: str) -> None:
    assert not find_card_number(line)


@pytest.mark.parametrize(
    "line", ["de89 3704 0044 0532 0130 00", "iban gb82west12345698765432 ok", "no93 8601 1117 947"]
)
def test_an_account_number_is_found_if_its_check_digits_are_right(line: str) -> None:
    assert find_iban(line)
    wrong = line.replace("89", "88").replace("82", "83").replace("93", "94")
    assert not find_iban(wrong)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("219-09-9999", "666-09-9999"),  # United States
        ("529.982.247-25", "529.982.247-26"),  # Brazil
        ("12345678z", "12345678a"),  # Spain
        ("2 55 08 14 168 025 38", "2 55 08 14 168 025 39"),  # France
        ("112-233-445 95", "112-233-445 96"),  # Russia
        ("86 095 742 719", "86 095 742 718"),  # Germany
        ("15076500565", "15076500575"),  # Norway
    ],
)
def test_a_document_s_number_is_proved_by_its_check_digits(right: str, wrong: str) -> None:
    assert find_document(f"my number {right} ok")
    assert not find_document(f"my number {wrong} ok")


@pytest.mark.parametrize(
    "line",
    ["212-555-0187", "(030) 1234567", "0170 1234567", "06 12 34 56 78", "+16465550163", "090-1234-5678", "8 (912) 345-67-89"],
)  # fmt: skip
def test_a_telephone_is_known_by_its_groups(line: str) -> None:
    assert find_phone(line)


@pytest.mark.parametrize(
    "line", ["2026-11-26", "4 8 15 16 23 42", "112-108", "192.168.0.1", "1,000,000", "19:30", "2340", "000-000-0000"]
)
def test_dates_scores_and_sums_are_no_telephones(line: str) -> None:
    assert not find_phone(line)


@pytest.mark.parametrize(
    "line", ["hauptstraße 12", "wohne bachgasse 3b", "storgata 5", "kirkeveien 114", "渋谷区道玄坂1-2"]
)
def test_a_street_whose_name_has_the_word_needs_a_house(line: str) -> None:
    assert find_street(line)


def test_a_group_of_an_account_number_is_no_telephone() -> None:
    account = "de89 3704 0044 0532 0130 00"
    assert find_phone(account) is None
    assert line_patterns.find_phone(account, []) is None
    assert line_patterns.find_phone("ring 0044 7700 900123", [])


@pytest.mark.parametrize("line", ["die hauptstraße war zu", "unterweg 5 min", "hauptstrasse 5 min", "allee"])
def test_a_street_without_a_house_is_none(line: str) -> None:
    assert not find_street(line)


def test_what_follows_a_word_decides() -> None:
    assert BESIDE["house_before"]("at 42 maple street", 12, 18) == (3, 18)
    assert BESIDE["house_before"]("5 minutes down the street", 19, 25) is None
    assert BESIDE["house_behind"]("calle mayor 5", 0, 5) == (0, 13)
    assert BESIDE["number_before"]("12 rue de la paix", 3, 6) == (0, 6)
    assert BESIDE["document"]("passport no 925076473", 0, 8) == (0, 21)
    assert BESIDE["document"]("passport yesterday", 0, 8) is None
    assert BESIDE["number"]("call 8185550107", 0, 4) == (0, 15)
    assert BESIDE["digits"]("my address is elm 5", 0, 10) == (0, 19)


def test_a_number_that_begins_with_three_zeros_is_no_telephone() -> None:
    assert find_phone("00000059 0000000007 the quick brown fox") is None
    assert find_phone("call 0049 171 2345678") is not None

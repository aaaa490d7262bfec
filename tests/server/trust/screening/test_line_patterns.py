"""Patterns: addresses of pages, handles, contacts, and numbers that are no ages. Addresses and numbers in sentences: lines/."""

import pytest

from server.trust.screening.line_patterns import (
    BESIDE,
    age_within,
    distinctive_tail,
    find_contact,
    find_link,
    find_phone,
    find_shaped_link,
    has_laughter,
    is_part_of_number,
)
from server.trust.screening.text_folding import find_words, fold_line


def line(text: str) -> tuple[str, list[str]]:
    """A folded line and its words."""
    return text, find_words(text)


@pytest.mark.parametrize(
    "text",
    ["annacam.tv", "annacam . com", "annacam .net", "hot (.) com", "my аnnаcаm.соm", "annacam.c0m", "t.me/anna", "http://a.example/x"],
)  # fmt: skip
def test_an_address_of_a_page_is_found_in_each_way_that_it_is_written(text: str) -> None:
    assert find_link(*line(text))


@pytest.mark.parametrize(
    "text",
    [
        "so.what now",
        "hola.de donde",
        "real. bet you",
        "e.g. this",
        "v1.2.3",
        "no. i dont",
        "home.me too",
        "leaves at 12.10",
        "a bill of $ 66.10",
        "in no.10 today",
        "привет.как дела",
    ],
)
def test_a_missing_space_makes_no_address(text: str) -> None:
    assert find_link(*line(text)) is None
    assert find_shaped_link(*line(text)) is None


def test_an_ending_that_is_a_word_needs_a_name_that_is_none() -> None:
    assert find_shaped_link(*line("see annaluxcam.live")) == (4, 19)
    assert find_shaped_link(*line("anna-x.me")) == (0, 9)
    assert find_shaped_link(*line("annaluxcam.live in london")) is None
    assert find_shaped_link(*line("fine.me")) is None


def test_a_known_site_hides_no_address_beside_it() -> None:
    assert find_link(*line("https://google.com or https://a.example")) == (22, 33)
    assert find_link(*line("https://google.com@a.example")) == (0, 11)
    assert find_link(*line("https://google.com:80@a.example")) == (0, 11)
    assert find_link(*line("https://google.com and www.youtube.com")) is None


def test_an_address_stands_where_it_is_said() -> None:
    assert find_link(*line("see www.ab.example/x")) == (4, 10)
    assert find_contact(*line("write to me@home.example please")) == (9, 24)
    assert find_phone(*line("+1 2 3")) is None
    assert find_phone(*line("00000012 0000000001")) is None  # no country begins with 0
    assert find_phone(*line("0044 7911 123456")) == (0, 16)


def test_a_handle_has_a_digit_or_a_sign_or_follows_a_colon() -> None:
    handle = BESIDE["handle"]
    assert handle("snap annax22", 0, 4) == (0, 12)
    assert handle("insta: bellamoon", 0, 5) == (0, 16)
    assert handle("ig is anna_lux ok", 0, 2) == (0, 14)
    assert handle("snap yesterday", 0, 4) is None
    assert handle("insta: yeah", 0, 5) is None
    assert handle("snap 2 years", 0, 4) is None


def test_a_measure_or_a_part_of_a_number_is_no_age() -> None:
    for text in ("14%", "14/10", "14.5", "14:30", "14-15", "$14", "1.14", "14°"):
        at = text.index("14")
        assert is_part_of_number(text, at, at + 2), text
    assert not is_part_of_number("im 14.", 3, 5)
    assert not is_part_of_number("im 14, 5 foot 2", 3, 5)


def test_an_age_is_read_from_within_a_word() -> None:
    assert [age_within(word) for word in ("14f", "im16", "f9", "18f", "2014", "114f")] == [14, 16, 9, 0, 0, 0]


def test_a_short_rest_of_a_unit_is_no_unit() -> None:
    assert distinctive_tail("years older") == "older"
    assert distinctive_tail("out of") == distinctive_tail("minutes") == ""


def test_a_site_that_a_sentence_names_is_no_link_of_high_confidence() -> None:
    for text, rule in (
        ("i read it on rogerlegert.com", "link.shape"), ("he bought them from livenatium.com yesterday", "link.shape"),
        ("their web site is www.dallasboys.com", "link.shape"), ("i saw www.google.com there", "link.shape"),
        ("find me on annacam.com", "link"), ("on annacam.com/join now", "link"), ("my site is annacam.com", "link"),
        ("go to annacam.com", "link"), ("http://annacam.com", "link"),
    ):  # fmt: skip
        assert (find_link(*line(text)) is not None) == (rule == "link"), text
        assert rule == "link" or find_shaped_link(*line(text)) is not None, text


def test_laughter_is_known_in_each_language_of_the_page() -> None:
    for word in (
        "lol",
        "haha",
        "jajaja",
        "jeje",
        "mdr",
        "kkkk",
        "rsrs",
        "хаха",
        "хах",
        "лол",
        "ههه",
        "jk",
        "шучу",
        "spøk",
        "Spaß",
        "deconne",
        "أمزح",
        "witz",
        "broma",
    ):
        assert has_laughter(fold_line(f"i will {word}")), word
    for word in ("ах", "ха", "hat", "ah", "hello"):
        assert not has_laughter(f"i will {word}"), word

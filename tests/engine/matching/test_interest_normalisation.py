"""What makes two spellings one interest."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.matching.interest_normalisation import BadInterest, SpellingCache, normal


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Music", "mUSIC"),
        ("  board   games ", "board\tgames"),
        ("\uff2d\uff35\uff33\uff29\uff23", "music"),  # full width
        ("stra\u00dfe", "STRASSE"),
        ("caf\u00e9", "cafe\u0301"),
        ("mu\u200bsic\ufeff", "music"),  # zero width
        ("m\u00fcs\u00adic", "m\u00fcsic"),  # soft hyphen
        ("\u043c\u0443\u0455ic", "\u043c\u0443sic"),  # Cyrillic dze
        ("\u0441hess", "chess"),  # Cyrillic es
        ("heart \u2764\ufe0f", "heart \u2764"),  # emoji selector
        ("\ufb01lm", "film"),
    ],
)
def test_spellings_that_mean_the_same_are_one(one: str, other: str) -> None:
    assert normal(one) == normal(other)


@pytest.mark.parametrize(
    ("one", "other"), [("f1", "fl"), ("c", "c++"), ("resume", "r\u00e9sum\u00e9"), ("ios", "i0s"), ("\u732b", "\u72ac")]
)
def test_words_that_people_tell_apart_stay_apart(one: str, other: str) -> None:
    assert normal(one) != normal(other)


@pytest.mark.parametrize("word", ["", " ", "\u200b", "\u200d\ufe0f", "\x00\x01", "x" * 65, "x" * 10_000])
def test_empty_and_long_words_are_refused(word: str) -> None:
    with pytest.raises(BadInterest):
        normal(word)


@given(st.text(max_size=80))
def test_any_text_gives_a_key_that_is_its_own_key_or_a_named_error(word: str) -> None:
    try:
        key = normal(word)
    except BadInterest:
        return
    assert len(key) >= 1
    assert normal(key) == key
    assert not any(unicodedata.category(char) in {"Cc", "Cf", "Cs"} for char in key)


def test_the_memory_of_spellings_is_bounded_and_only_a_memory() -> None:
    asked = []

    def costly(word: str) -> str:
        asked.append(word)
        return word.upper()

    spellings = SpellingCache(4, costly)
    assert [spellings(word) for word in "aabbccddee"] == list("AABBCCDDEE")
    assert asked == list("abcde")
    assert len(spellings.known) <= 4
    assert [spellings(word) for word in "abc"] == list("ABC")
    assert asked == list("abcde"), "the older generation is not forgotten with the younger"
    assert [spellings(word) for word in "fghijkl"] == list("FGHIJKL")
    assert spellings("e") == "E"
    assert asked == list("abcdefghijkle"), "a spelling that nobody wrote for two generations is forgotten"

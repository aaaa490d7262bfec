"""A word has a number as long as somebody uses it."""

import pytest

from engine.matching.interest_normalisation import BadInterest, InternFull
from engine.matching.interest_numbers import Vocabulary


def test_two_spellings_are_one_interest_and_each_use_counts() -> None:
    words = Vocabulary()
    first, second = words.intern(["Jazz", "sailing"]), words.intern(["jazz"])
    assert (second[0], words.interests) == (first[0], 2)
    assert words.words(first) == ["jazz", "sailing"]
    words.release(first)
    assert words.interests == 1
    words.release(second)
    assert words.interests == 0


def test_of_known_words_nothing_is_kept_and_none_is_made() -> None:
    words = Vocabulary()
    ids = words.intern(["Jazz"])
    assert words.known(["JAZZ", "sailing", ""]) == ["JAZZ"]
    assert words.interests == 1
    words.release(ids)
    assert (words.known(["jazz"]), words.interests) == ([], 0)


def test_a_word_without_room_counts_no_use_of_the_others() -> None:
    words = Vocabulary(most_interests=2)
    held = words.intern(["jazz", "tea"])
    with pytest.raises(InternFull):
        words.intern(["jazz", "sailing"])
    assert words.known(["sailing", "tea"]) == ["tea"]
    words.release(held)
    assert words.interests == 0


def test_a_word_that_is_none_counts_no_use_of_the_others() -> None:
    words = Vocabulary()
    with pytest.raises(BadInterest):
        words.intern(["jazz", " "])
    assert words.interests == 0

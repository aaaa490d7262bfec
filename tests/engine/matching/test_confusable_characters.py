"""The table of look-alikes."""

import unicodedata

from engine.matching.confusable_characters import SKELETON


def test_each_stands_for_one_letter_or_digit_of_ascii() -> None:
    assert len(SKELETON) == 245
    assert all(plain.isascii() and plain.isalnum() and len(plain) == 1 for plain in SKELETON.values())


def test_only_what_normalisation_and_case_folding_leave_alone_is_in_it() -> None:
    for char in map(chr, SKELETON):
        assert not char.isascii()
        assert unicodedata.normalize("NFKC", char).casefold() == unicodedata.normalize("NFD", char) == char

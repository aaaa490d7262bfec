"""Test the scanner of words in single letters: it finds what a text in which they are joined has, and nothing else."""

import random
from itertools import pairwise

import pytest

from ext.text.spelled_scanner import SpelledScanner
from server.trust.screening.text_folding import is_unspaced, word_spans
from tests.ext.text.test_phrase_scanner import small

SPELLED_PHRASES = (
    "my snap",
    "add .. snap me",
    "snap",
    "a .. b",
    "i m",
    "sn4p _ ok",
    "sooo am",
    "我 snap",
    "am 14",
    "you {harm}",
)


def spelled(text: str) -> list[tuple[str, int, int]]:
    """Return the phrases with words in single letters, by two scanners of an index."""
    scanner, ends = small(*SPELLED_PHRASES)
    scanner.scan(text)
    return [(ends[end].rule, begin, behind) for end, begin, behind in SpelledScanner(scanner).scan()]


def by_joined_text(text: str) -> list[tuple[str, int, int]]:
    """Return the same by another way: the text with the letters of each word joined is scanned anew."""
    words = [text[begin:end].replace("'", "") for begin, end in word_spans(text)]
    whole: list[str] = []
    begins: list[int] = []
    place = 0
    while place < len(words):
        end = place
        while end < len(words) and len(words[end]) == 1 and not is_unspaced(words[end]):
            end += 1
        end = end if end - place >= 3 else place + 1
        whole.append("".join(words[place:end]))
        begins.append(place)
        place = end
    begins.append(len(words))
    scanner, ends = small(*SPELLED_PHRASES)
    scanner.scan(" ".join(whole))
    found = [(ends[end].rule, begins[begin], begins[behind]) for end, begin, behind in scanner.hits()]
    joined = {begin for begin, behind in pairwise(begins) if behind - begin > 1}
    return [(rule, begin, behind) for rule, begin, behind in found if any(begin <= one < behind for one in joined)]


def test_words_in_single_letters_are_read_three_letters_at_least() -> None:
    assert spelled("my s n a p ok") == [("my snap", 0, 5), ("snap", 1, 5)]
    assert spelled("my $ n 4 p ok") == []
    assert spelled("i m ok a") == spelled("") == []


@pytest.mark.parametrize("seed", range(3))
def test_spelled_words_are_found_as_in_a_text_in_which_they_are_joined(seed: int) -> None:
    dice = random.Random(seed)
    pieces = [
        "my",
        "add",
        "on",
        "s n a p",
        "s n 4 p",
        "a",
        "b",
        "i",
        "m",
        "me",
        "我",
        "我我",
        "i am 14",
        "a m",
        "you",
        "k i l l",
        "sooo",
        "s o o o",
        "ok",
        "1",
    ]
    found = 0
    for _ in range(4_000):
        text = " ".join(dice.choices(pieces, k=dice.randint(1, 14)))
        assert spelled(text) == by_joined_text(text), text
        found += bool(spelled(text))
    assert found > 500

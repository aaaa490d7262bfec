"""Test numbers of requests as people write them."""

from server.ops.security.reference_numbers import ALPHABET, number
from server.trust.data_requests.request_number import read, shown


def test_a_number_is_read_in_every_spelling() -> None:
    for _ in range(200):
        drawn = number()
        spelled = shown(drawn).lower().replace("0", "o").replace("1", "l")
        assert read(f" {spelled} ") == drawn
        assert read(spelled.replace("-", " ")) == drawn


def test_one_wrong_character_is_always_seen() -> None:
    drawn = number()
    for place, right in enumerate(drawn):
        for wrong in ALPHABET:
            if wrong != right:
                assert read(drawn[:place] + wrong + drawn[place + 1 :]) is None


def test_what_is_no_number_is_none() -> None:
    for text in ("", "x", "A" * 14, "Ä" * 13, "0" * 12 + "\0", "1" * 10_000):
        assert read(text) is None

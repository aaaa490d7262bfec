"""Base64 as the library spells it, of whole groups of three bytes."""

import random
from base64 import urlsafe_b64encode

import pytest

from ext.net.base64 import url64


@pytest.mark.parametrize("size", range(0, 97, 3))
def test_it_is_spelled_as_by_the_library(size: int) -> None:
    data = random.Random(size).randbytes(size)
    assert url64(data) == urlsafe_b64encode(data).decode()


def test_every_character_of_the_alphabet_comes() -> None:
    number = int("".join(f"{place:06b}" for place in range(64)), 2)
    assert url64(number.to_bytes(48)) == "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@pytest.mark.parametrize("size", [1, 2, 4, 56, 97, 99])
def test_what_would_be_padded_and_what_is_long_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="groups of three"):
        url64(bytes(size))

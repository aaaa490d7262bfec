"""Tokens: opaque, unforgeable, bound to an identity where there was one, one spelling each."""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.ops.security import secret_keys
from server.ops.security.resume_tokens import Content, Tokens

KEYS = secret_keys.Keys(secret_keys.Secret(bytes(range(32)), 7))
TOKENS = Tokens(KEYS, node=3, worker=2, generation=9, clock=lambda: 1_800_000_000.7)
NUMBERS = st.integers(0, 2**63 - 1)


@given(NUMBERS, NUMBERS)
def test_what_was_sealed_opens_for_the_same_identity(session: int, identity: int) -> None:
    assert TOKENS.open(TOKENS.seal(session, identity), identity) == session


@given(NUMBERS, st.integers(1, 2**63 - 1), NUMBERS)
def test_another_identity_opens_nothing(session: int, identity: int, other: int) -> None:
    assert TOKENS.open(TOKENS.seal(session, identity), other) == (session if other == identity else None)


@given(NUMBERS, NUMBERS)
def test_a_token_of_a_connection_without_a_cookie_is_bound_to_none(session: int, identity: int) -> None:
    assert TOKENS.open(TOKENS.seal(session, 0), identity) == session


@given(st.integers(0, 75), st.integers(0, 63))
def test_any_other_character_makes_it_forged(place: int, choice: int) -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    token = TOKENS.seal(11, 5)
    forged = token[:place] + alphabet[choice] + token[place + 1 :]
    assert TOKENS.open(forged, 5) == (11 if forged == token else None)


@given(st.text(max_size=200))
def test_text_that_is_no_token_opens_nothing(text: str) -> None:
    assert TOKENS.open(text, 0) is None


@pytest.mark.parametrize("length", [0, 75, 77, 4096, 4097, 1_000_000])
def test_a_token_of_another_length_opens_nothing(length: int) -> None:
    assert TOKENS.open("A" * length, 0) is None


def test_the_other_base64_alphabet_is_another_spelling_and_opens_nothing() -> None:
    for _ in range(200):
        token = TOKENS.seal(1, 0)
        if "-" in token or "_" in token:
            assert TOKENS.open(token.replace("-", "+").replace("_", "/"), 0) is None
            return
    pytest.fail("no token with - or _")


def test_a_token_says_nothing_to_who_holds_it() -> None:
    session, identity = secrets.randbits(63), secrets.randbits(63)
    raw = urlsafe_b64decode(TOKENS.seal(session, identity))
    assert session.to_bytes(8) not in raw
    assert identity.to_bytes(8) not in raw


def test_no_nonce_comes_twice_and_no_two_tokens_are_alike() -> None:
    tokens = [TOKENS.seal(1, 1) for _ in range(10_000)]
    assert len({urlsafe_b64decode(token)[1:13] for token in tokens}) == len(tokens)
    assert len(set(tokens)) == len(tokens)


def test_a_count_of_nonces_that_reaches_its_end_goes_on_from_zero() -> None:
    tokens = Tokens(KEYS)
    tokens._nonce = (1 << 96) - 1
    assert tokens.open(tokens.seal(4, 0), 0) == 4


def test_a_token_of_another_worker_or_an_earlier_start_is_read_but_not_opened() -> None:
    token = TOKENS.seal(12, 34)
    for other in (Tokens(KEYS, 4, 2, 9), Tokens(KEYS, 3, 1, 9), Tokens(KEYS, 3, 2, 8)):
        assert other.open(token, 34) is None
        assert other.read(token, 34) == Content(12, 34, 3, 2, 9, 1_800_000_000)


def test_a_token_of_the_previous_key_opens_and_one_of_the_key_before_does_not(tmp_path: Path) -> None:
    first = Tokens(secret_keys.load(tmp_path)).seal(5, 0)
    second_keys = secret_keys.rotate(tmp_path)
    assert Tokens(second_keys).open(first, 0) == 5
    second = Tokens(second_keys).seal(6, 0)
    third_keys = secret_keys.rotate(tmp_path)
    assert Tokens(third_keys).open(second, 0) == 6
    assert Tokens(third_keys).open(first, 0) is None


def test_a_key_id_that_nobody_has_opens_nothing() -> None:
    raw = bytearray(urlsafe_b64decode(TOKENS.seal(1, 0)))
    raw[0] ^= 1
    assert TOKENS.open(urlsafe_b64encode(bytes(raw)).decode(), 0) is None

"""Tokens of people whom somebody does not want to meet again: opaque, unforgeable, good for 120 days."""

import secrets

from hypothesis import given
from hypothesis import strategies as st

from engine.wire.protocol import AVOID_TOKEN_MAX
from server.ops.security import secret_keys
from server.ops.security.avoid_tokens import AvoidTokens
from server.ops.security.dated_tokens import DAY

SECRET = secret_keys.Secret(bytes(range(32)), 7)
KEYS = secret_keys.Keys(SECRET)
NOW = 1_800_000_000.5
TOKENS = AvoidTokens(KEYS, clock=lambda: NOW)
PERSONS = st.integers(0, 2**63 - 1)


@given(PERSONS)
def test_what_was_made_opens_and_no_two_are_alike(person: int) -> None:
    one, until = TOKENS.make(person)
    other, _ = TOKENS.make(person)
    assert one != other
    assert len(one) == 55 <= AVOID_TOKEN_MAX
    assert TOKENS.open([one, other]) == (person, person)
    assert NOW + 119 * DAY < until <= NOW + 120 * DAY


def test_one_is_good_for_its_days_and_not_before_them() -> None:
    token, until = TOKENS.make(5)
    for at, found in ((until - 1, (5,)), (until, ()), (NOW - 2 * DAY, ())):
        assert AvoidTokens(KEYS, clock=lambda at=at: at).open([token]) == found  # type: ignore[misc]  # bound now


@given(st.integers(0, 54), st.integers(0, 63))
def test_any_other_character_makes_it_nobodys(place: int, choice: int) -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    token, _ = TOKENS.make(11)
    forged = token[:place] + alphabet[choice] + token[place + 1 :]
    if place < 54:  # the last character has bits that hold nothing
        assert TOKENS.open([forged, token]) == ((11, 11) if forged == token else (11,))


@given(st.lists(st.text(max_size=64), max_size=16))
def test_text_that_is_no_token_is_nobody(texts: list[str]) -> None:
    assert TOKENS.open(texts) == ()


def test_another_services_tokens_are_nobodys_and_the_previous_secrets_are_not() -> None:
    foreign = AvoidTokens(secret_keys.Keys(secret_keys.Secret(secrets.token_bytes(32), 7)), clock=lambda: NOW)
    token, _ = TOKENS.make(9)
    assert foreign.open([token]) == ()
    rotated = AvoidTokens(secret_keys.Keys(secret_keys.Secret(secrets.token_bytes(32), 8), SECRET), clock=lambda: NOW)
    assert rotated.open([token, *[foreign.make(3)[0]]]) == (9,)

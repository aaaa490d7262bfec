"""Tokens of kept pairs: opaque, unforgeable, good for 120 days and for the identity of their holder alone."""

import secrets

from hypothesis import given
from hypothesis import strategies as st

from engine.wire.protocol import PAIR_TOKEN_MAX
from server.ops.security import secret_keys
from server.ops.security.dated_tokens import DAY
from server.ops.security.pair_tokens import PairTokens

SECRET = secret_keys.Secret(bytes(range(32)), 7)
KEYS = secret_keys.Keys(SECRET)
NOW = 1_800_000_000.5
TOKENS = PairTokens(KEYS, clock=lambda: NOW)


@given(st.integers(1, 2**64 - 1), st.integers(1, 2**63 - 1))
def test_what_was_made_opens_for_its_holder_and_no_two_are_alike(half: int, identity: int) -> None:
    one, until = TOKENS.make(half, identity)
    other, _ = TOKENS.make(half, identity)
    assert one != other
    assert len(one) == 76 <= PAIR_TOKEN_MAX
    assert TOKENS.open([one, other], identity) == (half, half)
    assert TOKENS.open([one], identity + 1) == (0,), "a token that was copied is of no use"
    assert NOW + 119 * DAY < until <= NOW + 120 * DAY


def test_one_is_good_for_its_days_and_not_before_them() -> None:
    token, until = TOKENS.make(5, 9)
    for at, found in ((until - 1, (5,)), (until, (0,)), (NOW - 2 * DAY, (0,))):
        assert PairTokens(KEYS, clock=lambda at=at: at).open([token], 9) == found  # type: ignore[misc]  # bound now


@given(st.integers(0, 74), st.integers(0, 63))
def test_any_other_character_makes_it_nobodys_and_keeps_the_places_of_the_others(place: int, choice: int) -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    token, _ = TOKENS.make(11, 9)
    forged = token[:place] + alphabet[choice] + token[place + 1 :]
    assert TOKENS.open([forged, token], 9) == ((11, 11) if forged == token else (0, 11))


@given(st.lists(st.text(max_size=80), max_size=10))
def test_text_that_is_no_token_is_nobody(texts: list[str]) -> None:
    assert TOKENS.open(texts, 9) == (0,) * len(texts)


def test_without_a_cookie_nothing_opens_and_another_services_token_is_nobodys() -> None:
    token, _ = TOKENS.make(9, 3)
    assert TOKENS.open([token], 0) == (0,)
    foreign = PairTokens(secret_keys.Keys(secret_keys.Secret(secrets.token_bytes(32), 7)), clock=lambda: NOW)
    assert foreign.open([token], 3) == (0,)


def test_a_token_from_before_a_ban_of_its_holder_is_nobodys_and_one_from_after_it_is_good() -> None:
    banned = {9: 0}
    tokens = PairTokens(KEYS, last_ban=banned.__getitem__, clock=lambda: now[0])
    now = [NOW]
    before, _ = tokens.make(5, 9)
    assert tokens.open([before], 9) == (5,)
    banned[9] = int(NOW) + 60
    now[0] = NOW + 3600
    after, _ = tokens.make(7, 9)
    assert tokens.open([before, after], 9) == (0, 7)
    banned[9] = 0
    assert tokens.open([before], 9) == (5,), "the ban was reversed"

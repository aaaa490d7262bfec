"""Dated tokens: fields of any number come back, and no token opens for another purpose."""

import pytest

from server.ops.security import secret_keys
from server.ops.security.dated_tokens import DAY, DatedTokens

KEYS = secret_keys.Keys(secret_keys.Secret(bytes(range(32)), 7))
NOW = 1_800_000_000.5


@pytest.mark.parametrize("fields", [(1,), (1, 2**64 - 1), (0, 5, 9)])
def test_the_fields_come_back_until_the_days_are_over(fields: tuple[int, ...]) -> None:
    def tokens(now: float) -> DatedTokens:
        return DatedTokens(KEYS, secret_keys.Purpose.PAIR, len(fields), 3, clock=lambda: now)

    token, until = tokens(NOW).make(*fields)
    assert NOW + 2 * DAY < until <= NOW + 3 * DAY
    assert tokens(until - 1).open(token) == fields
    assert tokens(until).open(token) is None


def test_a_token_of_another_purpose_opens_to_nothing() -> None:
    avoid, pair = (
        DatedTokens(KEYS, purpose, 2, 3, clock=lambda: NOW)
        for purpose in (secret_keys.Purpose.AVOID, secret_keys.Purpose.PAIR)
    )
    token, _ = avoid.make(5, 9)
    assert (avoid.open(token), pair.open(token)) == ((5, 9), None)

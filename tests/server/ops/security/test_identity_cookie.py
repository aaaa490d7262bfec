"""The identity cookie: random, renewed, for safety only, and never anything that was not made here."""

from http.cookies import SimpleCookie

import pytest

from server.ops.security import identity_cookie

IDENTITIES = identity_cookie.Identities(bytes(32))
OTHERS = identity_cookie.Identities(b"\1" * 32)
VALUE = b"AbCdEfGhIjKlMnOpQrStUv"


def test_one_value_is_one_person_under_one_key() -> None:
    assert IDENTITIES.of(VALUE) == IDENTITIES.of(VALUE)
    assert IDENTITIES.of(VALUE) != IDENTITIES.of(b"BbCdEfGhIjKlMnOpQrStUv")
    assert IDENTITIES.of(VALUE) != OTHERS.of(VALUE)
    assert 0 < IDENTITIES.of(VALUE) < 2**63


@pytest.mark.parametrize(
    "value", [None, b"", b"short", VALUE + b"x", VALUE[:-1] + b"=", VALUE[:-1] + b"\n", b"\xff" * 22, b"x" * 100_000]
)
def test_a_value_that_was_not_made_here_is_nobody(value: bytes | None) -> None:
    assert IDENTITIES.of(value) == 0


def test_a_first_visit_gets_128_random_bits() -> None:
    values = {SimpleCookie(identity_cookie.answer(None, secure=False))["id"].value for _ in range(100)}
    assert len(values) == 100
    assert all(IDENTITIES.of(value.encode()) for value in values)


def test_by_https_the_cookie_is_host_bound_and_secure() -> None:
    morsel = SimpleCookie(identity_cookie.answer(None, secure=True))["__Host-id"]
    assert morsel["secure"]
    assert morsel["path"] == "/"
    assert not morsel["domain"]


@pytest.mark.parametrize("secure", [True, False])
def test_a_cookie_is_out_of_reach_for_scripts_and_other_sites_and_lasts_120_days(secure: bool) -> None:
    morsel = SimpleCookie(identity_cookie.answer(None, secure))[identity_cookie.name(secure)]
    assert morsel["httponly"]
    assert morsel["samesite"] == "Lax"
    assert morsel["max-age"] == str(120 * 24 * 60 * 60)


def test_a_presented_value_is_renewed_and_a_strange_one_replaced() -> None:
    assert SimpleCookie(identity_cookie.answer(VALUE, secure=False))["id"].value == VALUE.decode()
    fresh = identity_cookie.answer(b"x; Domain=evil", secure=False)
    assert "evil" not in fresh
    assert IDENTITIES.of(SimpleCookie(fresh)["id"].value.encode())

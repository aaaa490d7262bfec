"""Test the options for browsers, and which answers verify."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.trust.moderators.passkeys import WHY, Credential, NotProved, Passkeys
from tests.server.trust.console.authenticator import Authenticator

ORIGIN = "http://localhost:9466"
FIELDS = ("id", "rawId", "type", "response", "clientDataJSON", "authenticatorData", "signature", "attestationObject")


@pytest.fixture
def passkeys() -> Passkeys:
    """Of one origin."""
    return Passkeys(ORIGIN)


def made(passkeys: Passkeys, key: Authenticator) -> Credential:
    """The credential of a new passkey."""
    return passkeys.made(key.create(passkeys.ask_new("ada", b"h" * 16, "enrol")), "enrol")


def test_the_browser_is_asked_for_a_passkey_that_it_finds_by_itself_and_that_knows_its_user(passkeys: Passkeys) -> None:
    new = json.loads(passkeys.ask_new("ada", b"h" * 16, "enrol"))
    assert new["rp"]["id"] == "localhost"
    chosen = new["authenticatorSelection"]
    assert (chosen["residentKey"], chosen["userVerification"]) == ("required", "required")
    shown = json.loads(passkeys.ask("sign in"))
    assert shown["userVerification"] == "required"
    assert "allowCredentials" not in shown


def test_a_passkey_is_made_and_proved(passkeys: Passkeys) -> None:
    key = Authenticator()
    kept = made(passkeys, key)
    shown = passkeys.shown(key.get(passkeys.ask("sign in")), "sign in")
    assert (shown.id, shown.handle) == (kept.id, b"h" * 16)
    assert passkeys.proved(shown, kept) == 0


@pytest.mark.parametrize(
    ("counters", "true"), [((0, 0), True), ((1, 2), True), ((2, 2), False), ((3, 2), False), ((2, 0), False)]
)
def test_a_counter_never_goes_back(passkeys: Passkeys, counters: tuple[int, int], true: bool) -> None:
    key = Authenticator()
    key.counter = counters[0]
    kept = made(passkeys, key)
    key.counter = counters[1]
    shown = passkeys.shown(key.get(passkeys.ask("sign in")), "sign in")
    if true:
        assert passkeys.proved(shown, kept) == counters[1]
        return
    with pytest.raises(NotProved, match="counter"):
        passkeys.proved(shown, kept)


@pytest.mark.parametrize("field", ["authenticatorData", "signature", "clientDataJSON"])
def test_a_bit_that_is_changed_makes_it_untrue(passkeys: Passkeys, field: str) -> None:
    key = Authenticator()
    kept = made(passkeys, key)
    said = json.loads(key.get(passkeys.ask("sign in")))
    text = said["response"][field]
    middle = len(text) // 2
    said["response"][field] = text[:middle] + ("A" if text[middle] != "A" else "B") + text[middle + 1 :]
    with pytest.raises(NotProved) as refused:
        passkeys.proved(passkeys.shown(json.dumps(said), "sign in"), kept)
    assert str(refused.value) in WHY


def test_another_sites_passkey_is_untrue(passkeys: Passkeys) -> None:
    key = Authenticator()
    kept = made(passkeys, key)
    options = json.loads(passkeys.ask("sign in"))
    options["rpId"] = "elsewhere.example"
    with pytest.raises(NotProved, match="untrue"):
        passkeys.proved(passkeys.shown(key.get(json.dumps(options)), "sign in"), kept)


def test_a_sign_in_makes_no_passkey_and_the_other_way_round(passkeys: Passkeys) -> None:
    key = Authenticator()
    kept = made(passkeys, key)
    with pytest.raises(NotProved):
        passkeys.made(key.get(passkeys.ask("enrol")), "enrol")
    with pytest.raises(NotProved):
        passkeys.proved(passkeys.shown(key.create(passkeys.ask_new("ada", b"h" * 16, "sign in")), "sign in"), kept)


SHAPES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.sampled_from(["AAAA", "public-key"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=6),
    max_leaves=20,
)


@given(said=st.dictionaries(st.sampled_from(FIELDS), SHAPES, max_size=6) | SHAPES, cut=st.integers(0, 200))
def test_whatever_a_browser_brings_is_an_answer_or_none(said: object, cut: int) -> None:
    passkeys, text = Passkeys(ORIGIN), json.dumps(said)
    for read in (passkeys.made, passkeys.shown):
        for part in (text, text[:cut]):
            with pytest.raises(NotProved):
                read(part, "a question")


def test_its_library_is_there_once_it_is_loaded() -> None:
    passkeys = Passkeys(ORIGIN)
    assert not passkeys.loaded
    passkeys.load()
    assert passkeys.loaded

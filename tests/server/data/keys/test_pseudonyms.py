"""Keyed values: the same person is found within an epoch, and with its key gone nobody finds them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.data.errors import KeyAwaited
from server.data.keys.epoch_keys import EpochKeys, KeyGone
from server.data.keys.pseudonyms import Keyed, Pseudonyms, canonical, mac


@pytest.fixture
def pseudonyms(tmp_path: Path) -> Pseudonyms:
    return Pseudonyms(EpochKeys(tmp_path), b"k" * 32, b"e" * 32)


@pytest.mark.parametrize(
    ("address", "found"),
    [("192.0.2.1", "192.0.2.1"), ("::ffff:192.0.2.1", "192.0.2.1"), ("2001:DB8:0::1%eth0", "2001:db8::1")],
)
def test_an_address_has_one_spelling(address: str, found: str) -> None:
    assert canonical(address) == found


def test_a_person_is_the_same_within_an_epoch_and_another_in_the_next(pseudonyms: Pseudonyms) -> None:
    who, sealed, address = pseudonyms.live(1, 42, "192.0.2.1")
    assert pseudonyms.live(1, 42, "192.0.2.1")[0] == who
    assert pseudonyms.live(2, 42, "192.0.2.1")[0] != who
    assert who in pseudonyms.live_identities(42)
    assert address in pseudonyms.live_addresses("192.0.2.1")
    assert sealed is not None
    assert pseudonyms.live_address(sealed).text == "192.0.2.1"
    assert pseudonyms.live(1, 42, "192.0.2.1")[1] != sealed


def test_with_the_key_of_the_epoch_goes_the_address(pseudonyms: Pseudonyms) -> None:
    _, sealed, _ = pseudonyms.live(1, 42, "192.0.2.1")
    assert sealed is not None
    resealed = pseudonyms.reseal(sealed)
    pseudonyms.epochs.destroy(1)
    with pytest.raises(KeyGone):
        pseudonyms.live_address(sealed)
    assert resealed is not None
    assert pseudonyms.kept_address(resealed).text == "192.0.2.1"


@given(st.binary(min_size=1, max_size=80), st.binary(max_size=40), st.binary(max_size=80))
def test_a_key_that_was_begun_once_makes_the_same_values(key: bytes, domain: bytes, value: bytes) -> None:
    key = key[:64]
    assert Keyed(key, domain, 7).mac(value) == mac(key, domain, value, 7)


def test_nobody_has_no_values(pseudonyms: Pseudonyms) -> None:
    assert pseudonyms.live(1, 0, "") == (None, None, None)
    assert pseudonyms.kept(0, "") == (None, None, None)


def test_an_objects_key_opens_under_its_own_name_only(pseudonyms: Pseudonyms) -> None:
    wrapped = pseudonyms.wrap("logs/a", b"x" * 32)
    assert pseudonyms.unwrap("logs/a", wrapped) == b"x" * 32
    with pytest.raises(KeyGone):
        pseudonyms.unwrap("logs/b", wrapped)


def test_while_a_key_is_awaited_nobody_is_looked_up_and_what_lasts_is_made(pseudonyms: Pseudonyms) -> None:
    pseudonyms.live(1, 42, "192.0.2.1")
    pseudonyms.epochs.await_keys([2])
    with pytest.raises(KeyAwaited):
        pseudonyms.live_identities(42)
    with pytest.raises(KeyAwaited):
        pseudonyms.live_addresses("192.0.2.1")
    assert pseudonyms.kept(42, "192.0.2.1")[0] is not None
    assert pseudonyms.live(1, 42, "192.0.2.1")[0] is not None

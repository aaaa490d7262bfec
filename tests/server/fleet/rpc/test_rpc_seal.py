"""The seal: it holds for its place and its bytes, under the present secret and the one before."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag

from ext.accept.address_limits import share_of
from server.fleet.rpc.rpc_seal import MAC, Seal
from server.ops.security import secret_keys


@pytest.fixture
def seal(tmp_path: Path) -> Seal:
    return Seal(secret_keys.load(tmp_path / "data"))


def test_what_was_sealed_opens_at_its_place(seal: Seal) -> None:
    assert seal.opened(b"here", seal.sealed(b"here", b"word")) == b"word"
    assert seal.opened(b"here", seal.sealed(b"here", b"")) == b""


def test_nowhere_else_and_with_no_other_byte(seal: Seal) -> None:
    data = seal.sealed(b"here", b"word")
    assert seal.opened(b"there", data) is None
    assert seal.opened(b"her", seal.sealed(b"here", b"word")) is None
    for place in range(len(data)):
        other = bytearray(data)
        other[place] ^= 1
        assert seal.opened(b"here", bytes(other)) is None


def test_what_is_too_short_opens_nowhere(seal: Seal) -> None:
    data = seal.sealed(b"here", b"")
    assert len(data) == 1 + MAC
    assert all(seal.opened(b"here", data[:size]) is None for size in range(len(data)))


def test_another_secret_is_not_heard(seal: Seal, tmp_path: Path) -> None:
    other = Seal(secret_keys.load(tmp_path / "other"))
    assert seal.opened(b"here", other.sealed(b"here", b"word")) is None


def test_after_a_rotation_both_sides_hear_each_other(seal: Seal, tmp_path: Path) -> None:
    rotated = Seal(secret_keys.rotate(tmp_path / "data"))
    assert rotated.opened(b"here", seal.sealed(b"here", b"old")) == b"old"
    assert seal.opened(b"here", rotated.sealed(b"here", b"new")) is None  # not before that host has the new secret


def test_a_cipher_is_of_one_secret_one_request_and_one_use(seal: Seal, tmp_path: Path) -> None:
    hidden = seal.cipher(seal.id, b"n" * 16, b"key").encrypt(bytes(12), b"word", None)
    assert (
        Seal(secret_keys.rotate(tmp_path / "data")).cipher(seal.id, b"n" * 16, b"key").decrypt(bytes(12), hidden, None)
        == b"word"
    )
    for other in (seal.cipher(seal.id, b"m" * 16, b"key"), seal.cipher(seal.id, b"n" * 16, b"other")):
        with pytest.raises(InvalidTag):
            other.decrypt(bytes(12), hidden, None)
    with pytest.raises(KeyError):
        seal.cipher((seal.id + 1) % 256, b"n" * 16, b"key")


def test_a_network_is_the_same_word_for_who_has_the_secret_and_says_how_wide_it_is(tmp_path: Path) -> None:
    one, other = Seal(secret_keys.load(tmp_path / "one")), Seal(secret_keys.load(tmp_path / "other"))
    words = [one.hidden(network) for network in ("192.0.2.1", "192.0.2.0/24", "2001:db8::/48")]
    assert len(set(words)) == 3
    assert [share_of(word) for word in words] == [
        share_of(network) for network in ("192.0.2.1", "192.0.2.0/24", "2001:db8::/48")
    ]
    assert not any("192" in word.partition("/")[0] and "." in word for word in words)
    assert words == [
        Seal(secret_keys.load(tmp_path / "one")).hidden(network)
        for network in ("192.0.2.1", "192.0.2.0/24", "2001:db8::/48")
    ]
    assert one.hidden("192.0.2.1") != other.hidden("192.0.2.1")

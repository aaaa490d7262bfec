"""The head of a request: it holds at one host, for half a minute, once; and nothing of it can be changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.fleet.rpc import rpc_envelope
from server.fleet.rpc.rpc_envelope import (
    ANSWER,
    BOUNDS,
    HEAD,
    LARGEST,
    NONCE_LIFE,
    SKEW,
    SMALL,
    Head,
    Kind,
    Nonces,
    Refused,
    Status,
)
from server.fleet.rpc.rpc_seal import SEALED, Seal
from server.ops.security import secret_keys

HERE = "10.0.0.1:9467"
KNOWN = frozenset(Kind)
ASKED = Head(Kind.EPOCH, "0123456789", 1_795_000_000_000, bytes(range(16)), 5)


@pytest.fixture
def seal(tmp_path: Path) -> Seal:
    return Seal(secret_keys.load(tmp_path / "data"))


def opened(seal: Seal, data: bytes, at: str = HERE) -> bytes:
    found = rpc_envelope.read(data[: HEAD.size], KNOWN)
    return rpc_envelope.opened(seal, at, found, data[HEAD.size :])


def test_a_request_is_read_as_it_was_sent(seal: Seal) -> None:
    data = rpc_envelope.request(seal, HERE, ASKED, b"hello")
    assert rpc_envelope.read(data[: HEAD.size], KNOWN) == ASKED
    assert opened(seal, data) == b"hello"
    assert len(data) == HEAD.size + SEALED + 5


def test_no_byte_of_a_request_can_be_another_and_it_holds_at_no_other_host(seal: Seal) -> None:
    data = rpc_envelope.request(seal, HERE, ASKED, b"hello")
    for place in range(len(data)):
        other = bytearray(data)
        other[place] ^= 1
        with pytest.raises(Refused) as refused:
            opened(seal, bytes(other))
        assert refused.value.why in ("mac", "kind", "size")
        assert refused.value.status is None
    with pytest.raises(Refused):
        opened(seal, data, "10.0.0.2:9467")


def test_a_body_has_its_bound_before_a_byte_of_it_is_read(seal: Seal) -> None:
    assert max(BOUNDS.values()) <= LARGEST
    assert set(BOUNDS) == set(Kind)
    for kind, length in ((Kind.HELLO, SMALL + 1), (Kind.EPOCH, 1 << 30), (200, SMALL + 1)):
        with pytest.raises(Refused, match="size"):
            rpc_envelope.read(ASKED._replace(kind=kind, length=length).packed(), KNOWN)
    assert rpc_envelope.read(ASKED._replace(kind=200, length=SMALL).packed(), KNOWN).kind == 200


@pytest.mark.parametrize("off", [SKEW + 1, -SKEW - 1])
def test_a_clock_may_be_half_a_minute_off(off: float) -> None:
    at = ASKED.time / 1000
    rpc_envelope.in_time(ASKED, at + SKEW)
    rpc_envelope.in_time(ASKED, at - SKEW)
    with pytest.raises(Refused) as refused:
        rpc_envelope.in_time(ASKED, at + off)
    assert (refused.value.why, refused.value.status) == ("time", Status.CLOCK)


@pytest.mark.parametrize(
    ("off", "waited", "why"), [(SKEW + 5, 10.0, "late"), (SKEW + 50, 10.0, "time"), (-SKEW - 1, 10.0, "time")]
)
def test_a_request_that_lay_unread_is_no_sign_of_a_clock(off: float, waited: float, why: str) -> None:
    at = ASKED.time / 1000
    with pytest.raises(Refused) as refused:
        rpc_envelope.in_time(ASKED, at + off, waited)
    assert (refused.value.why, refused.value.status) == (why, Status.FULL if why == "late" else Status.CLOCK)


def test_a_nonce_is_taken_once_and_known_until_the_time_refuses_it() -> None:
    nonces = Nonces(most=3)
    nonces.take(b"a", 0.0)
    with pytest.raises(Refused, match="nonce"):
        nonces.take(b"a", NONCE_LIFE - 0.1)
    nonces.take(b"b", 1.0)
    nonces.take(b"c", 1.0)
    with pytest.raises(Refused) as refused:
        nonces.take(b"d", 1.0)
    assert (refused.value.why, refused.value.status) == ("full", Status.FULL)
    nonces.take(b"d", NONCE_LIFE)
    assert NONCE_LIFE >= 2 * SKEW


def test_an_answer_is_to_one_request_and_by_a_secret_that_its_asker_has(seal: Seal, tmp_path: Path) -> None:
    data = rpc_envelope.answer(seal, seal.id, b"n" * 16, Status.NO, b"why")
    status, length = ANSWER.unpack(data[: ANSWER.size])
    assert (status, length) == (Status.NO, 3)
    sealed = data[ANSWER.size :]
    assert rpc_envelope.answered(seal, b"n" * 16, status, sealed) == b"why"
    assert rpc_envelope.answered(seal, b"m" * 16, status, sealed) is None
    assert rpc_envelope.answered(seal, b"n" * 16, Status.TAKEN, sealed) is None
    rotated = Seal(secret_keys.rotate(tmp_path / "data"))
    answer = rpc_envelope.answer(rotated, seal.id, b"n" * 16, Status.TAKEN, b"")
    assert rpc_envelope.answered(seal, b"n" * 16, Status.TAKEN, answer[ANSWER.size :]) == b""

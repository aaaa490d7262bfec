"""Test that pictures are bounded before anything is stored."""

from __future__ import annotations

import secrets

import pytest

from engine.wire.protocol import SNAP_BYTES
from server.trust.evidence.reported_picture import MOST, OWN, STRIP, Picture, bounded


def picture(at: int = 1, kind: str = STRIP, side: int = 1, size: int = 10) -> Picture:
    """One, of bytes by chance."""
    return Picture(kind, side, at, secrets.token_bytes(size))


def test_the_newest_stay_in_their_order() -> None:
    many = tuple(picture(at) for at in range(MOST + 5))
    assert [one.at for one in bounded(many)] == list(range(5, MOST + 5))


@pytest.mark.parametrize(
    "bad", [picture(size=SNAP_BYTES + 1), picture(size=0), picture(kind="gif"), picture(side=2), picture(side=-1)]
)
def test_what_is_no_picture_of_the_two_is_left_out(bad: Picture) -> None:
    good = picture(kind=OWN, side=0, size=SNAP_BYTES)
    assert bounded((bad, good)) == (good,)

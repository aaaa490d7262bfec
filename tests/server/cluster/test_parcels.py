"""Moves as bytes: they come as they went, or not at all."""

from __future__ import annotations

import pytest

from engine.parcel import Parcel
from server.cluster.parcels import Move, Unreadable, pack, unpack

MOVE = Move(
    "0123456789",
    3,
    "meet",
    2**63 + 7,
    ["meet", 1, [], []],
    0.25,
    Parcel({"v": 1, "people": []}, [b"one", b"", b"three"]),
)


def test_a_move_comes_as_it_went() -> None:
    assert unpack(pack(MOVE)) == MOVE
    assert unpack(pack(MOVE._replace(meeting=None, client=0))).meeting is None


def test_one_that_is_cut_anywhere_is_none() -> None:
    data = pack(MOVE)
    for end in range(len(data)):
        with pytest.raises(Unreadable):
            unpack(data[:end])
    with pytest.raises(Unreadable):
        unpack(data + b"!")


@pytest.mark.parametrize(
    "wrong",
    [
        MOVE._replace(node=5),  # type: ignore[arg-type]
        MOVE._replace(meeting="him"),  # type: ignore[arg-type]
        MOVE._replace(age=None),  # type: ignore[arg-type]
        MOVE._replace(people=Parcel([], [])),  # type: ignore[arg-type]
    ],
)
def test_one_of_other_fields_is_none(wrong: Move) -> None:
    with pytest.raises(Unreadable):
        unpack(pack(wrong))

"""Moves as bytes: they come as they went, or not at all."""

from __future__ import annotations

import pytest

from engine.engine import SessionRecord
from server.fleet.roaming.move_request import Move, Unreadable, divided, pack, unpack, wireless

MOVE = Move(
    "0123456789",
    3,
    "meet",
    2**63 + 7,
    ["meet", 1, [], []],
    0.25,
    SessionRecord({"v": 1, "people": []}, [b"one", b"", b"three"]),
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
        MOVE._replace(people=SessionRecord([], [])),  # type: ignore[arg-type]
    ],
)
def test_one_of_other_fields_is_none(wrong: Move) -> None:
    with pytest.raises(Unreadable):
        unpack(pack(wrong))


def test_of_a_connection_what_is_no_whole_frame_and_what_was_not_taken_stays() -> None:
    wire = {
        "heard": 3, "moved": 2, "held": 1, "blocked": 1, "tokens": [1.0] * 5, "confirm": 1, "input": 2, "opcode": 1, "part": 3, "out": 4,
        "bytes": 1, "address": "192.0.2.7",
    }  # fmt: skip
    whole = SessionRecord({"v": 1, "people": [{"id": 7, "wire": wire}], "chats": []}, [b"ring", b"inpartoutp", b"last"])
    there, state, data = divided(whole)
    goes = {
        "heard": 3,
        "tokens": [1.0] * 5,
        "confirm": 1,
        "opcode": 1,
        "part": 3,
        "bytes": 1,
        "address": "192.0.2.7",
        "visitor": 1,
    }
    assert there == SessionRecord(
        {"v": 1, "people": [{"id": 7, "wire": goes}], "chats": []}, [b"ring", b"par", b"last"]
    )
    assert (state, data) == ({"heard": 3, "moved": 2, "input": 2, "opcode": 1, "out": 4}, b"intout" + b"p")
    assert whole.record["people"][0]["wire"] is wire
    assert whole.blobs[1] == b"inpartoutp"


def test_a_connection_of_which_nothing_is_kept_has_no_bytes() -> None:
    there, state, data = divided(SessionRecord({"v": 1, "people": [{"id": 7, "wire": {}}]}, [b"ring"]))
    assert there == SessionRecord({"v": 1, "people": [{"id": 7, "wire": {"visitor": 1}}]}, [b"ring"])
    assert (state, data) == ({}, b"")


def test_without_their_connections_people_keep_their_limits() -> None:
    wire = {"tokens": [1.0] * 5, "out": 3, "bytes": 0}
    people = SessionRecord({"v": 1, "people": [{"id": 7, "wire": wire}, {"id": 8, "away": 3.0}]}, [b"out", b"ring"])
    assert wireless(people) == SessionRecord(
        {"v": 1, "people": [{"id": 7, "tokens": [1.0] * 5}, {"id": 8, "away": 3.0}]}, [b"", b"ring"]
    )

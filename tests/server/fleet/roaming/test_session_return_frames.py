"""What a home says of somebody who goes back: whole or nothing, of whom it was, and never more than was agreed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.engine import SessionRecord
from ext.migrate.tunnel_transfer import RECORD_MAX
from server.fleet.roaming import session_return_frames
from server.fleet.roaming.move_request import Move, pack
from server.fleet.roaming.session_return_frames import END, LAST_MAX, PERSON, READ_MAX, ReturnRecord, TooLarge
from tests.ext.net.tunnels import whole

ONE = {"id": 5, "address": "192.0.2.1", "wire": {"input": 3, "part": 2, "opcode": 1, "bytes": 0}}


def session_record(**fields: Any) -> SessionRecord:
    """Somebody's."""
    return SessionRecord({"v": 1, "people": [{**ONE, **fields}], "chats": []}, [b"inptp"])


def frames(data: bytes) -> list[bytes]:
    """The payloads of records."""
    out, told, clean = whole(data)
    assert (out, clean) == (b"", True)
    return told


@given(st.integers(0, 3 * RECORD_MAX))
def test_all_comes_as_it_was(size: int) -> None:
    said = (bytes(range(251)) * (size // 251 + 1))[:size]
    coming = ReturnRecord()
    first, *others = frames(session_return_frames.person(session_record()) + b"".join(session_return_frames.rest(said)))
    assert coming.take(first, 5)
    for place, payload in enumerate(others):
        assert not coming.whole
        assert not coming.take(payload, 5)
        assert coming.whole == (place == len(others) - 1)
    assert (coming.read, coming.session_record) == (said, session_record())


def test_who_has_too_much_is_not_said() -> None:
    with pytest.raises(TooLarge):
        session_return_frames.person(SessionRecord(session_record().record, [bytes(RECORD_MAX)]))


def first(made: SessionRecord) -> bytes:
    """As a home would say it."""
    return PERSON + pack(Move("", 0, "home", 5, None, 0.0, made))


@pytest.mark.parametrize(
    "payload",
    [
        b"", PERSON, PERSON + b"x" * 50, b"Qwhat", END + b"first",
        first(SessionRecord({"v": 1, "people": [], "chats": []}, [])),
        first(SessionRecord({"v": 1, "people": [ONE, ONE], "chats": []}, [b"inptp"])),
        first(SessionRecord({"v": 1, "people": ["x"], "chats": []}, [])),
        first(SessionRecord({"v": 1, "chats": []}, [])),
        first(session_record(id=6)), first(session_record(key=7)), first(session_record(key="5")),
        first(session_record(seat={})), first(session_record(wire=None)),
        first(session_record(wire={"input": 3})), first(session_record(wire={"input": -1, "part": 6, "bytes": 0})),
        first(session_record(wire={"input": True, "bytes": 0})), first(session_record(wire={"input": 5, "bytes": 1})),
        first(session_record(wire={"input": 5, "bytes": -1})), first(session_record(wire={"out": 5, "bytes": 0})),
        first(session_record(wire={"input": 3, "part": 1, "bytes": 0})), first(session_record(wire=[])),
    ],
)  # fmt: skip
def test_what_is_not_theirs_is_nothing(payload: bytes) -> None:
    coming = ReturnRecord()
    assert not coming.take(payload, 5)
    assert coming.session_record is None
    assert not coming.take(END + b"x", 5)
    assert (coming.whole, coming.read) == (False, b"")


@given(st.binary(max_size=300))
def test_whatever_comes_first_is_refused_or_theirs(data: bytes) -> None:
    coming = ReturnRecord()
    assert not coming.take(PERSON + data, 5)


def test_a_second_person_is_nothing_and_too_much_is_never_whole() -> None:
    coming = ReturnRecord()
    assert coming.take(first(session_record()), 5)
    assert not coming.take(first(session_record(told="other")), 5)
    assert coming.session_record == session_record()
    for _ in range(READ_MAX // RECORD_MAX + 2):
        coming.take(b"B" + bytes(RECORD_MAX - 1), 5)
    coming.take(END, 5)
    assert not coming.whole
    assert len(coming.read) <= READ_MAX + RECORD_MAX


def test_the_key_is_that_of_the_token() -> None:
    assert session_return_frames.key_of({"id": 5}) == 5
    assert session_return_frames.key_of({"id": 5, "key": 6}) == 6


SAID = {"saves": [["c", ""]], "past": {"chat": "c"}, "chats": [{"id": "c"}]}


def test_what_is_known_of_the_last_chat_comes_as_it_was_said() -> None:
    assert session_return_frames.read_last(session_return_frames.last(SAID)) == SAID


@pytest.mark.parametrize(
    "payload",
    [b"", b"P", b"L", b"L[]", b"Lnull", b'L{"id":5}', session_return_frames.last({"saves": ["x" * LAST_MAX]})],
)
def test_what_is_no_such_word_is_nothing(payload: bytes) -> None:
    assert session_return_frames.read_last(payload) is None

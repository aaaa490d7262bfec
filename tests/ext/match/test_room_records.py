"""Records of the waiting room: what is written is read again, what a field cannot hold writes nothing, and what is cut is an error."""

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ext.match.room_records import RecordReader, RecordWriter

TWO = [(1, 10, 3), (2, 20, 4)]


def written() -> bytes:
    """One record of each kind."""
    writer = RecordWriter()
    writer.ticket(1, True, 2, 3, 0, (7, 8), (9,), b"text\ten", "sail\nschäkel".encode(), 5, 6, 1 << 63, 1.5, 2.5)
    writer.step(5, 6, 1, 2, 1, True, 0.25, 0.5)
    for member in TWO:
        writer.member(*member)
    writer.meet(11, 2, False, b"sail", b"why?", 1.0, 2.0, 3.0)
    writer.go(5, 3)
    for member in TWO:
        writer.member(*member)
    writer.meet(11, 2, False, b"sail", None, 1.0, 2.0, 3.0)
    writer.done(11, [(5, 50), (6, 60)])
    writer.other(b"[1]")
    return writer.take()


def test_members_of_a_meeting_that_fits_no_record_are_not_in_the_next_one() -> None:
    writer = RecordWriter()
    writer.go(1, 3)
    writer.member(1, 10, 3)
    with pytest.raises(ValueError, match="fits no record"):
        writer.meet(11, 2, False, b"x" * 70_000, None, 1.0, 2.0, 3.0)
    for member in TWO:
        writer.member(*member)
    writer.meet(12, 2, False, b"sail", None, 1.0, 2.0, 3.0)
    reader = RecordReader(writer.take())
    assert reader.next()
    assert not reader.is_going
    assert (reader.id, reader.members(3)) == (12, [list(one) for one in TWO])
    assert not reader.next()


def test_each_kind_of_record_is_read_as_it_was_written() -> None:
    reader = RecordReader(written())
    assert reader.next()
    assert reader.is_ticket
    assert (reader.status, reader.strict, reader.level, reader.fallen) == (1, True, 2, 3)
    assert (reader.client, reader.number, reader.person, reader.age, reader.step) == (5, 6, 1 << 63, 1.5, 2.5)
    assert (reader.recent(), reader.barred(), reader.pools()) == ((7, 8), (9,), b"text\ten")
    assert reader.words() == ["sail", "schäkel"]
    assert reader.next()
    assert reader.is_step
    assert (reader.client, reader.number, reader.level, reader.fallen, reader.accepts) == (5, 6, 1, 2, 1)
    assert (reader.others, reader.step, reader.widens) == (True, 0.25, 0.5)
    for question in ("why?", None):
        assert reader.next()
        assert reader.is_meeting or reader.is_going
        assert (reader.id, reader.members(3), reader.rule) == (11, [list(one) for one in TWO], 2)
        assert (reader.words(), reader.question(), reader.first, reader.weight) == (["sail"], question, 1.0, 3.0)
    assert (reader.client, reader.worker) == (5, 3)
    assert reader.next()
    assert reader.is_done
    assert (reader.id, reader.members(2)) == (11, [[5, 50], [6, 60]])
    assert [(reader.member(place, 0), reader.member(place, 1)) for place in range(reader.count)] == [(5, 50), (6, 60)]
    for place, field in ((2, 0), (0, 2), (0, -1)):
        with pytest.raises(IndexError):
            reader.member(place, field)
    assert reader.next()
    assert reader.text() == b"[1]"
    assert not reader.next()


@pytest.mark.parametrize(
    "write",
    [
        lambda writer: writer.done(1, [(1, -1)]),
        lambda writer: writer.done(1, [(1, 2, 3)]),
        lambda writer: writer.done(1 << 64, ()),
        lambda writer: writer.meet(1, 0, False, b"x" * 70_000, None, 0.0, 0.0, 0.0),
        lambda writer: [writer.member(1, 2, 3) for _ in range(9)],
        lambda writer: writer.step(1, 2, 256, 0, 0, False, 0.0, 0.0),
        lambda writer: writer.ticket(0, False, 0, 0, 0, (1,) * 256, (), b"p", b"", 1, 1, 1, 0.0, 0.0),
    ],
)
def test_what_a_record_cannot_hold_writes_nothing(write: Callable[[RecordWriter], None]) -> None:
    writer = RecordWriter()
    writer.other(b"before")
    with pytest.raises((OverflowError, TypeError, ValueError)):
        write(writer)
    reader = RecordReader(writer.take())
    assert reader.next()
    assert reader.text() == b"before"
    assert not reader.next()


@given(st.integers(0, 400), st.binary(max_size=64), st.integers(0, 400))
def test_cut_and_changed_records_are_read_to_an_error_or_the_end(cut: int, strange: bytes, place: int) -> None:
    whole = written()
    reader = RecordReader(whole[:place] + strange + whole[place + len(strange) : cut])
    with contextlib.suppress(ValueError):
        while reader.next():
            reader.recent(), reader.barred(), reader.pools(), reader.text(), reader.words(), reader.question()
            with contextlib.suppress(ValueError):
                reader.members(3)


def test_a_reader_has_its_bytes_from_the_start_and_for_good() -> None:
    with pytest.raises(TypeError):
        RecordReader.__new__(RecordReader)  # type: ignore[call-arg]
    reader = RecordReader(written())
    assert (reader.question(), reader.words(), reader.pools(), reader.text()) == (None, [], b"", b"")
    for _ in range(3):
        reader.next()
    with contextlib.suppress(TypeError):
        reader.__init__(b"")  # type: ignore[misc]
    assert (reader.members(3), reader.question()) == ([list(one) for one in TWO], "why?")

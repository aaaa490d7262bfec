"""Messages through shared memory: in order, whole, and never beyond what is there, whatever the other end wrote."""

import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ext.base.shared_ring import SharedRing, new_memory

SIZE = 4096


@contextmanager
def memory() -> Iterator[int]:
    """The file of one ring."""
    file = new_memory(SIZE, 1)
    try:
        yield file
    finally:
        os.close(file)


@given(st.lists(st.one_of(st.binary(max_size=1500), st.none()), max_size=60))
def test_messages_come_out_as_they_went_in_over_every_wrap(moves: list[bytes | None]) -> None:
    with memory() as file:
        writer, reader = SharedRing(file, SIZE), SharedRing(file, SIZE)
        there: list[bytes] = []
        for message in moves:
            if message is None:
                assert reader.take() == there
                there = []
            elif writer.put(message):
                there.append(message)
            else:
                assert sum(4 + len(one) for one in there) + 4 + len(message) > SIZE
        assert reader.take() == there
        assert reader.take() == []


def test_a_message_that_never_fits_is_refused_and_a_full_ring_is_said_so() -> None:
    with memory() as file:
        writer = SharedRing(file, SIZE)
        with pytest.raises(ValueError, match="larger"):
            writer.put(bytes(SIZE))
        assert writer.put(bytes(SIZE - 4))
        assert not writer.put(b"")


def test_a_reader_that_sleeps_is_woken_once_and_does_not_sleep_while_something_is_there() -> None:
    with memory() as file:
        writer, reader = SharedRing(file, SIZE), SharedRing(file, SIZE)
        assert not writer.must_wake()
        assert reader.sleep()
        writer.put(b"one")
        assert writer.must_wake()
        assert not writer.must_wake()
        assert not reader.sleep()
        assert not writer.must_wake()
        assert reader.take() == [b"one"]
        assert reader.sleep()


def test_a_writer_without_room_is_called_once_when_something_was_read() -> None:
    with memory() as file:
        writer, reader = SharedRing(file, SIZE), SharedRing(file, SIZE)
        assert not reader.must_call()
        writer.call_me()
        assert reader.must_call()
        assert not reader.must_call()


@pytest.mark.parametrize("written", [1, SIZE + 1, 1 << 63, (1 << 64) - 1])
def test_damaged_counts_are_refused(written: int) -> None:
    with memory() as file:
        writer, reader = SharedRing(file, SIZE), SharedRing(file, SIZE)
        with mmap.mmap(file, 4096 + SIZE) as shared:
            shared[0:8] = written.to_bytes(8, "little")
        with pytest.raises(ValueError, match="damaged"):
            reader.take()
        if written > SIZE:
            with pytest.raises(ValueError, match="damaged"):
                writer.put(b"one")


@pytest.mark.parametrize("length", [4, 4092, (1 << 32) - 1])
def test_a_damaged_length_is_refused(length: int) -> None:
    with memory() as file:
        writer, reader = SharedRing(file, SIZE), SharedRing(file, SIZE)
        writer.put(b"one")
        with mmap.mmap(file, 4096 + SIZE) as shared:
            shared[4096:4100] = length.to_bytes(4, "little")
        with pytest.raises(ValueError, match="damaged"):
            reader.take()


def test_a_file_that_is_too_small_is_refused() -> None:
    with memory() as file:
        for size, place in ((SIZE, 1), (2 * SIZE, 0), (SIZE, -1), (100, 0), (0, 0)):
            with pytest.raises(ValueError, match=r"ring|memory"):
                SharedRing(file, size, place)

"""Test the tap: relayed lines reach another process, whole and in order; a full tap costs the chat nothing."""

import os
from collections.abc import Iterator

import pytest

from ext.net.chat_ring import Rings
from ext.net.similarity import Shingles
from ext.net.tap import Tap, Tapped, make
from ext.text.line_sieve import FOLDS, FirstLines, LineSieve
from tests.ext.net.rig import Rig, line

SIZE = 4096


class Reader:
    """The reading end, by a sieve that returns each line."""

    def __init__(self, memory: int) -> None:
        tapped, folds = Tapped(memory), bytes(2 * FOLDS)
        self._sieve = LineSieve(tapped, FirstLines(1, 1), Shingles(bytes(16), 1), folds, 180, 24)

    def take(self, most: int) -> list[tuple[int, int, int, float, bytes]]:
        return [line[:5] for line in self._sieve.take(most, most, 0, 0.0, 0.0)]


@pytest.fixture
def memory() -> Iterator[int]:
    fd = make(SIZE)
    yield fd
    os.close(fd)


def test_a_line_that_is_relayed_is_there_with_its_chat_side_number_and_time(
    rig: Rig, rings: Rings, memory: int
) -> None:
    tapped = Reader(memory)
    rig.reactor.screen(Tap(memory))
    a, b = rig.dial(), rig.dial()
    ring = rings.new(2**62 + 5)
    rig.reactor.link(a.number, ring, 0)
    rig.reactor.link(b.number, ring, 1)
    a.say(line("hi"))
    rig.turn()
    b.say(line("café"))
    rig.turn()
    rig.reactor.say(b.number, b"said", None)
    found = tapped.take(10)
    assert [line[:3] + line[4:] for line in found] == [
        (2**62 + 5, 0, 1, b"hi"), (2**62 + 5, 1, 2, "café".encode()), (2**62 + 5, 1, 3, b"said"),
    ]  # fmt: skip
    rig.reactor.screen(None)
    rig.reactor.say(b.number, b"more", None)
    assert tapped.take(10) == []


def test_a_question_is_line_0_of_its_chat_by_who_watches(rig: Rig, memory: int) -> None:
    rig.reactor.asked(7, b"nobody reads along")
    rig.reactor.screen(Tap(memory))
    rig.reactor.asked(2**62 + 5, b"why?")
    ((chat, side, number, at, text),) = Reader(memory).take(10)
    assert (chat, side, number, text) == (2**62 + 5, 2, 0, b"why?")
    assert at == pytest.approx(rig.now)
    rig.reactor.screen(None)
    rig.reactor.asked(8, b"nobody again")
    assert Reader(memory).take(10) == []


def test_a_full_tap_drops_and_counts_and_the_reader_goes_on_where_it_was(memory: int) -> None:
    tap = Tap(memory)
    while tap.put(1, 0, 1, 0.0, b"x" * 100):
        pass
    assert tap.dropped == 1
    assert not tap.put(1, 0, 2, 0.0, b"x" * SIZE)
    first = Reader(memory).take(5)
    assert len(first) == 5
    rest = Reader(memory).take(1000)  # another process, after the first one was killed
    assert len(rest) == SIZE // 136 - 5
    assert tap.put(7, 1, 3, 2.5, b"after")
    assert Reader(memory).take(10) == [(7, 1, 3, 2.5, b"after")]


def test_what_was_read_is_nowhere_in_the_memory(memory: int) -> None:
    tap, tapped = Tap(memory), Reader(memory)
    tap.put(1, 0, 1, 0.0, b"a secret of mine")
    assert b"secret" in os.pread(memory, 2 * SIZE, 0)
    tapped.take(1)
    assert b"secret" not in os.pread(memory, 2 * SIZE, 0)


@pytest.mark.parametrize("size", [0, 1, 4095, 5000, 1 << 31])
def test_a_size_that_cannot_be_is_refused(size: int) -> None:
    with pytest.raises(ValueError):
        make(size)


def test_memory_that_is_no_tap_is_refused(memory: int) -> None:
    os.pwrite(memory, b"other", 0)
    for end in (Tap, Tapped):
        with pytest.raises(ValueError):
            end(memory)

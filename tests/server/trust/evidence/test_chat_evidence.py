"""Test the last lines of a chat: whole, bounded, as bytes and back."""

from __future__ import annotations

import gzip

import pytest

from server.trust.evidence.chat_evidence import (
    BYTES,
    LINES,
    LONGEST,
    Detection,
    Evidence,
    Unreadable,
    last,
    pack,
    said,
    unpack,
)


def test_the_last_lines_are_kept_in_order() -> None:
    lines = [(number, number & 1, 5, b"x") for number in range(1, LINES + 51)]
    assert [line[0] for line in last(lines)] == list(range(51, LINES + 51))


def test_bytes_bound_them_too() -> None:
    lines = [(number, 0, 5, b"x" * 10_000) for number in range(1, 20)]
    kept = last(lines)
    assert sum(len(line[3]) for line in kept) <= BYTES
    assert kept[-1][0] == 19


def test_what_is_packed_comes_back_with_its_marks() -> None:
    lines = said([(1, 0, 5, rb"\u00e9 \"quoted\""), (2, 1, 6, "😀".encode())], (2,))
    assert [line.text for line in lines] == ['é "quoted"', "😀"]
    found = Evidence("text", 1, 6, 1, lines, True, (Detection(2, 1, "link"),))
    assert unpack(pack(found)) == found
    assert [line.marked for line in found.lines] == [False, True]


@pytest.mark.parametrize(
    "body",
    [b"", b"no gzip", gzip.compress(b"[]"), gzip.compress(b"{}"), gzip.compress(b" " * (LONGEST + 1))],
    ids=["nothing", "no gzip", "no object", "no fields", "too long"],
)
def test_other_bytes_are_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        unpack(body)

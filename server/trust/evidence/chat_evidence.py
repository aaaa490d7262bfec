"""Define and serialise the text of a reported chat, as the server itself recorded it.

**Invariant:** the text is copied from the chat's ring (the server's buffer of its last lines), never from the reporter, whose own words are only a
note. The reporter's lines are included, but no interests, college, country or IP address of the reporter.
"""

from __future__ import annotations

import gzip
import io
from dataclasses import dataclass
from typing import Any

import orjson

VERSION = 1
LINES = 100  # the last lines of both sides
BYTES = 64 * 1024  # of their text
LONGEST = 1024 * 1024  # bytes when unpacked, against a decompression bomb

Raw = tuple[int, int, int, bytes]  # (number, side, Unix time, text as JSON without its quotes), as a ring gives them


class Unreadable(ValueError):
    """Bytes that `pack` did not make."""


@dataclass(frozen=True, slots=True)
class ChatLine:
    """A line: its number in the chat, side 0 or 1, Unix seconds, the text, and whether the report marks it."""

    number: int
    side: int
    at: int
    text: str
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Detection:
    """A detection: the first line of a side in which a rule matched."""

    number: int
    side: int
    rule: str


@dataclass(frozen=True, slots=True)
class CountedDetection:
    """A class that was detected in several chats of a user's day: this one, and others `earlier`, in Unix seconds, ascending."""

    name: str
    earlier: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Text of a chat. `side`: the reported one; `began`, `at`: Unix seconds of the chat's start and the report; `cut`: earlier lines are missing;
    `counted`: the detection that brought the case by its number of chats in a day.
    """

    mode: str
    began: int
    at: int
    side: int
    lines: tuple[ChatLine, ...]
    cut: bool
    found: tuple[Detection, ...] = ()
    counted: CountedDetection | None = None


def last(lines: list[Raw]) -> list[Raw]:
    """Return the last LINES lines, or the last BYTES of them, in order."""
    kept: list[Raw] = []
    size = 0
    for line in reversed(lines[-LINES:]):
        size += len(line[3])
        if size > BYTES:
            break
        kept.append(line)
    return kept[::-1]


def said(lines: list[Raw], marked: tuple[int, ...]) -> tuple[ChatLine, ...]:
    """Decode raw lines, marked ones flagged."""
    meant = set(marked)
    return tuple(
        ChatLine(number, side, at, orjson.loads(b'"' + text + b'"'), number in meant)
        for number, side, at, text in lines
    )


def pack(found: Evidence) -> bytes:
    """Return compressed JSON, to be an object of its own."""
    body = {
        "v": VERSION,
        "mode": found.mode,
        "began": found.began,
        "at": found.at,
        "side": found.side,
        "cut": found.cut,
        "found": [(one.number, one.side, one.rule) for one in found.found],
        **({} if found.counted is None else {"counted": [found.counted.name, found.counted.earlier]}),
        "lines": [(line.number, line.side, line.at, line.text, line.marked) for line in found.lines],
    }
    return gzip.compress(orjson.dumps(body), 1, mtime=0)


def unpack(packed: bytes) -> Evidence:
    """Return the evidence of `pack`'s bytes. Raises Unreadable."""
    try:
        raw = _unzipped(packed)
        body = orjson.loads(raw)
        return Evidence(
            mode=str(body["mode"]),
            began=int(body["began"]),
            at=int(body["at"]),
            side=int(body["side"]),
            lines=tuple(ChatLine(int(n), int(s), int(t), str(x), bool(m)) for n, s, t, x, m in body["lines"]),
            cut=bool(body["cut"]),
            found=tuple(Detection(int(n), int(s), str(r)) for n, s, r in body.get("found", ())),
            counted=counted_of(body.get("counted")),
        )
    except (EOFError, OSError, KeyError, TypeError, ValueError) as error:
        raise Unreadable(type(error).__name__) from error


def counted_of(packed: Any) -> CountedDetection | None:
    """Return the counted detection of a packed pair, or None. Raises TypeError, ValueError."""
    if packed is None:
        return None
    name, earlier = packed
    return CountedDetection(str(name), tuple(int(at) for at in earlier))


def _unzipped(packed: bytes) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(packed)) as file:
        raw = file.read(LONGEST + 1)
    if len(raw) > LONGEST:
        raise Unreadable("longer than any evidence")
    return raw

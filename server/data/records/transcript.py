"""Encode and decode the lines of a saved chat as bytes.

**Invariant:** a transcript holds only what both participants could see: no address, identifier, session number or language.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

VERSION = 2  # 1 had a language, which is dropped at reading
NO_FACES: Mapping[tuple[int, int], str] = {}
LONGEST = 8 * 1024 * 1024  # bytes when unpacked; bounds a decompression bomb


class Unreadable(ValueError):
    """The bytes are not of `pack`."""


@dataclass(frozen=True, slots=True)
class Line:
    """One message: `side` 0 or 1, Unix time in seconds, the text; `faces`: (side, face) of each reaction to it.

    `picture`: a picture was sent here, of which the log has nothing; the text is empty.
    """

    side: int
    at: int
    text: str
    faces: tuple[tuple[int, str], ...] = ()
    picture: bool = False


@dataclass(frozen=True, slots=True)
class Transcript:
    """The public part of a saved log. `cut`: earlier messages were no longer in the ring. `account`: the client's version, not the server's."""

    mode: str
    started: int
    lines: tuple[Line, ...]
    cut: bool = False
    common: tuple[str, ...] = ()
    colleges: tuple[str, ...] = ()  # by side; empty strings where not shown
    question: str = ""
    account: bool = False
    masks: tuple[int, ...] = ()  # faces of the evening, by side (`server.http.words.chat_faces`); empty in older logs

    @property
    def size(self) -> int:
        """Bytes of text."""
        return sum(len(line.text.encode()) for line in self.lines)


def of_ring(
    lines: list[tuple[int, int, int, bytes]],
    faces: Mapping[tuple[int, int], str] = NO_FACES,
    pictures: Sequence[tuple[int, int, int]] = (),
) -> tuple[tuple[Line, ...], bool]:
    """Convert `ring.lines()`: (seq, side, Unix time, text as raw JSON without its quotes), to (lines, whether first ones are missing).

    `faces`: (seq, side) of a reaction to its face; `pictures`: side, line that it follows, and Unix time of each picture that was sent.
    """
    shown: dict[int, list[tuple[int, str]]] = {}
    for (seq, side), face in faces.items():
        shown.setdefault(seq, []).append((side, face))
    said = [
        (seq, 0, Line(side, at, orjson.loads(b'"' + text + b'"'), tuple(sorted(shown.get(seq, ())))))
        for seq, side, at, text in lines
    ]
    first = lines[0][0] if lines else 0
    said += [(seq, 1, Line(side, at, "", picture=True)) for side, seq, at in pictures if seq >= first - 1]
    ordered = sorted(said, key=lambda one: one[:2])  # stable: pictures after one line stay in their order
    return tuple(line for _, _, line in ordered), bool(lines) and lines[0][0] > 1


def _masks(value: list[int]) -> tuple[int, ...]:
    """Return two faces, or none. Raises ValueError for a number that is no face."""
    masks = tuple(int(face) for face in value)
    if len(masks) not in (0, 2) or not all(0 <= face < 1 << 16 for face in masks):
        raise ValueError("no faces")
    return masks


def pack(transcript: Transcript) -> bytes:
    """Return compressed JSON. Deflate level 1: 256 KiB of text in about 3 ms."""
    body: dict[str, Any] = {
        "v": VERSION,
        "mode": transcript.mode,
        "started": transcript.started,
        "cut": transcript.cut,
        "account": transcript.account,
        "common": transcript.common,
        "colleges": transcript.colleges,
        "question": transcript.question,
        "masks": transcript.masks,
        "lines": [(line.side, line.at, line.text) for line in transcript.lines],
    }
    faces = [(index, *one) for index, line in enumerate(transcript.lines) for one in line.faces]
    if faces:
        body["faces"] = faces
    pictures = [index for index, line in enumerate(transcript.lines) if line.picture]
    if pictures:
        body["pictures"] = pictures
    return zlib.compress(orjson.dumps(body), 1)


def unpack(packed: bytes) -> Transcript:
    """Return the transcript of `pack`. Raises Unreadable."""
    try:
        unzip = zlib.decompressobj()
        raw = unzip.decompress(packed, LONGEST)
        if unzip.unconsumed_tail:
            raise Unreadable("longer than any chat")
        body = orjson.loads(raw)
        faces, pictures = _faces(body), frozenset(map(int, body.get("pictures", ())))
        return Transcript(
            mode=str(body["mode"]),
            started=int(body["started"]),
            lines=tuple(
                Line(int(side), int(at), str(text), tuple(faces.get(index, ())), index in pictures)
                for index, (side, at, text) in enumerate(body["lines"])
            ),
            cut=bool(body["cut"]),
            common=tuple(map(str, body["common"])),
            colleges=tuple(map(str, body["colleges"])),
            question=str(body["question"]),
            account=bool(body["account"]),
            masks=_masks(body.get("masks", ())),
        )
    except (zlib.error, AttributeError, KeyError, TypeError, ValueError) as error:
        raise Unreadable(type(error).__name__) from error


def _faces(body: dict[str, Any]) -> dict[int, list[tuple[int, str]]]:
    """Return the reactions by the index of their line."""
    found: dict[int, list[tuple[int, str]]] = {}
    for index, side, face in body.get("faces", ()):
        found.setdefault(int(index), []).append((int(side), str(face)))
    return found

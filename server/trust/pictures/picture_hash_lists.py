"""Load the operator's lists of known pictures (PDQ hashes, `DATA/lists/*.pdq`), and find the entry that matches a picture's hash.

**Invariant:** an invalid line is skipped and the others are loaded; the number of the first invalid line is reported.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from server.trust.pictures.pdq import BITS, BYTES
from server.trust.pictures.picture_process_codec import TAG_MAX

NEAR: Final = 31  # bits
FEW: Final = 100_000  # entries that are compared one by one
NAME: Final = 60  # characters of a list's name
MOST: Final = 2_000_000  # of all lists; 130 bytes each beyond FEW
SUFFIX: Final = ".pdq"
BANDS: Final = 16
BAND: Final = BITS // BANDS  # bits
_line = re.compile(r"([0-9A-Fa-f]{64})(?:[\s,]+(\S.*))?").fullmatch
_AROUND: Final = np.array([0, *(1 << bit for bit in range(BAND))], np.uint16)

Hashes = NDArray[np.uint8]


class Known:
    """Entries of all lists. `hashes`: n × BYTES; `tags`: one for each.

    A picture is known if its hash differs from an entry's in NEAR bits or fewer. Up to FEW entries all are compared; beyond, those that share one
    of sixteen bands of 16 bits but for one bit: of 31 bits over sixteen bands some band has one at most, so none is missed.
    """

    def __init__(self, hashes: Hashes, tags: Sequence[str], few: int = FEW) -> None:
        self._words = np.ascontiguousarray(hashes).view(np.uint64)
        self._tags = tags
        self._bands = _Bands(hashes) if len(hashes) > few else None

    def __len__(self) -> int:
        return len(self._tags)

    def tag(self, hashed: bytes) -> str:
        """Return the name of the nearest entry, or "" if none is near."""
        if not self._tags:
            return ""
        words = np.frombuffer(hashed, np.uint64)
        rows = None if self._bands is None else self._bands.near(np.frombuffer(hashed, np.uint8))
        entries = self._words if rows is None else self._words[rows]
        if not len(entries):
            return ""
        apart = np.bitwise_count(entries ^ words).sum(axis=1)
        nearest = int(apart.argmin())
        if apart[nearest] > NEAR:
            return ""
        return self._tags[nearest if rows is None else int(rows[nearest])]


class _Bands:
    """Index of the entries by the value of each band: their rows in its order, and the beginning of each value."""

    def __init__(self, hashes: Hashes) -> None:
        columns = np.ascontiguousarray(hashes).view(np.uint16)
        self._rows = [np.argsort(columns[:, band], kind="stable").astype(np.uint32) for band in range(BANDS)]
        values = np.arange((1 << BAND) + 1)
        self._begins = [
            np.searchsorted(columns[rows, band], values).astype(np.uint32) for band, rows in enumerate(self._rows)
        ]

    def near(self, hashed: Hashes) -> NDArray[Any]:
        """Return the rows of candidates, each once."""
        found = []
        for band, value in enumerate(hashed.view(np.uint16)):
            rows, begins = self._rows[band], self._begins[band]
            for other in value ^ _AROUND:
                found.append(rows[begins[other] : begins[int(other) + 1]])
        return np.unique(np.concatenate(found))


def read(folder: Path, most: int = MOST) -> tuple[Known, str]:
    """Read the lists of a folder (a missing one has none). Return them with the place of the first fault ("file:line", or a file), or "". A wrong
    line costs that line alone.

    A line is 64 hex digits (PDQ) and an optional tag. An entry is named by its list and its tag: `list: tag`.
    """
    hashes, tags, same, bad = bytearray(), list[str](), dict[str, str](), ""
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            with path.open(encoding="utf-8", errors="replace") as lines:
                for number, line in enumerate(lines, 1):
                    if not (text := line.strip()) or text.startswith("#"):
                        continue
                    entry = _entry(text, path.stem)
                    if entry is None or len(tags) >= most:
                        bad = bad or f"{path.name}:{number}"
                        continue
                    hashes += entry[0]
                    tags.append(same.setdefault(entry[1], entry[1]))
        except OSError:
            bad = bad or path.name
    return Known(np.frombuffer(bytes(hashes), np.uint8).reshape(-1, BYTES), tags), bad


def _entry(text: str, name: str) -> tuple[bytes, str] | None:
    """Return (hash, name) of a line, or None if it is invalid."""
    found = _line(text)
    if found is None:
        return None
    short = "".join(letter if letter.isascii() and letter.isprintable() else "?" for letter in name[:NAME])
    known = f"{short}: {found[2]}" if found[2] else short
    return (bytes.fromhex(found[1]), known) if known.isprintable() and len(known.encode()) <= TAG_MAX else None

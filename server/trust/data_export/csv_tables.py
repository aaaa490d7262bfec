"""Tables as CSV. Rule: a cell that a spreadsheet would take for a formula begins with an apostrophe; it is shown, never run."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from server.trust.data_export.answer_parts import Row

# and their wide forms, which some read alike
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def cell(value: str | int | None) -> str:
    """One cell, defused: also where blanks stand before the formula, since some programs take them away."""
    text = "" if value is None else str(value).replace("\x00", "")
    return f"'{text}" if text.startswith(FORMULA) or text.lstrip().startswith(FORMULA) else text


def as_csv(columns: Sequence[str], rows: Iterable[Row]) -> bytes:
    """A header and the rows, every cell in quotes; UTF-8 with the mark by which spreadsheets know it."""
    out = io.StringIO(newline="")
    table = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    table.writerow(columns)
    for row in rows:
        table.writerow([cell(row[name]) for name in columns])
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8", "replace")

"""Write tables as CSV. **Invariant:** a cell that a spreadsheet would take for a formula begins with an apostrophe, so it is shown and never run."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from server.trust.data_export.export_parts import Row

# with the full-width forms, which some programs accept too
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def cell(value: str | int | None) -> str:
    """Return a safe cell; formulas after blanks count too, because some programs strip them."""
    text = "" if value is None else str(value).replace("\x00", "")
    return f"'{text}" if text.startswith(FORMULA) or text.lstrip().startswith(FORMULA) else text


def as_csv(columns: Sequence[str], rows: Iterable[Row]) -> bytes:
    """Return a header and the rows, every cell in quotes; UTF-8 with the byte order mark that spreadsheets expect."""
    out = io.StringIO(newline="")
    table = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    table.writerow(columns)
    for row in rows:
        table.writerow([cell(row[name]) for name in columns])
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8", "replace")

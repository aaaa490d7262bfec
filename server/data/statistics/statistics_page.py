"""Format the published statistics: as tables of words with bars for the page, and as CSV.

**Invariant:** no number is computed here but the size of a bar, which follows from published numbers.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from server.data.statistics.count_names import DAYS, OTHER
from server.http.words.sentence_formatter import Said

HEIGHT: Final = 100  # units of a plot, which is 24 wide


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a plot, in its units: hours from the left, and from the top."""

    x: int
    width: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Table:
    """A table: the heading of its first column, its rows, and the bars above it; `most`: chats an hour at the top of the plot, in words."""

    title: str
    head: str
    rows: tuple[tuple[str, str], ...]
    bars: tuple[Bar, ...] = ()
    most: str = ""


def tables(month: Mapping[str, Any], t: Said) -> list[Table]:
    """Return the tables of a month in a language; a table without rows is left out."""
    found = [_hours(month["hours"], kind, t) for kind in DAYS]
    lengths = [(_length(row["from"], row["to"], t), t.number(row["chats"])) for row in month["lengths"]]
    found.append(Table(t.text("statistics.lengths"), t.text("statistics.length"), tuple(lengths)))
    for name, head in (("modes", "mode"), ("endings", "ending"), ("languages", "language")):
        rows = [(t.listed([_part(head, part, t) for part in row["of"]]), t.number(row["chats"])) for row in month[name]]
        found.append(Table(t.text(f"statistics.{name}"), t.text(f"statistics.{head}"), tuple(rows)))
    return [table for table in found if table.rows]


def _hours(rows: Iterable[Mapping[str, Any]], kind: str, t: Said) -> Table:
    mine = [(row["from"], row["to"], row["chats"]) for row in rows if row["days"] == kind]
    each = {begin: chats / (end - begin) for begin, end, chats in mine}
    most = max(each.values(), default=1.0) or 1.0
    sizes = {begin: round(HEIGHT * number / most, 1) for begin, number in each.items()}
    return Table(
        t.text(f"statistics.hours.{kind}"),
        t.text("statistics.hour"),
        tuple((f"{begin:02}:00–{end:02}:00", t.number(chats)) for begin, end, chats in mine),
        tuple(Bar(begin, end - begin, HEIGHT - sizes[begin], sizes[begin]) for begin, end, _ in mine),
        t.text("statistics.most", most=round(most)),
    )


def _length(least: int, most: int | None, t: Said) -> str:
    if most is None:
        return t.text("statistics.length.over", least=t.span(least))
    if not least:
        return t.text("statistics.length.under", most=t.span(most))
    return t.text("statistics.length.between", least=t.span(least), most=t.span(most))


def _part(table: str, part: str, t: Said) -> str:
    if table == "language" and part != OTHER:
        return t.language_name(part)
    return t.text(f"statistics.{table}.{part}")


def as_csv(months: Iterable[Mapping[str, Any]]) -> str:
    """Return the published figures as CSV, a line for each number."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\r\n")
    lines.writerow(("month", "table", "part", "chats_a_day"))
    for month in months:
        for row in month["hours"]:
            lines.writerow((month["month"], f"hours {row['days']}", f"{row['from']:02}-{row['to']:02}", row["chats"]))
        for row in month["lengths"]:
            lines.writerow((month["month"], "lengths", f"{row['from']}-{row['to'] or ''}", row["chats"]))
        for table in ("modes", "endings", "languages"):
            for row in month[table]:
                lines.writerow((month["month"], table, "+".join(row["of"]), row["chats"]))
    return text.getvalue()

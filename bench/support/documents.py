"""Figures on their way into documents. Rule: a figure in a document is written here, between its marks, never typed.

A document marks the place: `<!-- measure -->` … `<!-- /measure -->`.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path


def fill(path: Path, mark: str, text: str) -> None:
    """Put `text` between the marks of a document; a lone opening mark gets its closing one."""
    document = path.read_text()
    begin, end = f"<!-- {mark} -->", f"<!-- /{mark} -->"
    if end not in document:
        document = document.replace(begin, f"{begin}\n{end}")
    path.write_text(
        re.sub(f"{re.escape(begin)}.*?{re.escape(end)}", lambda _: f"{begin}\n{text}{end}", document, flags=re.S)
    )


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown, with the line break behind it."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def short(value: float) -> str:
    """Three digits that count; what noise took below nought is nought."""
    return f"{value:,.0f}" if value >= 100 else f"{max(0.0, value):.3g}"

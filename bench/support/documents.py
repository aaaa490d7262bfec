"""Write figures into documents, between their marks: `<!-- measure -->` … `<!-- /measure -->`.

**Invariant:** a figure in a document is written here, never typed.
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
    """Return a table of Markdown, with a line break at the end."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def short(value: float) -> str:
    """Format a number with three digits; noise below 0 is 0."""
    return f"{value:,.0f}" if value >= 100 else f"{max(0.0, value):.3g}"

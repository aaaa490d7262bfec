"""Read the programs that docs/get-started.md prints."""

import textwrap
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/get-started.md"


def printed(first: str) -> str:
    """The program whose first line begins with `first`."""
    lines = DOCUMENT.read_text().splitlines()
    begin = next(at for at, line in enumerate(lines) if line.startswith(f"    {first}"))
    end = next(at for at in range(begin, len(lines)) if lines[at] and not lines[at].startswith("    "))
    return textwrap.dedent("\n".join(lines[begin:end])).strip() + "\n"

"""The number of a request, as people write it. Rule: a slip of the pen is seen before anything is looked up."""

from __future__ import annotations

from server.ops.security.reference_numbers import valid

_READ = str.maketrans("OIL", "011", "- ")  # what is read for another character, and what stands between


def shown(number: str) -> str:
    """As people write it: `7KQ2-M3ZP-9XW4-T`."""
    return "-".join(number[first : first + 4] for first in range(0, len(number), 4))


def read(text: str) -> str | None:
    """The number that somebody wrote, whatever its case and hyphens; None where it can be none."""
    plain = text[:40].strip().upper().translate(_READ)
    return plain if valid(plain) else None

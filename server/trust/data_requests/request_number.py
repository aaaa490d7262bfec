"""Format and parse the number of a data request (`7KQ2-M3ZP-9XW4-T`).

**Invariant:** a check character detects a typing error before any look-up.
"""

from __future__ import annotations

from server.ops.security.reference_numbers import valid

_READ = str.maketrans("OIL", "011", "- ")  # characters read as another one, and separators


def shown(number: str) -> str:
    """Return a number as people write it: `7KQ2-M3ZP-9XW4-T`."""
    return "-".join(number[first : first + 4] for first in range(0, len(number), 4))


def read(text: str) -> str | None:
    """Return the number in a text, whatever its case and hyphens; None if it cannot be one."""
    plain = text[:40].strip().upper().translate(_READ)
    return plain if valid(plain) else None

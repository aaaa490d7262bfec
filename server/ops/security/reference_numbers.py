"""Generate, format and parse reference numbers that people read, type and dictate: 12 random characters and a check character.

**Invariant:** no two characters of the alphabet look alike, and the check character detects a typing error before any look-up.
"""

import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: without I, L, O, U
LENGTH = 12  # 60 bits
_READ = str.maketrans("OIL", "011", "- ")  # characters read as another one, and separators


def number() -> str:
    """Draw a new number, 13 characters."""
    drawn = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return drawn + _check(drawn)


def valid(text: str) -> bool:
    """Whether `text` can be a reference number: the check character reveals any single wrong character."""
    return len(text) == LENGTH + 1 and set(text) <= set(ALPHABET) and _check(text[:-1]) == text[-1]


def shown(number: str) -> str:
    """Return a number as people write it: `7KQ2-M3ZP-9XW4-T`."""
    return "-".join(number[first : first + 4] for first in range(0, len(number), 4))


def read(text: str) -> str | None:
    """Return the number in a text, whatever its case and hyphens; None if it cannot be one."""
    plain = text[:40].strip().upper().translate(_READ)
    return plain if valid(plain) else None


def _check(text: str) -> str:
    """Return Luhn's check character, to the base of 32."""
    total = 0
    for place, character in enumerate(reversed(text)):
        value = ALPHABET.index(character) * (2 - place % 2)
        total += value // len(ALPHABET) + value % len(ALPHABET)
    return ALPHABET[-total % len(ALPHABET)]

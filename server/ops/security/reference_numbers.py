"""Generate reference numbers that people read, type and dictate: 12 random characters and a check character.

**Invariant:** no two characters of the alphabet look alike.
"""

import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: without I, L, O, U
LENGTH = 12  # 60 bits


def number() -> str:
    """Draw a new number, 13 characters."""
    drawn = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return drawn + _check(drawn)


def valid(text: str) -> bool:
    """Whether `text` can be a reference number: the check character reveals any single wrong character."""
    return len(text) == LENGTH + 1 and set(text) <= set(ALPHABET) and _check(text[:-1]) == text[-1]


def _check(text: str) -> str:
    """Return Luhn's check character, to the base of 32."""
    total = 0
    for place, character in enumerate(reversed(text)):
        value = ALPHABET.index(character) * (2 - place % 2)
        total += value // len(ALPHABET) + value % len(ALPHABET)
    return ALPHABET[-total % len(ALPHABET)]

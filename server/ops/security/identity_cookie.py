"""Create and check the identity cookie, a random value by which a returning browser is recognised, used for safety only.

**Invariant:** the value is neither stored nor logged; in memory a user is a keyed hash of the value (63 bits, 0 for none), and the key never
changes.
"""

# In memory a user is `Identities.of(value)`. A user who refuses the cookie loses only what it guards (product row 8). With another key
# (`secret_keys.LASTING`) no user would be recognised, and holds, deletions and requests by cookie would match nothing.

import secrets
from hashlib import blake2b

PLAIN = "id"
SECURE = "__Host-id"  # browsers accept this prefix over HTTPS only
LIFE = 120 * 86400  # seconds; rolling: each answer that sets it starts anew
_SIZE = 22  # characters of a value: 128 bits in base64url
_OURS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"


class Identities:
    """Recognises identity cookies by a keyed hash."""

    def __init__(self, key: bytes) -> None:
        """`key`: the lasting one of Purpose.COOKIE, 32 bytes."""
        self._keyed = blake2b(digest_size=8, key=key)  # copied for each hash: the key is its first block

    def of(self, value: bytes | None) -> int:
        """Return the user behind a cookie's value: 1 to 2**63 - 1, or 0 if it is missing or not valid."""
        if value is None or not _is_value(value):
            return 0
        hashed = self._keyed.copy()
        hashed.update(value)
        return int.from_bytes(hashed.digest()) >> 1 or 1


def answer(presented: bytes | None, secure: bool) -> str:
    """Return the Set-Cookie line: the presented value renewed, or a fresh one. `secure`: the request came over HTTPS."""
    kept = presented if presented is not None and _is_value(presented) else None
    value = kept.decode("ascii") if kept else secrets.token_urlsafe(16)
    line = f"{name(secure)}={value}; Path=/; Max-Age={LIFE}; HttpOnly; SameSite=Lax"
    return line + "; Secure" if secure else line


def _is_value(value: bytes) -> bool:
    return len(value) == _SIZE and not value.translate(None, _OURS)


def name(secure: bool) -> str:
    """Return the cookie's name for HTTPS or plain HTTP."""
    return SECURE if secure else PLAIN

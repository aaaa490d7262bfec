"""The identity cookie: a random value that a browser keeps, used for safety only (product row 8).

Rule: the value itself is never stored nor logged; in memory a person is `Identities.of(value)`, a keyed hash of 63
bits, 0 for none. A cookie refused costs nothing but what it guards. The key is one for ever (`keys.LASTING`): with another one
nobody would be known again, and no hold, no deletion and no request by cookie would find anything.
"""

import secrets
from hashlib import blake2b

PLAIN = "id"
SECURE = "__Host-id"  # browsers take this prefix by HTTPS only
LIFE = 120 * 86400  # seconds; rolling: each answer that sets it starts anew
_SIZE = 22  # characters of a value: 128 bits in base64url
_OURS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"


class Identities:
    """Makes, renews and recognises identity cookies."""

    def __init__(self, key: bytes) -> None:
        """`key`: the lasting one of Purpose.COOKIE, 32 bytes."""
        self._keyed = blake2b(digest_size=8, key=key)  # to be copied: the key is the first block of each hash

    def of(self, value: bytes | None) -> int:
        """The person behind a cookie's value: 1 to 2**63 - 1, or 0 where there is none or it is not one of ours."""
        if value is None or not _is_value(value):
            return 0
        hashed = self._keyed.copy()
        hashed.update(value)
        return int.from_bytes(hashed.digest()) >> 1 or 1


def answer(presented: bytes | None, secure: bool) -> str:
    """The Set-Cookie line: the presented value renewed, or a fresh one. `secure`: the request came by HTTPS."""
    kept = presented if presented is not None and _is_value(presented) else None
    value = kept.decode("ascii") if kept else secrets.token_urlsafe(16)
    line = f"{name(secure)}={value}; Path=/; Max-Age={LIFE}; HttpOnly; SameSite=Lax"
    return line + "; Secure" if secure else line


def _is_value(value: bytes) -> bool:
    return len(value) == _SIZE and not value.translate(None, _OURS)


def name(secure: bool) -> str:
    """The cookie's name by the way the request came."""
    return SECURE if secure else PLAIN

"""Make and check the tokens that protect forms against cross-site requests (CSRF); nothing is stored.

**Invariant:** a form is accepted only from a page that this browser loaded within the last LIFE seconds, and for the same step. A token is bound to
the browser's cookie, if it has one.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error

from server.ops.security.secret_keys import Keys, Purpose

LIFE = 600  # seconds
ACT = b"act"
CONFIRM = b"confirm"  # of the page that asks for confirmation
_HEAD = struct.Struct(">BI")  # key id, expiry
_SIZE = _HEAD.size + 32


class PageTokens:
    """Tokens of this service; a page that was open over a rotation of the secret still works."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys.accepted(Purpose.PAGE)
        self._id = keys.present.id

    def make(self, step: bytes, identity: int, now: float) -> str:
        """Return a token. `identity`: of the browser's cookie, 0 without one."""
        head = _HEAD.pack(self._id, int(now) + LIFE)
        return _spelled(head + self._sum(self._keys[self._id], head, step, identity))

    def fits(self, token: str, step: bytes, identity: int, now: float) -> bool:
        """Whether this token was given to this browser, for this step, within LIFE seconds."""
        try:
            raw = urlsafe_b64decode(token + "=" * (-len(token) % 4)) if len(token) < 100 else b""
        except (Error, ValueError):
            return False
        if len(raw) != _SIZE or _spelled(raw) != token:
            return False  # the decoder skips foreign characters; a token has one spelling
        ident, until = _HEAD.unpack_from(raw)
        key = self._keys.get(ident)
        if key is None or until <= now:
            return False
        return hmac.compare_digest(raw[_HEAD.size :], self._sum(key, raw[: _HEAD.size], step, identity))

    @staticmethod
    def _sum(key: bytes, head: bytes, step: bytes, identity: int) -> bytes:
        return hmac.digest(key, head + identity.to_bytes(8, "big") + step, hashlib.sha256)


def _spelled(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")

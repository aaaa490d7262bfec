"""Seal and open dated tokens: a fixed record with the day of its issue, which only a browser stores.

**Invariant:** a token that is forged, expired, of another purpose or of another service opens to nothing. It reveals nothing to its holder.
"""

# Two tokens of one record differ (AES-GCM, each with its own nonce).

import secrets
import struct
import time
from binascii import Error, a2b_base64, b2a_base64
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from server.ops.security.secret_keys import Keys, Purpose

DAY = 86_400
_NONCE = 12
_SIZE = 1 + _NONCE + 16  # key id, nonce, tag
_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_+/", b"+/!!")  # `+` and `/` of the standard alphabet are refused


class DatedTokens:
    """Codec of tokens of one purpose. `fields`: numbers of 64 bits; `days`: how long a token holds; `clock`: Unix seconds."""

    def __init__(
        self, keys: Keys, purpose: Purpose, fields: int, days: int, clock: Callable[[], float] = time.time
    ) -> None:
        self._clock = clock
        self._days = days
        self._content = struct.Struct(f">{fields}QI")  # the fields, day since 1970
        size = _SIZE + self._content.size
        self._padding = b"=" * (-size % 3)
        self._characters = -(-size * 4 // 3)
        ciphers = {bytes([id]): AESGCM(key) for id, key in keys.accepted(purpose).items()}
        self._decrypt = {id: cipher.decrypt for id, cipher in ciphers.items()}
        self._id = bytes([keys.present.id])
        self._encrypt = ciphers[self._id].encrypt

    def make(self, *fields: int) -> tuple[str, int]:
        """Return a token for the fields (each below 2**64) and the Unix time at which it expires."""
        day, nonce = int(self._clock()) // DAY, secrets.token_bytes(_NONCE)
        sealed = self._id + nonce + self._encrypt(nonce, self._content.pack(*fields, day), self._id)
        text = b2a_base64(sealed, newline=False).translate(_TO_URL, b"=").decode("ascii")
        return text, (day + self._days) * DAY

    def open(self, token: str) -> tuple[int, ...] | None:
        """Return the fields, or None for a token that is invalid or expired."""
        if len(token) != self._characters or not token.isascii():
            return None
        try:
            sealed = a2b_base64(token.encode("ascii").translate(_FROM_URL) + self._padding, strict_mode=True)
        except Error:
            return None
        decrypt = self._decrypt.get(sealed[:1])
        if decrypt is None:
            return None
        try:
            *fields, day = self._content.unpack(decrypt(sealed[1:13], sealed[13:], sealed[:1]))
        except InvalidTag:
            return None
        return tuple(fields) if 0 <= int(self._clock()) // DAY - day < self._days else None

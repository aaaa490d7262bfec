"""Create and open avoid tokens, encrypted names of users whom the holder of the token does not want to meet again.

**Invariant:** only browsers store the tokens; the server ignores one that is forged, expired or of another service. A token reveals nothing to its
holder.
"""

# Two tokens for one user differ (AES-GCM, each with its own nonce).

import secrets
import struct
import time
from binascii import Error, a2b_base64, b2a_base64
from collections.abc import Callable, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from engine.wire.protocol import AVOID_DAYS
from server.ops.security.secret_keys import Keys, Purpose

DAY = 86_400
_CONTENT = struct.Struct(">QI")  # user, day since 1970
_NONCE = 12
_CHARACTERS = 55  # of key id, nonce, content and tag, 41 bytes, in base64 without padding
_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_+/", b"+/!!")  # `+` and `/` of the standard alphabet are refused


class AvoidTokens:
    """Codec of avoid tokens. `clock`: Unix seconds."""

    def __init__(self, keys: Keys, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        ciphers = {bytes([id]): AESGCM(key) for id, key in keys.accepted(Purpose.AVOID).items()}
        self._decrypt = {id: cipher.decrypt for id, cipher in ciphers.items()}
        self._id = bytes([keys.present.id])
        self._encrypt = ciphers[self._id].encrypt

    def make(self, person: int) -> tuple[str, int]:
        """Return a token for a user (the engine's number, below 2**64) and the Unix time at which it expires."""
        day, nonce = int(self._clock()) // DAY, secrets.token_bytes(_NONCE)
        sealed = self._id + nonce + self._encrypt(nonce, _CONTENT.pack(person, day), self._id)
        text = b2a_base64(sealed, newline=False).translate(_TO_URL, b"=").decode("ascii")
        return text, (day + AVOID_DAYS) * DAY

    def open(self, tokens: Sequence[str]) -> tuple[int, ...]:
        """Return the users that tokens name, in their order, without tokens that are invalid or expired."""
        today = int(self._clock()) // DAY
        found = (self._content(token) for token in tokens)
        return tuple(content[0] for content in found if content is not None and 0 <= today - content[1] < AVOID_DAYS)

    def _content(self, token: str) -> tuple[int, int] | None:
        """Return (user, day), or None if the token is invalid."""
        if len(token) != _CHARACTERS or not token.isascii():
            return None
        try:
            sealed = a2b_base64(token.encode("ascii").translate(_FROM_URL) + b"=", strict_mode=True)
        except Error:
            return None
        decrypt = self._decrypt.get(sealed[:1])
        if decrypt is None:
            return None
        try:
            person, day = _CONTENT.unpack(decrypt(sealed[1:13], sealed[13:], sealed[:1]))
        except InvalidTag:
            return None
        return person, day

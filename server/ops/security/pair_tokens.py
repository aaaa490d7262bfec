"""Create and open pair tokens: one side's sealed half of a kept pair, two users who both chose to meet again.

**Invariant:** only browsers store the tokens. A token is good for the identity that it was made for alone, and the server ignores one that is forged,
expired, of another service or of another identity. It reveals nothing to its holder.
"""

# Two tokens for one half differ (AES-GCM, each with its own nonce).

import secrets
import struct
import time
from binascii import Error, a2b_base64, b2a_base64
from collections.abc import Callable, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from engine.wire.protocol import PAIR_DAYS
from server.ops.security.secret_keys import Keys, Purpose

DAY = 86_400
_CONTENT = struct.Struct(">QQI")  # half, identity of the holder, day since 1970
_NONCE = 12
_CHARACTERS = 66  # of key id, nonce, content and tag, 49 bytes, in base64 without padding
_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_+/", b"+/!!")  # `+` and `/` of the standard alphabet are refused


class PairTokens:
    """Codec of pair tokens. `clock`: Unix seconds."""

    def __init__(self, keys: Keys, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        ciphers = {bytes([id]): AESGCM(key) for id, key in keys.accepted(Purpose.PAIR).items()}
        self._decrypt = {id: cipher.decrypt for id, cipher in ciphers.items()}
        self._id = bytes([keys.present.id])
        self._encrypt = ciphers[self._id].encrypt

    def make(self, half: int, identity: int) -> tuple[str, int]:
        """Return a token for a half (below 2**64) and the identity of its holder, and the Unix time at which it expires."""
        day, nonce = int(self._clock()) // DAY, secrets.token_bytes(_NONCE)
        sealed = self._id + nonce + self._encrypt(nonce, _CONTENT.pack(half, identity, day), self._id)
        text = b2a_base64(sealed, newline=False).translate(_TO_URL, b"=").decode("ascii")
        return text, (day + PAIR_DAYS) * DAY

    def open(self, tokens: Sequence[str], identity: int) -> tuple[int, ...]:
        """Return the halves of tokens, in their order; 0 for one that is invalid, expired or not of this identity."""
        today = int(self._clock()) // DAY
        return tuple(self._half(token, identity, today) for token in tokens)

    def _half(self, token: str, identity: int, today: int) -> int:
        if not identity or len(token) != _CHARACTERS or not token.isascii():
            return 0
        try:
            sealed = a2b_base64(token.encode("ascii").translate(_FROM_URL) + b"==", strict_mode=True)
        except Error:
            return 0
        decrypt = self._decrypt.get(sealed[:1])
        if decrypt is None:
            return 0
        try:
            half, holder, day = _CONTENT.unpack(decrypt(sealed[1:13], sealed[13:], sealed[:1]))
        except InvalidTag:
            return 0
        return int(half) if holder == identity and 0 <= today - day < PAIR_DAYS else 0

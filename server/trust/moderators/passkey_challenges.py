"""Make and check the WebAuthn challenges of the console, without storing open ones.

**Invariant:** only used challenges are remembered, until they expire; an open one takes no memory.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import struct
import time
from collections.abc import Callable

from ext.base.ageing_map import AgeingMap

LIFE = 300.0  # seconds
USED_MAX = 20_000  # about 150 bytes each; each needed a passkey of an account
_END = struct.Struct(">Q")  # milliseconds of the clock
_RANDOM = 16  # bytes; W3C WebAuthn 13.4.3 requires at least as many
_HEAD = _END.size + _RANDOM
_SIZE = _HEAD + hashlib.sha256().digest_size


class Challenges:
    """Challenges of one process. `clock`: seconds; `used_max`: used challenges remembered within LIFE seconds.

    A challenge carries its end and a MAC over its purpose, so a flood of requests cannot evict other clients' challenges. The key is this process's
    own: after a restart no earlier challenge is accepted, so losing the list of used ones is safe.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, used_max: int = USED_MAX) -> None:
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._used: AgeingMap[bytes, None] = AgeingMap(used_max)  # used challenges

    def make(self, purpose: str) -> bytes:
        """Return a challenge of 56 bytes that is valid for LIFE seconds and for this purpose."""
        head = _END.pack(int((self._clock() + LIFE) * 1000)) + secrets.token_bytes(_RANDOM)
        return head + self._mac(head, purpose)

    def is_open(self, challenge: bytes, purpose: str) -> bool:
        """Whether a challenge was made here for this purpose, has not ended and was not used."""
        if len(challenge) != _SIZE or not hmac.compare_digest(challenge[_HEAD:], self._mac(challenge[:_HEAD], purpose)):
            return False
        return _end(challenge) > self._clock() and challenge not in self._used

    def use(self, challenge: bytes) -> bool:
        """Mark a challenge as used after its passkey was verified. False if it was used before, or too many are remembered."""
        now = self._clock()
        self._used.expire(now)
        if challenge in self._used or self._used.is_full:
            return False
        self._used.put(challenge, None, now + LIFE, now)  # no earlier than it ends by itself
        return True

    def _mac(self, head: bytes, purpose: str) -> bytes:
        return hmac.digest(self._key, head + purpose.encode(), hashlib.sha256)


def _end(challenge: bytes) -> float:
    """Return a challenge's end, in seconds of the clock."""
    (end,) = _END.unpack_from(challenge)
    return float(end) / 1000

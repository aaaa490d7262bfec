"""Makes and checks the WebAuthn challenges of the console. Invariant: a challenge that is out takes no memory; only a used one is remembered.

A challenge carries its end and a MAC over its purpose, so a stranger who asks for many takes nobody's away. The key is this process's own:
after a restart no challenge of before is accepted, and none can be used twice because the list of used ones was lost.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import struct
import time
from collections import OrderedDict
from collections.abc import Callable

LIFE = 300.0  # seconds
USED_MAX = 20_000  # about 150 bytes each; each took a passkey of an account
_END = struct.Struct(">Q")  # milliseconds of the clock
_RANDOM = 16  # bytes; W3C WebAuthn 13.4.3 asks for as many at least
_HEAD = _END.size + _RANDOM
_SIZE = _HEAD + hashlib.sha256().digest_size


class Challenges:
    """Of one process. `clock`: seconds; `used_max`: used challenges that are remembered, in LIFE seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, used_max: int = USED_MAX) -> None:
        self._clock = clock
        self._used_max = used_max
        self._key = secrets.token_bytes(32)
        self._used: OrderedDict[bytes, float] = OrderedDict()  # when each ends, the first used first

    def make(self, purpose: str) -> bytes:
        """A challenge of 56 bytes that is good for LIFE seconds and for this purpose."""
        head = _END.pack(int((self._clock() + LIFE) * 1000)) + secrets.token_bytes(_RANDOM)
        return head + self._mac(head, purpose)

    def is_open(self, challenge: bytes, purpose: str) -> bool:
        """Whether it was made here for this purpose, has not ended and was not used."""
        if len(challenge) != _SIZE or not hmac.compare_digest(challenge[_HEAD:], self._mac(challenge[:_HEAD], purpose)):
            return False
        return _end(challenge) > self._clock() and challenge not in self._used

    def use(self, challenge: bytes) -> bool:
        """Remember one that was answered with a true passkey; False for one that was used before, and when too many are remembered."""
        now = self._clock()
        while self._used and next(iter(self._used.values())) <= now:
            self._used.popitem(last=False)
        if challenge in self._used or len(self._used) >= self._used_max:
            return False
        self._used[challenge] = now + LIFE  # no earlier than it ends by itself
        return True

    def _mac(self, head: bytes, purpose: str) -> bytes:
        return hmac.digest(self._key, head + purpose.encode(), hashlib.sha256)


def _end(challenge: bytes) -> float:
    """Seconds of the clock."""
    (end,) = _END.unpack_from(challenge)
    return float(end) / 1000

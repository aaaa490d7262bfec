"""Create and open pair tokens: one side's sealed half of a kept pair, two users who both chose to meet again.

**Invariant:** only browsers store the tokens. A token is good for the identity that it was made for alone, and the server ignores one that is forged,
expired, of another service or of another identity, or older than the last ban of its holder. It reveals nothing to its holder.
"""

import time
from collections.abc import Callable, Sequence

from engine.wire.protocol import PAIR_DAYS
from server.ops.security.dated_tokens import DatedTokens
from server.ops.security.secret_keys import Keys, Purpose


def never_banned(_identity: int) -> int:
    """Return that an identity was not banned."""
    return 0


class PairTokens:
    """Codec of pair tokens. `last_ban`: when the last ban of an identity began, in Unix seconds, 0: never; `clock`: Unix seconds."""

    def __init__(
        self, keys: Keys, last_ban: Callable[[int], int] = never_banned, clock: Callable[[], float] = time.time
    ) -> None:
        self._tokens = DatedTokens(keys, Purpose.PAIR, 3, PAIR_DAYS, clock)
        self._last_ban = last_ban
        self._clock = clock

    def make(self, half: int, identity: int) -> tuple[str, int]:
        """Return a token for a half (below 2**64) and the identity of its holder, and the Unix time at which it expires."""
        return self._tokens.make(half, identity, int(self._clock()))

    def open(self, tokens: Sequence[str], identity: int) -> tuple[int, ...]:
        """Return the halves of tokens, in their order; 0 for one that is invalid, expired, not of this identity or older than its last ban."""
        if not tokens:
            return ()
        banned = self._last_ban(identity) if identity else 0
        return tuple(self._half(token, identity, banned) for token in tokens)

    def _half(self, token: str, identity: int, banned: int) -> int:
        content = self._tokens.open(token) if identity else None
        if content is None:
            return 0
        half, holder, made = content
        return half if holder == identity and made > banned else 0

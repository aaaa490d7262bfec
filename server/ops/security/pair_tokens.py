"""Create and open pair tokens: one side's sealed half of a kept pair, two users who both chose to meet again.

**Invariant:** only browsers store the tokens. A token is good for the identity that it was made for alone, and the server ignores one that is forged,
expired, of another service or of another identity. It reveals nothing to its holder.
"""

import time
from collections.abc import Callable, Sequence

from engine.wire.protocol import PAIR_DAYS
from server.ops.security.dated_tokens import DatedTokens
from server.ops.security.secret_keys import Keys, Purpose


class PairTokens:
    """Codec of pair tokens. `clock`: Unix seconds."""

    def __init__(self, keys: Keys, clock: Callable[[], float] = time.time) -> None:
        self._tokens = DatedTokens(keys, Purpose.PAIR, 2, PAIR_DAYS, clock)

    def make(self, half: int, identity: int) -> tuple[str, int]:
        """Return a token for a half (below 2**64) and the identity of its holder, and the Unix time at which it expires."""
        return self._tokens.make(half, identity)

    def open(self, tokens: Sequence[str], identity: int) -> tuple[int, ...]:
        """Return the halves of tokens, in their order; 0 for one that is invalid, expired or not of this identity."""
        return tuple(self._half(token, identity) for token in tokens)

    def _half(self, token: str, identity: int) -> int:
        content = self._tokens.open(token) if identity else None
        return content[0] if content is not None and content[1] == identity else 0

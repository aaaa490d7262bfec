"""Create and open avoid tokens, encrypted names of users whom the holder of the token does not want to meet again.

**Invariant:** only browsers store the tokens; the server ignores one that is forged, expired or of another service. A token reveals nothing to its
holder.
"""

import time
from collections.abc import Callable, Sequence

from engine.wire.protocol import AVOID_DAYS
from server.ops.security.dated_tokens import DatedTokens
from server.ops.security.secret_keys import Keys, Purpose


class AvoidTokens:
    """Codec of avoid tokens. `clock`: Unix seconds."""

    def __init__(self, keys: Keys, clock: Callable[[], float] = time.time) -> None:
        self._tokens = DatedTokens(keys, Purpose.AVOID, 1, AVOID_DAYS, clock)

    def make(self, person: int) -> tuple[str, int]:
        """Return a token for a user (the engine's number, below 2**64) and the Unix time at which it expires."""
        return self._tokens.make(person)

    def open(self, tokens: Sequence[str]) -> tuple[int, ...]:
        """Return the users that tokens name, in their order, without tokens that are invalid or expired."""
        return tuple(content[0] for content in map(self._tokens.open, tokens) if content is not None)

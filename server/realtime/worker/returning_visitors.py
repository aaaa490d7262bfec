"""Who of those who connect was here before, and what that is worth. Rule: by the cookie, in memory; whoever is forgotten is a newcomer, no more.

A campus is behind one address. So a cookie that was here a day ago has a few connections of its own, before those of its address are counted;
and who dropped out a moment ago finds the room that a full server keeps. Each process knows whom it has seen itself, since its start.
"""

from typing import Final

from engine.engine import Engine
from server.ops.security.identity_cookie import Identities
from server.ops.security.token_buckets import Buckets

BURST: Final = 4.0  # connections of one cookie at once
RATE: Final = 1 / 15  # a second after that: whoever drops out again and again pays as a newcomer


class Known:
    """Of one process: what `ext.accept.address_limits.Addresses` asks."""

    def __init__(self, identities: Identities, engine: Engine) -> None:
        self._identities = identities
        self._engine = engine
        self._own = Buckets(BURST, RATE)

    def lasting(self, cookie: bytes, now: float) -> bool:
        """Whether a connection is paid by its cookie alone; `now`: monotonic seconds."""
        identity = self._identities.of(cookie)
        if not identity or not self._engine.friction.lasting(identity, now):
            return False
        name = f"{identity:x}"
        if self._own.wait(name, now) > 0:
            return False
        self._own.take(name, now)
        return True

    def returns(self, cookie: bytes | None, address: str, now: float) -> bool:
        """Whether somebody of this cookie or, without one, of this address dropped out a moment ago."""
        return self._engine.returns(self._identities.of(cookie), address, now)

"""Recognise returning clients by their cookies, so that admission applies limits of their own instead of those of their shared address.

**Invariant:** each process knows only the cookies that it has seen since its start; an unknown cookie counts as a new client.
"""

from typing import Final

from engine.engine import Engine
from server.ops.security.identity_cookie import Identities
from server.ops.security.token_buckets import Buckets

BURST: Final = 4.0  # connections of one cookie at once
RATE: Final = 1 / 15  # connections a second after that; more are counted as a newcomer's


class ReturningClients:
    """The cookies that one process has seen; implements the protocol by which `ext.accept.address_limits.Addresses` asks for them.

    A campus shares one address. So a cookie first seen a day ago has a few connections of its own before those of its address are counted, and a
    client whose connection dropped a moment ago may use the places that a full server reserves.
    """

    def __init__(self, identities: Identities, engine: Engine) -> None:
        self._identities = identities
        self._engine = engine
        self._own = Buckets(BURST, RATE)

    def lasting(self, cookie: bytes, now: float) -> bool:
        """Whether a connection is counted by its cookie alone; `now`: monotonic seconds."""
        identity = self._identities.of(cookie)
        if not identity or not self._engine.friction.lasting(identity, now):
            return False
        name = f"{identity:x}"
        if self._own.wait(name, now) > 0:
            return False
        self._own.take(name, now)
        return True

    def returns(self, cookie: bytes | None, address: str, now: float) -> bool:
        """Whether a client of this cookie or, without one, of this address lost its connection a moment ago."""
        return self._engine.returns(self._identities.of(cookie), address, now)

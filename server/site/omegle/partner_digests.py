"""Compute `identDigests`, which tell the two participants of a chat apart for one day, and the user number that prevents an immediate second match.

**Invariant:** both are keyed hashes of the randid (the browser's random id in Omegle's protocol) or of the session, never of an address or the
identity cookie. Digests change daily and are not stored.
"""

import secrets
from hashlib import blake2b


class PartnerDigests:
    """Two keys: one for digests that clients get, one for user numbers. `shared`: the cluster's common key; None for a single host.

    A single host draws keys that end with the server; the hosts of a cluster derive the same keys from the service's secret, so that a browser is
    one user at each of them.
    """

    def __init__(self, shared: bytes | None = None) -> None:
        self._shared = shared is not None
        self._key = (
            secrets.token_bytes(32) if shared is None else blake2b(b"handed on", key=shared, digest_size=32).digest()
        )
        self._own = secrets.token_bytes(32) if shared is None else blake2b(b"own", key=shared, digest_size=32).digest()

    def pack(self) -> list[str]:
        """Return the keys for the next process."""
        return [self._key.hex(), self._own.hex()]

    def unpack(self, keys: list[str]) -> None:
        """Continue with another process's keys, on a single host. Raises ValueError."""
        if not self._shared:
            self._key, self._own = (bytes.fromhex(key) for key in keys)

    def person(self, randid: str) -> int:
        """Return the user of a browser's randid, 1 to 2**63 - 1; 0 without one: the session is then the user."""
        if not randid:
            return 0
        digest = blake2b(randid.encode("utf-8", "replace"), digest_size=8, key=self._own).digest()
        return int.from_bytes(digest) >> 1 or 1

    def of(self, session: int, person: int, day: int) -> str:
        """Return two digests of 32 hex digits for a participant: of the user (0: of the session), and of the session."""
        first = blake2b(b"p%x %x" % (person or session, day), digest_size=16, key=self._key)
        second = blake2b(b"s%x %x" % (session, day), digest_size=16, key=self._key)
        return f"{first.hexdigest()},{second.hexdigest()}"

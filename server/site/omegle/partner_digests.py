"""What tells a chat's two participants apart in `identDigests`, and who one is for "not the same two again".

Rule: keyed hashes of the randid or the session, and the day; never of an address or of the identity cookie (handed on, not linkable after the
day, nothing kept). The keys die with the server where there is one host; several have the same, of the service's secret, so that a browser is
one person at each of them.
"""

import secrets
from hashlib import blake2b


class Digests:
    """Two keys: one for what is handed on, one for what stays. `shared`: what all hosts have them of; None: this host is alone."""

    def __init__(self, shared: bytes | None = None) -> None:
        self._shared = shared is not None
        self._key = (
            secrets.token_bytes(32) if shared is None else blake2b(b"handed on", key=shared, digest_size=32).digest()
        )
        self._own = secrets.token_bytes(32) if shared is None else blake2b(b"own", key=shared, digest_size=32).digest()

    def pack(self) -> list[str]:
        """The keys, for the process that goes on."""
        return [self._key.hex(), self._own.hex()]

    def unpack(self, keys: list[str]) -> None:
        """Go on with these, where this host is alone. Raises ValueError."""
        if not self._shared:
            self._key, self._own = (bytes.fromhex(key) for key in keys)

    def person(self, randid: str) -> int:
        """The person of a browser's randid, 1 to 2**63 - 1; 0 where there is none: then the session is the person."""
        if not randid:
            return 0
        digest = blake2b(randid.encode("utf-8", "replace"), digest_size=8, key=self._own).digest()
        return int.from_bytes(digest) >> 1 or 1

    def of(self, session: int, person: int, day: int) -> str:
        """Two digests of 32 hex digits for a participant: of the person (0: of the session), and of the session."""
        first = blake2b(b"p%x %x" % (person or session, day), digest_size=16, key=self._key)
        second = blake2b(b"s%x %x" % (session, day), digest_size=16, key=self._key)
        return f"{first.hexdigest()},{second.hexdigest()}"

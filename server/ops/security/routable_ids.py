"""Create random ids that also encode, hidden, which host of the cluster has the object in memory, so that any host can forward a request there.

Ids of Omegle clients, requested pictures and college checks are of this kind.
**Invariant:** without the service's secret an id looks random.
"""

# An id is a random part and a hint: a number made by a keyed hash of the host's address, masked by a keyed hash of the random part. An invented id
# leads to a host only by chance, one in as many as the hint has values.
#
#     30 letters      8 of the hint, 22 random: 113 bits        22 characters      16 bytes: 4 of the hint, 12 random
#
# The hint is made from the host's address because that survives upgrades; a generation's number would not.

from __future__ import annotations

import secrets
import string
from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

from server.ops.security.secret_keys import BYTES, Keys, Purpose
from server.ops.security.url_token_generator import SECRET, decode, encode

LETTERS: Final = string.digits + string.ascii_lowercase  # in the order of `int`'s digits
ID_LETTERS: Final = 30
ID_MARK: Final = 8  # letters of the hint
TOKEN_MARK: Final = 4  # bytes of the hint
REMEMBERED: Final = 10.0  # seconds that a host is still asked after it was last connected: it may reconnect at once
_LETTERS_OF_MARK: Final = len(LETTERS) ** ID_MARK
_BYTES_OF_MARK: Final = 1 << 8 * TOKEN_MARK
_KNOWN: Final = frozenset(LETTERS)


class _Key:
    """One secret's key, and the hosts by their hints under it."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.hosts: dict[int, str] = {}  # addresses by hint

    def number(self, address: str) -> int:
        return self._hash(b"host", address.encode())

    def mask(self, drawn: bytes) -> int:
        return self._hash(b"mask", drawn)

    def _hash(self, what: bytes, data: bytes) -> int:
        return int.from_bytes(blake2b(data, digest_size=16, key=self._key, person=what).digest())


class HostHints:
    """The hints of one process. `address`: this host's, as others reach it (`cluster.address`); empty if there are no other hosts."""

    def __init__(self, keys: Keys | None = None, address: str = "") -> None:
        """`keys`: the service's; None: names lead to this host only."""
        self.here = address
        found = (secrets.token_bytes(BYTES),) if keys is None else keys.accepted(Purpose.PLACE).values()
        self._keys = [_Key(key) for key in found]  # the present key first
        self._until: dict[str, float] = {}  # when each other host is forgotten
        self._learn(address)

    def know(self, addresses: Iterable[str], now: float) -> None:
        """Learn the other hosts that are connected. `now`: monotonic seconds, as below."""
        for address in addresses:
            if address not in self._until:
                self._learn(address)
            self._until[address] = now + REMEMBERED

    @property
    def others(self) -> list[str]:
        """The addresses of the other hosts that are known."""
        return [*self._until]

    def forget(self, now: float) -> None:
        """Forget hosts that have not been connected for REMEMBERED seconds."""
        for address in [address for address, until in self._until.items() if until <= now]:
            del self._until[address]
            for key in self._keys:
                for modulus in (_LETTERS_OF_MARK, _BYTES_OF_MARK):
                    key.hosts.pop(key.number(address) % modulus, None)

    def _learn(self, address: str) -> None:
        for key in self._keys:
            for modulus in (_LETTERS_OF_MARK, _BYTES_OF_MARK):
                key.hosts[key.number(address) % modulus] = address

    def letters(self) -> str:
        """Return a new name for this host, of ID_LETTERS small letters and digits."""
        drawn = "".join(secrets.choice(LETTERS) for _ in range(ID_LETTERS - ID_MARK))
        key = self._keys[0]
        return _spelt((key.number(self.here) + key.mask(drawn.encode())) % _LETTERS_OF_MARK) + drawn

    def token(self) -> str:
        """Return a new name for this host, of 22 characters that are valid in any URL."""
        drawn, key = secrets.token_bytes(SECRET - TOKEN_MARK), self._keys[0]
        mark = (key.number(self.here) + key.mask(drawn)) % _BYTES_OF_MARK
        return encode(mark.to_bytes(TOKEN_MARK) + drawn)

    def of_letters(self, name: str) -> str | None:
        """Return the address of the host that made this name of letters; None if it leads to no known host."""
        if len(name) != ID_LETTERS or not set(name) <= _KNOWN:
            return None
        return self._host(int(name[:ID_MARK], len(LETTERS)), name[ID_MARK:].encode(), _LETTERS_OF_MARK)

    def of_token(self, name: str) -> str | None:
        """Return the address of the host that made this token; None if it leads to no known host."""
        raw = decode(name)
        if raw is None:
            return None
        return self._host(int.from_bytes(raw[:TOKEN_MARK]), raw[TOKEN_MARK:], _BYTES_OF_MARK)

    def _host(self, mark: int, drawn: bytes, modulus: int) -> str | None:
        for key in self._keys:
            found = key.hosts.get((mark - key.mask(drawn)) % modulus)
            if found is not None:
                return found
        return None


def _spelt(number: int) -> str:
    """Return a hint as ID_MARK letters."""
    found = ""
    for _ in range(ID_MARK):
        number, digit = divmod(number, len(LETTERS))
        found = LETTERS[digit] + found
    return found

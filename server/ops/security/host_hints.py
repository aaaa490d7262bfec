"""Short names that say which host knows what they stand for, to who has the service's secret. Rule: to everybody else they are random, all of them.

A client of Omegle's protocol, a picture that was asked for, a college check: each is in one host's memory alone, and a request for it may
come to any host. A name is drawn, and behind what was drawn stands its host: a number that a keyed hash of the host's address gives, under a
mask that a keyed hash of what was drawn gives. So a name that nobody here made leads to no host, but for one in as many as the number has.

    30 letters      8 of the host, 22 that were drawn: 113 bits        22 characters      16 bytes: 4 of the host, 12 that were drawn
The host's address is what stays over its upgrades; the number of a generation would not.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

from server.ops.security.secret_keys import BYTES, Keys, Purpose
from server.ops.security.url_secrets import SECRET, decode, encode

LETTERS: Final = string.digits + string.ascii_lowercase  # as `int` reads them
ID_LETTERS: Final = 30
ID_MARK: Final = 8  # letters
TOKEN_MARK: Final = 4  # bytes
REMEMBERED: Final = 10.0  # seconds that a host is still asked after it was there last: it may be heard again at once
_LETTERS_OF_MARK: Final = len(LETTERS) ** ID_MARK
_BYTES_OF_MARK: Final = 1 << 8 * TOKEN_MARK
_KNOWN: Final = frozenset(LETTERS)


class _Key:
    """One secret's: whose number is whose."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.hosts: dict[int, str] = {}  # address by its number

    def number(self, address: str) -> int:
        return self._hash(b"host", address.encode())

    def mask(self, drawn: bytes) -> int:
        return self._hash(b"mask", drawn)

    def _hash(self, what: bytes, data: bytes) -> int:
        return int.from_bytes(blake2b(data, digest_size=16, key=self._key, person=what).digest())


class Places:
    """Of one process. `address`: this host's, as others reach it (`cluster.address`); empty: there is no other host."""

    def __init__(self, keys: Keys | None = None, address: str = "") -> None:
        """`keys`: the service's; None: names lead nowhere but here."""
        self.here = address
        found = (secrets.token_bytes(BYTES),) if keys is None else keys.accepted(Purpose.PLACE).values()
        self._keys = [_Key(key) for key in found]  # the present one first
        self._until: dict[str, float] = {}  # of each other host
        self._learn(address)

    def know(self, addresses: Iterable[str], now: float) -> None:
        """These other hosts are there. `now`: monotonic seconds, as below."""
        for address in addresses:
            if address not in self._until:
                self._learn(address)
            self._until[address] = now + REMEMBERED

    @property
    def others(self) -> list[str]:
        """The addresses of other hosts that are known."""
        return [*self._until]

    def forget(self, now: float) -> None:
        """Hosts that have not been there for REMEMBERED seconds."""
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
        """A name of this host's of ID_LETTERS small letters and digits."""
        drawn = "".join(secrets.choice(LETTERS) for _ in range(ID_LETTERS - ID_MARK))
        key = self._keys[0]
        return _spelt((key.number(self.here) + key.mask(drawn.encode())) % _LETTERS_OF_MARK) + drawn

    def token(self) -> str:
        """A name of this host's of 22 characters that any URL can hold."""
        drawn, key = secrets.token_bytes(SECRET - TOKEN_MARK), self._keys[0]
        mark = (key.number(self.here) + key.mask(drawn)) % _BYTES_OF_MARK
        return encode(mark.to_bytes(TOKEN_MARK) + drawn)

    def of_letters(self, name: str) -> str | None:
        """The address of the host that drew these letters; None: of none that is known."""
        if len(name) != ID_LETTERS or not set(name) <= _KNOWN:
            return None
        return self._host(int(name[:ID_MARK], len(LETTERS)), name[ID_MARK:].encode(), _LETTERS_OF_MARK)

    def of_token(self, name: str) -> str | None:
        """The same, of a token."""
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
    """ID_MARK letters."""
    found = ""
    for _ in range(ID_MARK):
        number, digit = divmod(number, len(LETTERS))
        found = LETTERS[digit] + found
    return found

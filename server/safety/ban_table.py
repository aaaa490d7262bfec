"""The bans in force, as they are held in memory. Rule: two look-ups a connection and none where nobody is banned; no database is known here.

Who reads them from the store puts them in (`server.safety.bans`); where a host has several processes, so does who is told by that one.
Of several bans of one value the one that ends last is in force.
"""

from __future__ import annotations

import datetime
import struct
import time
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from engine.views import banned
from server.config.moderation_policy import AGE, FOR_GOOD, RULES
from server.security.url_secrets import encode
from server.store.pseudonyms import Pseudonyms

_PACKED = struct.Struct(">?Q2s16sQ??")
HELD: Final = _PACKED.size  # bytes of a packed ban
PATH = "/appeal/"
TOKEN = b"safety.appeal.token"
APPEAL = b"safety.appeal"


class Ban(NamedTuple):
    """One that is in force. `until`, `since`: Unix seconds; `case`: its random id; `age`: they seem under 18."""

    network: bool  # the network is meant, else the identity
    until: int
    rule: str
    case: bytes
    since: int
    machine: bool
    age: bool = False

    @property
    def minor(self) -> bool:
        """Whether a person decided of this very person that they seem under 18."""
        return self.age and not (self.machine or self.network)

    def packed(self) -> bytes:
        """As it is held: 200,000 are a third of what the objects would be."""
        return _PACKED.pack(self.network, self.until, self.rule.encode(), self.case, self.since, self.machine, self.age)

    @classmethod
    def of(cls, packed: bytes) -> Ban:
        """The reverse."""
        network, until, rule, case, since, machine, age = _PACKED.unpack(packed)
        return cls(network, until, rule.decode(), case, since, machine, age)


def nobody_goes(_identity: int) -> None:
    """Nothing is stored of anybody."""


def unheard(_: bytes) -> None:
    """Nobody is to be told."""


class BanTable:
    """All bans in force, by keyed value. `clock`: Unix seconds; `changed`: told of each value whose ban is another one, or none, now."""

    def __init__(self, pseudonyms: Pseudonyms, clock: Callable[[], float] = time.time) -> None:
        self._pseudonyms = pseudonyms
        self._clock = clock
        self._kept: dict[bytes, bytes] = {}  # packed, by keyed identity or network
        self.known = False  # whether it says what the store says
        self.changed: Callable[[bytes], None] = unheard
        self.turned_away = 0  # connections of who is banned
        # told whenever somebody is turned away whom a person's decision keeps out as a minor
        self.minor: Callable[[int], None] = nobody_goes

    def __len__(self) -> int:
        """How many keyed values are banned."""
        return len(self._kept)

    def refusal(self, identity: int, address: str) -> bytes | None:
        """The closing error of somebody who may not come in, None where they may: what is asked at each connection, and counted."""
        if not self._kept:
            return None
        found = self.find(identity, address)
        if found is None:
            return None
        self.turned_away += 1
        if found.minor:
            self.minor(identity)
        return self.frame(found)

    def find(self, identity: int, address: str) -> Ban | None:
        """The ban of a person, first by identity (0: none), then by network."""
        if not self._kept:
            return None
        found = self._held(self._pseudonyms.safety_identity(identity)) if identity else None
        if found is None and address:
            try:
                found = self._held(self._pseudonyms.safety_network(address))
            except ValueError:  # not an IP address: a Unix socket's peer
                return None
        return found

    def _held(self, mac: bytes) -> Ban | None:
        """The ban of a keyed value, while it is in force."""
        packed = self._kept.get(mac)
        if packed is None:
            return None
        found = Ban.of(packed)
        return found if found.until > self._clock() else None

    def frame(self, found: Ban) -> bytes:
        """The closing error: until when, by which rule, and where to appeal."""
        by = "machine" if found.machine else "person"
        until = None if found.until >= FOR_GOOD else found.until
        appeal, day = self.path(found.case), day_of(found.since)
        measure = AGE if found.age else ""
        return banned(until, found.rule, RULES[found.rule].sentence, found.network, appeal, day, by, measure)

    def path(self, case: bytes) -> str:
        """Where whom a case is about reads why, and appeals: 128 bits that only the service's key makes."""
        return path_of(self._pseudonyms, case)

    # what is in it

    def values(self) -> list[bytes]:
        """The keyed values that are banned."""
        return list(self._kept)

    def packed(self, mac: bytes) -> bytes | None:
        """The ban of a keyed value as it is held."""
        return self._kept.get(mac)

    def put(self, mac: bytes, packed: bytes) -> None:
        """This value is banned."""
        self._kept[mac] = packed
        self.changed(mac)

    def drop(self, mac: bytes) -> None:
        """It is not."""
        if self._kept.pop(mac, None) is not None:
            self.changed(mac)

    def replace(self, held: Iterable[tuple[bytes, bytes]]) -> None:
        """These are all."""
        self._kept = dict(held)
        self.known = True


def day_of(at: int) -> str:
    """The day of a decision, UTC, YYYY-MM-DD: the hour would tell who reported."""
    return datetime.datetime.fromtimestamp(at, datetime.UTC).date().isoformat()


def path_of(pseudonyms: Pseudonyms, case: bytes) -> str:
    """The address of a case's appeal."""
    return PATH + encode(pseudonyms.secret_hash(TOKEN, case))


def hash_of(pseudonyms: Pseudonyms, case: bytes) -> bytes:
    """What the store has of that address."""
    return pseudonyms.secret_hash(APPEAL, pseudonyms.secret_hash(TOKEN, case))

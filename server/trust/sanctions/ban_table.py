"""The bans in force, as they are held in memory. Rule: two look-ups a connection and none where nobody is banned; no database is known here.

Who reads them from the store puts them in (`server.trust.sanctions.ban_loader`); where a host has several processes, so does who is told by that one.
Of several bans of one value the one that ends last is in force.
"""

from __future__ import annotations

import datetime
import struct
import time
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from engine.views import banned
from server.data.keys.pseudonyms import Pseudonyms
from server.ops.config.moderation_policy import AGE, FOR_GOOD, NETWORK_SENTENCE, NEUTRAL, NEUTRAL_SENTENCE, RULES
from server.ops.security.url_secrets import encode

_PACKED = struct.Struct(">?Q2s16sQ??")
HELD: Final = _PACKED.size  # bytes of a packed ban
PATH = "/appeal/"
TOKEN = b"safety.appeal.token"
NETWORK_TOKEN = b"safety.appeal.network"  # a network's refusal has an appeal of its own: whoever reads it may be a stranger to the case
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
        return cls(network, until, rule.rstrip(b"\0").decode(), case, since, machine, age)


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
        self.lifted: Callable[[bytes], None] = (
            unheard  # told of the case of each ban that ends before its time: it was taken back
        )
        # told whenever somebody is turned away whom a person's decision keeps out as a minor
        self.minor: Callable[[int], None] = nobody_goes

    def __len__(self) -> int:
        """How many keyed values are banned."""
        return len(self._kept)

    def refusal(self, identity: int, address: str) -> tuple[bytes, bytes] | None:
        """The closing error of somebody who may not come in, and the id of its case; None: they may. It is asked at each connection, and counted."""
        if not self._kept:
            return None
        found = self.find(identity, address)
        if found is None:
            return None
        self.turned_away += 1
        if found.minor:
            self.minor(identity)
        return self.frame(found), found.case

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
        """The closing error: until when, by which rule, and where to appeal; of a network no more than that it is meant."""
        until = None if found.until >= FOR_GOOD else found.until
        appeal, measure = path_of(self._pseudonyms, found.case, network=found.network), AGE if found.age else ""
        if found.network:
            return banned(until, "", NETWORK_SENTENCE, True, appeal, "", "")
        if found.rule == NEUTRAL:
            return banned(until, "", NEUTRAL_SENTENCE, False, appeal, "", "", measure)
        by = "machine" if found.machine else "person"
        return banned(until, found.rule, RULES[found.rule].sentence, False, appeal, day_of(found.since), by, measure)

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
        packed = self._kept.pop(mac, None)
        if packed is not None:
            self.changed(mac)
            found = Ban.of(packed)
            if found.until > self._clock():
                self.lifted(found.case)

    def replace(self, held: Iterable[tuple[bytes, bytes]]) -> None:
        """These are all."""
        before, self._kept = self._kept, dict(held)
        self.known = True
        for mac, packed in before.items():
            if mac not in self._kept and (found := Ban.of(packed)).until > self._clock():
                self.lifted(found.case)


def day_of(at: int) -> str:
    """The day of a decision, UTC, YYYY-MM-DD: the hour would tell who reported."""
    return datetime.datetime.fromtimestamp(at, datetime.UTC).date().isoformat()


def path_of(pseudonyms: Pseudonyms, case: bytes, *, network: bool = False) -> str:
    """The address of a case's appeal, or of its network's: 128 bits that only the service's key makes."""
    return PATH + encode(_token(pseudonyms, case, network))


def hash_of(pseudonyms: Pseudonyms, case: bytes, *, network: bool = False) -> bytes:
    """What the store has of that address."""
    return pseudonyms.secret_hash(APPEAL, _token(pseudonyms, case, network))


def _token(pseudonyms: Pseudonyms, case: bytes, network: bool) -> bytes:
    return pseudonyms.secret_hash(NETWORK_TOKEN if network else TOKEN, case)

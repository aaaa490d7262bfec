"""Who may not come in: by identity, or by network. Rule: two look-ups a connection and none where nobody is banned; the rows are the store's.

What is in force is held in memory, and what changed is read every two seconds (`server.safety.service`): an operator's decision
reaches each process that shares the database within that time. Of several bans of one value the one that ends last is in force.
"""

from __future__ import annotations

import datetime
import struct
import time
from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import or_, select

from engine.views import banned
from server.safety.measures import FOR_GOOD
from server.security.url_secrets import encode
from server.store.database import Database
from server.store.pseudonyms import Pseudonyms
from server.store.safety_schema import ban, case

_PACKED = struct.Struct(">?Q2s16sQ?")
HOUR = 3_600
BEHIND = 60  # seconds that are read again each time: clocks of hosts differ, and a transaction takes a while
PATH = "/appeal/"
TOKEN = b"safety.appeal.token"
APPEAL = b"safety.appeal"
SENTENCES = {
    "R1": "This service is for adults only.",
    "R2": "No nudity.",
    "R3": "No threats.",
    "R4": "No hate or harassment.",
    "R5": "No adverts, bots or scams.",
    "R6": "Nobody's private data.",
    "R7": "Nothing that harms children.",
}  # as /rules has them


class Ban(NamedTuple):
    """One that is in force. `until`, `since`: Unix seconds; `case`: its random id."""

    network: bool  # the network is meant, else the identity
    until: int
    rule: str
    case: bytes
    since: int
    machine: bool

    def packed(self) -> bytes:
        """As it is held: 200,000 are a third of what the objects would be."""
        return _PACKED.pack(self.network, self.until, self.rule.encode(), self.case, self.since, self.machine)

    @classmethod
    def of(cls, packed: bytes) -> Ban:
        """The reverse."""
        network, until, rule, case, since, machine = _PACKED.unpack(packed)
        return cls(network, until, rule.decode(), case, since, machine)


class Bans:
    """All bans in force. `clock`: Unix seconds."""

    def __init__(self, database: Database, pseudonyms: Pseudonyms, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._pseudonyms = pseudonyms
        self._clock = clock
        self._kept: dict[bytes, bytes] = {}  # packed, by keyed identity or network
        # What may be forgotten after an hour: no look at all of them is ever needed.
        self._ends: dict[int, list[bytes]] = {}
        self._seen = 0

    def __len__(self) -> int:
        """How many keyed values are banned."""
        return len(self._kept)

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
        return banned(until, found.rule, SENTENCES[found.rule], found.network, appeal, day, by)

    def path(self, case: bytes) -> str:
        """Where whom a case is about reads why, and appeals: 128 bits that only the service's key makes."""
        return path_of(self._pseudonyms, case)

    async def refresh(self) -> list[Ban]:
        """Read what changed; the bans that are new. Raises StoreAway."""
        now = int(self._clock())
        touched = (ban.c.changed >= self._seen - BEHIND) & (or_(ban.c.until > now, ban.c.lifted.is_not(None)))
        mac = ban.c.mac
        async with self._database.read() as connection:
            changed = (await connection.execute(select(mac, ban.c.changed).where(touched))).all()
            again = (
                select(ban, case.c.machine)
                .outerjoin(case, case.c.id == ban.c.case)
                .where(mac.in_(select(mac).where(touched)), ban.c.lifted.is_(None), ban.c.until > now)
            )
            rows = (await connection.execute(again.order_by(ban.c.until))).all()
        longest = {
            row.mac: Ban(row.kind == "network", row.until, row.rule, row.case, row.since, bool(row.machine))
            for row in rows
        }
        for row in changed:
            self._seen = max(self._seen, row.changed)
            if row.mac not in longest:
                self._kept.pop(row.mac, None)
        new = []
        for key, made in longest.items():
            if self._kept.get(key) != made.packed():
                self._kept[key] = made.packed()
                self._ends.setdefault(made.until // HOUR, []).append(key)
                new.append(made)
        self._forget(now)
        return new

    def _forget(self, now: int) -> None:
        """Drop what ran out before this hour; `find` looks at the time by itself."""
        for hour in [hour for hour in self._ends if hour < now // HOUR]:
            for mac in self._ends.pop(hour):
                packed = self._kept.get(mac)
                if packed is not None and Ban.of(packed).until <= now:
                    del self._kept[mac]


def day_of(at: int) -> str:
    """The day of a decision, UTC, YYYY-MM-DD: the hour would tell who reported."""
    return datetime.datetime.fromtimestamp(at, datetime.UTC).date().isoformat()


def path_of(pseudonyms: Pseudonyms, case: bytes) -> str:
    """The address of a case's appeal."""
    return PATH + encode(pseudonyms.secret_hash(TOKEN, case))


def hash_of(pseudonyms: Pseudonyms, case: bytes) -> bytes:
    """What the store has of that address."""
    return pseudonyms.secret_hash(APPEAL, pseudonyms.secret_hash(TOKEN, case))

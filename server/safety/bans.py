"""Who may not come in: by identity, or by network. Rule: two look-ups a connection and none where nobody is banned; the rows are the store's.

What is in force is held in memory, and what changed is read every two seconds (`server.safety.service`): an operator's decision
reaches each process that shares the database within that time. Of several bans of one value the one that ends last is in force.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import or_, select

from engine.views import banned
from server.safety.measures import FOR_GOOD
from server.security.url_secrets import encode
from server.store.database import Database
from server.store.pseudonyms import Pseudonyms
from server.store.safety_schema import ban, case

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


@dataclass(frozen=True, slots=True)
class Ban:
    """One that is in force. `until`, `since`: Unix seconds; `kind`: identity or network; `case`: its random id."""

    kind: str
    until: int
    rule: str
    case: bytes
    since: int
    machine: bool


class Bans:
    """All bans in force. `clock`: Unix seconds."""

    def __init__(self, database: Database, pseudonyms: Pseudonyms, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._pseudonyms = pseudonyms
        self._clock = clock
        self._kept: dict[bytes, Ban] = {}
        self._seen = 0

    def __len__(self) -> int:
        """How many keyed values are banned."""
        return len(self._kept)

    def find(self, identity: int, address: str) -> Ban | None:
        """The ban of a person, first by identity (0: none), then by network."""
        kept = self._kept
        if not kept:
            return None
        found = kept.get(self._pseudonyms.safety_identity(identity)) if identity else None
        if found is None and address:
            try:
                found = kept.get(self._pseudonyms.safety_network(address))
            except ValueError:  # not an IP address: a Unix socket's peer
                return None
        return found if found is not None and found.until > self._clock() else None

    def frame(self, found: Ban) -> bytes:
        """The closing error: until when, by which rule, and where to appeal."""
        by = "machine" if found.machine else "person"
        until = None if found.until >= FOR_GOOD else found.until
        network, appeal = found.kind == "network", self.path(found.case)
        return banned(until, found.rule, SENTENCES[found.rule], network, appeal, day_of(found.since), by)

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
        longest = {row.mac: Ban(row.kind, row.until, row.rule, row.case, row.since, bool(row.machine)) for row in rows}
        new = [made for mac_of, made in longest.items() if self._kept.get(mac_of) != made]
        for row in changed:
            self._seen = max(self._seen, row.changed)
            if row.mac not in longest:
                self._kept.pop(row.mac, None)
        self._kept |= longest
        for over in [known for known, found in self._kept.items() if found.until <= now]:
            del self._kept[over]
        return new


def day_of(at: int) -> str:
    """The day of a decision, UTC, YYYY-MM-DD: the hour would tell who reported."""
    return datetime.datetime.fromtimestamp(at, datetime.UTC).date().isoformat()


def path_of(pseudonyms: Pseudonyms, case: bytes) -> str:
    """The address of a case's appeal."""
    return PATH + encode(pseudonyms.secret_hash(TOKEN, case))


def hash_of(pseudonyms: Pseudonyms, case: bytes) -> bytes:
    """What the store has of that address."""
    return pseudonyms.secret_hash(APPEAL, pseudonyms.secret_hash(TOKEN, case))

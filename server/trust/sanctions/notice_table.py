"""Hold in memory the notices (warnings) that users must read before their next search. `notice_loader` fills the table from the database; in a
worker, the frontend's broadcast fills it.

**Invariant:** each notice belongs to one user, and nothing is looked up if the table is empty.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from engine.views import notice as frame_of
from ext.base.ageing_map import AgeingMap
from server.data.keys.pseudonyms import Pseudonyms
from server.ops.config.moderation_policy import RULES
from server.ops.security.url_token_generator import decode, encode
from server.trust.sanctions.ban_table import day_of, path_of

REMEMBERED = 10_000  # entries each: sessions of reported users without an identity, notices read here; the oldest is dropped first
Owner = bytes | int  # a keyed identity, or a session


@dataclass(frozen=True, slots=True)
class Notice:
    """An unread notice. `since`: Unix seconds; `case`: its random id."""

    id: bytes
    kind: str
    rule: str
    since: int
    by: str
    case: bytes


def unheard(_: bytes) -> None:
    """Do nothing: no listener."""


class NoticeTable:
    """All unread notices. `clock`: Unix seconds.

    A user without an identity gets the notice in the session in which they were reported, while that session lasts.
    """

    def __init__(self, pseudonyms: Pseudonyms, clock: Callable[[], float] = time.time) -> None:
        self._pseudonyms = pseudonyms
        self._clock = clock
        self._unread: dict[Owner, list[Notice]] = {}  # the oldest first
        self._owners: dict[bytes, Owner] = {}  # id of an unread notice → its owner
        self._read: AgeingMap[bytes, Owner] = AgeingMap(REMEMBERED)  # id of a read notice → its owner
        self.known = False  # whether it was loaded from the store
        self._on_change: Callable[[bytes], None] = unheard

    def subscribe(self, on_change: Callable[[bytes], None]) -> None:
        """Call `on_change` with the id of each notice that is added or removed from now on. There is one subscriber."""
        self._on_change = on_change

    def __len__(self) -> int:
        """Return the number of unread notices."""
        return len(self._owners)

    def unread(self, identity: int, session: int) -> tuple[str, bytes] | None:
        """Return (id, frame) of the user's oldest unread notice. `identity` 0: none, then the session counts."""
        if not self._unread:
            return None
        found = self._unread.get(self._owner(identity, session))
        return None if found is None else (encode(found[0].id), self._frame(found[0]))

    def seen(self, identity: int, session: int, id: str) -> bool:
        """Mark a notice as read by this user; True again if it was already read. False: it was never this user's."""
        bits = decode(id)
        if bits is None or not (bits in self._owners or bits in self._read):
            return False  # unknown ids are refused before a keyed value is computed: a flood of them stays cheap
        return self.was_read(bits, self._owner(identity, session))

    def was_read(self, id: bytes, owner: Owner) -> bool:
        """Mark a notice as read by its owner, as `seen` does."""
        if self._owners.get(id) != owner:
            return self._read.get(id) == owner
        self.drop(id)
        self._read.put(id, owner)
        self.read_now(id, owner)
        return True

    def read_now(self, id: bytes, owner: Owner) -> None:
        """Do nothing when a notice was read; subclasses store it or tell the process that does."""

    # contents

    def ids(self) -> list[bytes]:
        """Return the ids of all unread notices, each owner's in order."""
        return [one.id for some in self._unread.values() for one in some]

    def find(self, id: bytes) -> tuple[Owner, Notice] | None:
        """Return an unread notice with its owner, or None."""
        owner = self._owners.get(id)
        return None if owner is None else (owner, next(one for one in self._unread[owner] if one.id == id))

    def put(self, owner: Owner, made: Notice) -> bool:
        """Add an unread notice. False: it is here already, or was read here."""
        if made.id in self._owners or made.id in self._read:
            return False
        self._owners[made.id] = owner
        self._unread.setdefault(owner, []).append(made)
        self._on_change(made.id)
        return True

    def drop(self, id: bytes) -> None:
        """Remove an unread notice."""
        owner = self._owners.pop(id, None)
        if owner is not None:
            left = [one for one in self._unread[owner] if one.id != id]
            if left:
                self._unread[owner] = left
            else:
                del self._unread[owner]
            self._on_change(id)

    def replace(self, held: Iterable[tuple[Owner, Notice]]) -> list[tuple[bytes, Owner]]:
        """Replace the whole table. Return (id, owner) of those that were read here already."""
        self._owners, self._unread = {}, {}
        again = []
        for owner, made in held:
            if self._read.get(made.id) == owner:
                again.append((made.id, owner))
            else:
                self.put(owner, made)
        self.known = True
        return again

    def _owner(self, identity: int, session: int) -> Owner:
        return self._pseudonyms.safety_identity(identity) if identity else session

    def _frame(self, found: Notice) -> bytes:
        return frame_of(
            encode(found.id), found.kind, found.rule, RULES[found.rule].sentence, day_of(found.since), found.by,
            path_of(self._pseudonyms, found.case),
        )  # fmt: skip

"""What a person must have read before the next search, as it is held in memory. Rule: one person an entry; nothing is looked up where nobody has one.

Somebody without an identity gets it in the session in which they were reported, while that lasts. Who reads notices from the store
puts them in (`server.trust.sanctions.notice_loader`); where a host has several processes, so does who is told by that one.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from engine.views import notice as frame_of
from server.data.keys.pseudonyms import Pseudonyms
from server.ops.config.moderation_policy import RULES
from server.ops.security.url_secrets import decode, encode
from server.trust.sanctions.ban_table import day_of, path_of

REMEMBERED = (
    10_000  # sessions of reported people without an identity, and notices that were read here; the oldest goes first
)
Owner = bytes | int  # a keyed identity, or a session


@dataclass(frozen=True, slots=True)
class Notice:
    """One that nobody read yet. `since`: Unix seconds; `case`: its random id."""

    id: bytes
    kind: str
    rule: str
    since: int
    by: str
    case: bytes


def unheard(_: bytes) -> None:
    """Nobody is to be told."""


class NoticeTable:
    """All that is unread. `clock`: Unix seconds; `changed`: told of each id that is there now, or is not any more."""

    def __init__(self, pseudonyms: Pseudonyms, clock: Callable[[], float] = time.time) -> None:
        self._pseudonyms = pseudonyms
        self._clock = clock
        self._unread: dict[Owner, list[Notice]] = {}  # the oldest first
        self._owners: dict[bytes, Owner] = {}  # whose an unread one is, by its id
        self._read: OrderedDict[bytes, Owner] = OrderedDict()  # whose it was, by its id
        self.known = False  # whether it says what the store says
        self.changed: Callable[[bytes], None] = unheard

    def __len__(self) -> int:
        """How many are unread."""
        return len(self._owners)

    def unread(self, identity: int, session: int) -> tuple[str, bytes] | None:
        """The oldest that this person has to read: its id and its frame. `identity` 0: none, then the session counts."""
        if not self._unread:
            return None
        found = self._unread.get(self._owner(identity, session))
        return None if found is None else (encode(found[0].id), self._frame(found[0]))

    def seen(self, identity: int, session: int, id: str) -> bool:
        """They read it; True again for one that they had read. False: it was never theirs."""
        bits = decode(id)
        if bits is None or not (bits in self._owners or bits in self._read):
            return False  # nobody's: who floods with them is not worth a keyed value each
        return self.was_read(bits, self._owner(identity, session))

    def was_read(self, id: bytes, owner: Owner) -> bool:
        """As `seen`, by whose it is."""
        if self._owners.get(id) != owner:
            return self._read.get(id) == owner
        self.drop(id)
        self._read[id] = owner
        if len(self._read) > REMEMBERED:
            self._read.popitem(last=False)
        self.read_now(id, owner)
        return True

    def read_now(self, id: bytes, owner: Owner) -> None:
        """One was read: for who writes that down, or tells who does."""

    # what is in it

    def ids(self) -> list[bytes]:
        """All that are unread, each person's in their order."""
        return [one.id for some in self._unread.values() for one in some]

    def find(self, id: bytes) -> tuple[Owner, Notice] | None:
        """One that is unread, and whose."""
        owner = self._owners.get(id)
        return None if owner is None else (owner, next(one for one in self._unread[owner] if one.id == id))

    def put(self, owner: Owner, made: Notice) -> bool:
        """One is to be read; False: it is here, or was read here."""
        if made.id in self._owners or made.id in self._read:
            return False
        self._owners[made.id] = owner
        self._unread.setdefault(owner, []).append(made)
        self.changed(made.id)
        return True

    def drop(self, id: bytes) -> None:
        """One is not to be read any more."""
        owner = self._owners.pop(id, None)
        if owner is not None:
            left = [one for one in self._unread[owner] if one.id != id]
            if left:
                self._unread[owner] = left
            else:
                del self._unread[owner]
            self.changed(id)

    def replace(self, held: Iterable[tuple[Owner, Notice]]) -> list[tuple[bytes, Owner]]:
        """These are all; those of them that were read here."""
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

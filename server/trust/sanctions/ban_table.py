"""Hold bans in memory, by keyed hash of identity or network. `ban_loader` fills the table from the database; in a worker, the
frontend's broadcast fills it.

The ban of an identity stays after its end for as long as pair tokens that are older may live: `last_ban` makes them invalid.

**Invariant:** a new connection costs at most two look-ups, and none if the table is empty. If a value has several bans, the one that ends last
applies. No database is used here.
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
from server.ops.security.url_token_generator import encode

_PACKED = struct.Struct(">?Q2s16sQ??")
HELD: Final = _PACKED.size  # bytes of a packed ban
PATH = "/appeal/"
TOKEN = b"safety.appeal.token"
# a network's refusal has its own appeal: its reader may have nothing to do with the case
NETWORK_TOKEN = b"safety.appeal.network"
APPEAL = b"safety.appeal"


class Ban(NamedTuple):
    """A ban in force. `until`, `since`: Unix seconds; `case`: its random id; `age`: the user seems under 18."""

    network: bool  # of a network, else of an identity
    until: int
    rule: str
    case: bytes
    since: int
    machine: bool
    age: bool = False

    def kept_until(self, longest: int) -> int:
        """Return until when the table has it: to its end, for an identity at least `longest` seconds from its beginning."""
        return self.until if self.network else max(self.until, self.since + longest)

    @property
    def minor(self) -> bool:
        """Whether a person decided that this very user seems under 18."""
        return self.age and not (self.machine or self.network)

    def packed(self) -> bytes:
        """Return it as bytes: 200,000 of them take a third of the memory of the objects."""
        return _PACKED.pack(self.network, self.until, self.rule.encode(), self.case, self.since, self.machine, self.age)

    @classmethod
    def of(cls, packed: bytes) -> Ban:
        """Return the ban of `packed` bytes."""
        network, until, rule, case, since, machine, age = _PACKED.unpack(packed)
        return cls(network, until, rule.rstrip(b"\0").decode(), case, since, machine, age)


def ignore_minor(_identity: int) -> None:
    """Do nothing: no data of minors is stored."""


def unheard(_: bytes) -> None:
    """Do nothing: no listener."""


class BanTable:
    """Bans by keyed value: all in force, and what `last_ban` needs of those that are over. `clock`: Unix seconds."""

    def __init__(
        self,
        pseudonyms: Pseudonyms,
        clock: Callable[[], float] = time.time,
        *,
        on_minor: Callable[[int], None] = ignore_minor,
        on_lifted: Callable[[bytes], None] = unheard,
    ) -> None:
        """`on_minor`: called with the identity at each refusal of a user whom a person's decision keeps out as a minor; `on_lifted`: called with the
        case of each ban that is lifted before its end, or reversed after it."""
        self._pseudonyms = pseudonyms
        self._clock = clock
        self._kept: dict[bytes, bytes] = {}  # packed, by keyed identity or network
        self.known = False  # whether it was loaded from the store
        self._on_change: Callable[[bytes], None] = unheard
        self._on_reversal: Callable[[bytes], None] = unheard
        self.turned_away = 0  # refused connections
        self._on_lifted, self._on_minor = on_lifted, on_minor

    def subscribe(self, on_change: Callable[[bytes], None], on_reversal: Callable[[bytes], None] = unheard) -> None:
        """Call `on_change` with each value whose ban is set, replaced or removed from now on, and `on_reversal` with the case of each ban that is
        reversed after its end. There is one subscriber."""
        self._on_change, self._on_reversal = on_change, on_reversal

    def refusal(self, identity: int, address: str) -> tuple[bytes, bytes] | None:
        """Return (closing error, case id) for a banned user, or None. Called at each connection; counts refusals."""
        if not self._kept:
            return None
        found = self.find(identity, address)
        if found is None:
            return None
        self.turned_away += 1
        if found.minor:
            self._on_minor(identity)
        return self.frame(found), found.case

    def find(self, identity: int, address: str) -> Ban | None:
        """Return the ban of a user: first by identity (0: none), then by network."""
        if not self._kept:
            return None
        found = self._held(self._pseudonyms.safety_identity(identity)) if identity else None
        if found is None and address:
            try:
                found = self._held(self._pseudonyms.safety_network(address))
            except ValueError:  # not an IP address: a Unix socket's peer
                return None
        return found

    def last_ban(self, identity: int) -> int:
        """Return when the last ban of an identity began, in force or over, in Unix seconds; 0: none is known. A reversed one does not count."""
        packed = self._kept.get(self._pseudonyms.safety_identity(identity)) if self._kept and identity else None
        return 0 if packed is None else Ban.of(packed).since

    def _held(self, mac: bytes) -> Ban | None:
        """Return the ban of a keyed value if it is in force."""
        packed = self._kept.get(mac)
        if packed is None:
            return None
        found = Ban.of(packed)
        return found if found.until > self._clock() else None

    def frame(self, found: Ban) -> bytes:
        """Return the closing error: its end, the rule and the appeal's address; for a network only that the network is refused."""
        until = None if found.until >= FOR_GOOD else found.until
        appeal, measure = path_of(self._pseudonyms, found.case, network=found.network), AGE if found.age else ""
        if found.network:
            return banned(until, "", NETWORK_SENTENCE, True, appeal, "", "")
        if found.rule == NEUTRAL:
            return banned(until, "", NEUTRAL_SENTENCE, False, appeal, "", "", measure)
        by = "machine" if found.machine else "person"
        return banned(until, found.rule, RULES[found.rule].sentence, False, appeal, day_of(found.since), by, measure)

    # contents

    def values(self) -> list[bytes]:
        """Return the keyed values of the table."""
        return list(self._kept)

    def packed(self, mac: bytes) -> bytes | None:
        """Return the packed ban of a keyed value."""
        return self._kept.get(mac)

    def put(self, mac: bytes, packed: bytes) -> None:
        """Set the ban of a keyed value."""
        self._kept[mac] = packed
        self._on_change(mac)

    def drop(self, mac: bytes) -> None:
        """Remove the ban of a keyed value."""
        packed = self._kept.pop(mac, None)
        if packed is not None:
            self._on_change(mac)
            found = Ban.of(packed)
            if found.until > self._clock():
                self._on_lifted(found.case)

    def reverse_ended(self, case: bytes) -> None:
        """Report that a ban of this case was reversed after its end; the table no longer has it."""
        self._on_lifted(case)
        self._on_reversal(case)

    def replace(self, held: Iterable[tuple[bytes, bytes]]) -> None:
        """Replace the whole table."""
        before, self._kept = self._kept, dict(held)
        self.known = True
        for mac, packed in before.items():
            if mac not in self._kept and (found := Ban.of(packed)).until > self._clock():
                self._on_lifted(found.case)


def day_of(at: int) -> str:
    """Return the UTC day of a decision, YYYY-MM-DD: the hour would reveal the reporter."""
    return datetime.datetime.fromtimestamp(at, datetime.UTC).date().isoformat()


def path_of(pseudonyms: Pseudonyms, case: bytes, *, network: bool = False) -> str:
    """Return the address of a case's appeal, or of its network's: 128 bits that only the service's key makes."""
    return PATH + encode(_token(pseudonyms, case, network))


def hash_of(pseudonyms: Pseudonyms, case: bytes, *, network: bool = False) -> bytes:
    """Return the hash of that address that the store keeps."""
    return pseudonyms.secret_hash(APPEAL, _token(pseudonyms, case, network))


def _token(pseudonyms: Pseudonyms, case: bytes, network: bool) -> bytes:
    return pseudonyms.secret_hash(NETWORK_TOKEN if network else TOKEN, case)

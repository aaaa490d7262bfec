"""Sign the ledger beside the backups, and find each entry that another program deleted, changed or put back.

`ledger/signed/head` names, with a time that grows with each copy, a list of entries for each day of deletions and one for the copies of the state.
A list is `ledger/signed/GROUP-DIGEST`, with the SHA-256 of each entry. Before entries are replaced, the head announces the lists to come: a writer
that is killed in between leaves no ledger that looks changed.
**Invariant:** an entry is used if its digest is in a list that the head names or announces, and the head is signed (`backup_signature`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

import orjson

from server.data.backup.backup_place import LEDGER, Place, TooLarge
from server.data.backup.backup_signature import Check, Foreign
from server.data.errors import ObjectsAway

SIGNED: Final = "signed"
HEAD: Final = f"{LEDGER}/{SIGNED}/head"
PREFIX: Final = b"serendip ledger 1\n"  # before what is signed, which then is no manifest of a backup
STATE: Final = "state"  # the group of the copies of the state
TRIES: Final = 3  # to read a ledger that a server may replace meanwhile
READS: Final = 8  # entries that are read at the same time
LARGEST_LIST: Final = 64 << 20  # bytes; 145 for each deletion of a day
EXAMPLES: Final = 3  # names of entries in a message
_entry = re.compile(r"erasures/(\d{1,7})/(?:[0-9a-f]{2})+|upkeep/(?:index|\w{1,60}/[0-9a-f]{16,128})").fullmatch
REFUSED: Final = (
    "the ledger beside the backup, which says what was deleted since, cannot be trusted: {}. Without its entries a restore brings back what was"
    " deleted. Bring it back from a copy of that place, such as earlier versions of its objects. --damaged-ledger takes what is whole of it"
)


class Distrusted(ValueError):
    """The ledger is not as this service wrote it."""


@dataclass(frozen=True, slots=True)
class Signed:
    """The signed content. `digests`: by entry; `announced`: digests that an interrupted writer may have written; `lists`: digests by group."""

    at: int = 0
    digests: Mapping[str, str] = field(default_factory=dict)
    announced: Mapping[str, str] = field(default_factory=dict)
    lists: Mapping[str, str] = field(default_factory=dict)

    def has(self, name: str, body: bytes) -> bool:
        """Return whether this is the content of an entry."""
        return digest_of(body) in (self.digests.get(name), self.announced.get(name))


@dataclass(slots=True)
class Read:
    """A ledger that was read. `wrong`: why it cannot be trusted; `skipped`: entries that this service did not write; `entries`: their number."""

    at: int = 0
    wrong: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    entries: int = 0


def digest_of(body: bytes) -> str:
    """Return the digest of an entry."""
    return sha256(body).hexdigest()


def is_entry(name: str) -> bool:
    """Return whether this may be the name of an entry."""
    return _entry(name) is not None


def day_of_entry(name: str) -> int | None:
    """Return the day of a deletion, None for a copy of the state and whatever else is there."""
    found = _entry(name)
    return int(found[1]) if found is not None and found[1] else None


def entries(place: Place) -> set[str]:
    """Return the names of all entries, without the signature. Blocks. Raises ObjectsAway."""
    names = {name.removeprefix(f"{LEDGER}/") for name in place.names(LEDGER)}
    return {name for name in names if not name.startswith(f"{SIGNED}/")}


def entries_or_signed(place: Place, signed: Signed | None) -> tuple[set[str], str]:
    """Return `entries` and ""; or, if the place cannot list them, for which one name suffices, the signed ones and why. Raises ObjectsAway."""
    try:
        return entries(place), ""
    except ObjectsAway as error:
        if signed is None:
            raise
        return {*signed.digests, *signed.announced}, f"its entries cannot be listed ({error})"


def read_signed(place: Place, check: Check) -> Signed | None:
    """Return the signed content, None without a signature. Blocks. Raises Distrusted, ObjectsAway."""
    head = _read_head(place, check)
    if head is None:
        return None
    return Signed(head.at, _listed(place, head.lists), _listed(place, head.announced), head.lists)


def signed_at(place: Place, check: Check) -> int:
    """Return the time of the ledger, 0 without one that can be trusted. Blocks. Raises ObjectsAway."""
    try:
        head = _read_head(place, check)
    except Distrusted:
        return 0
    return head.at if head is not None else 0


@dataclass(frozen=True, slots=True)
class _Head:
    """The object `head`: digests of lists by group."""

    at: int
    lists: dict[str, str]
    announced: dict[str, str]


def _read_head(place: Place, check: Check) -> _Head | None:
    try:
        found = place.get(HEAD)
        if found is None:
            return None
        outer = orjson.loads(found)
        body = outer["head"].encode()
        check(PREFIX + body, {str(name): str(value) for name, value in outer["signatures"].items()})
        head = orjson.loads(body)
        return _Head(int(head["at"]), dict(head["lists"]), dict(head["next"]))
    except Foreign:
        raise Distrusted("none of the keys that are here signed it") from None
    except (TooLarge, ValueError, KeyError, TypeError, AttributeError):
        raise Distrusted("its signature cannot be read") from None


class LedgerWriter:
    """Signs one copy of the ledger: `announce` before entries are replaced, `finish` after it. Both block. `before`: what was signed."""

    def __init__(self, place: Place, sign: Callable[[bytes], Mapping[str, str]], before: Signed, at: int) -> None:
        self._place = place
        self._sign = sign
        self._before = before
        self._at = at

    def announce(self, digests: Mapping[str, str]) -> None:
        """Sign the content to come beside the present one. Raises ObjectsAway."""
        self._head(self._before.lists, self._lists(digests))

    def finish(self, digests: Mapping[str, str]) -> None:
        """Sign the present content, and remove the lists that are not its own. Raises ObjectsAway."""
        lists = self._lists(digests)
        self._head(lists, {})
        try:
            there = self._place.names(f"{LEDGER}/{SIGNED}")
        except ObjectsAway:
            there = set(map(_list_name, self._before.lists.items()))
        for name in there - {HEAD, *map(_list_name, lists.items())}:
            self._place.delete(name)

    def _lists(self, digests: Mapping[str, str]) -> dict[str, str]:
        """Write the lists that are new, and return the digests of all."""
        groups: dict[str, list[str]] = defaultdict(list)
        for name in sorted(digests):
            day = day_of_entry(name)
            groups[STATE if day is None else str(day)].append(f"{name} {digests[name]}\n")
        lists = {}
        for group, lines in groups.items():
            body = "".join(lines).encode()
            lists[group] = digest_of(body)
            if self._before.lists.get(group) != lists[group]:
                self._place.put(_list_name((group, lists[group])), body)
        return lists

    def _head(self, lists: Mapping[str, str], announced: Mapping[str, str]) -> None:
        body = orjson.dumps({"at": self._at, "lists": lists, "next": announced})
        signatures = self._sign(PREFIX + body)
        self._place.put(HEAD, orjson.dumps({"head": body.decode(), "signatures": signatures}))


def read_ledger(
    place: Place, check: Check, known: int, take: Callable[[str, bytes], None], *, damaged: bool = False
) -> Read:
    """Read the ledger, pass each entry that is signed to `take`, and return what is wrong with it. Blocks.

    `known`: the time of the ledger that the backup knew, 0 for none; `damaged`: take every entry that is there, signed or not. The index of the
    copies comes last. Raises ObjectsAway.
    """
    found, signed = Read(), None
    try:
        signed = read_signed(place, check)
    except Distrusted as error:
        found.wrong.append(str(error))
    there, unlisted = entries_or_signed(place, signed)
    if unlisted:
        found.skipped.append(unlisted)
    if signed is None and not found.wrong and (there or known):
        found.wrong.append("its signature is gone" if known else "it is not signed; an earlier program wrote it")
    if signed is not None:
        found.at = signed.at
        if signed.at < known:
            found.wrong.append("it is older than the backup: an earlier one was put back")
    wanted = set(signed.digests) | set(signed.announced) if signed is not None else set()
    used = there if damaged else wanted
    changed: list[str] = []
    for name, body in bodies(place, sorted(filter(is_entry, used & there), key=lambda name: name.endswith("/index"))):
        ours = signed is not None and body is not None and signed.has(name, body)
        if not ours and signed is not None and name in signed.digests:
            changed.append(name)
        if body is not None and (ours or damaged):
            found.entries += 1
            take(name, body)
    missing = set(signed.digests) - there if signed is not None else set()
    foreign = {name for name in there if not is_entry(name)} if damaged else there - wanted
    found.wrong += [*describe("missing", missing), *describe("not what was written", changed)]
    found.skipped += describe("not of this service", foreign)
    return found


def verify_ledger(place: Place, check: Check, known: int) -> Read:
    """Read the ledger as `read_ledger`, again if it is not whole: a server may have signed another meanwhile. Blocks. Raises ObjectsAway."""
    for _ in range(TRIES):
        found = read_ledger(place, check, known, lambda _name, _body: None)
        if not found.wrong:
            break
    return found


def describe(what: str, names: Collection[str]) -> list[str]:
    """Return a phrase about some entries; an empty list about no entries."""
    if not names:
        return []
    examples = ", ".join(name[:80].encode("ascii", "backslashreplace").decode() for name in sorted(names)[:EXAMPLES])
    return [f"{len(names)} {'entry is' if len(names) == 1 else 'entries are'} {what} ({examples})"]


def bodies(place: Place, names: Iterable[str]) -> Iterator[tuple[str, bytes | None]]:
    """Yield the contents of entries, None for one that is gone or too large. READS at a time, so that memory is bounded. Raises ObjectsAway."""

    def body(name: str) -> bytes | None:
        try:
            return place.get(f"{LEDGER}/{name}")
        except TooLarge:
            return None

    waiting = list(names)
    with ThreadPoolExecutor(READS, "ledger") as threads:
        for first in range(0, len(waiting), READS):
            some = waiting[first : first + READS]
            yield from zip(some, threads.map(body, some), strict=True)


def _list_name(one: tuple[str, str]) -> str:
    group, digest = one
    return f"{LEDGER}/{SIGNED}/{group}-{digest[:32]}"


def _listed(place: Place, lists: Mapping[str, str]) -> dict[str, str]:
    """Return the digests of some lists. Raises Distrusted, ObjectsAway."""
    digests = {}
    for group, digest in lists.items():
        try:
            body = place.get(_list_name((group, digest)), LARGEST_LIST)
        except TooLarge:
            body = None
        if body is None or digest_of(body) != digest:
            raise Distrusted(f"the list of its entries of {group} is missing or changed")
        for line in body.decode().splitlines():
            name, _, value = line.partition(" ")
            digests[name] = value
    return digests

"""Turn the records of ended chats into database rows when a batch is written, so that the end of a chat itself costs only one tuple.

**Invariant:** the keyed and encrypted values of a participant are computed once per person, address and epoch (30 days), and then read from a
bounded cache.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from server.data.connection_source import SourceEndpoint
from server.data.database.bulk_inserts import InsertTarget
from server.data.keys.epoch_keys import EPOCH
from server.data.keys.pseudonyms import Pseudonyms, canonical
from server.data.records.address_country import Countries
from server.data.schema.chat_id_format import chat_ids, day_of

_ended = itemgetter(3)  # of a record
CACHE = 50_000  # persons whose values are held (about 400 bytes each); then it is emptied: a miss costs 12 µs


class Party(NamedTuple):
    """One participant of a chat. `side` 0 or 1, 2 the spy; `identity`: the engine's 63-bit number, 0 if none; `address`: plain, in
    memory only; with its source port if that is known (`SourceEndpoint`)."""

    side: int
    identity: int
    address: str


class EndedChat(NamedTuple):
    """The record of an ended chat. `mode`: text, video, spy or college; times in Unix seconds; `how`: left, lost, moderation, restart.

    `language`: its subtag; `sessions`: the ids of its sessions. Both are for `server.data.statistics` and are not stored.
    """

    mode: str
    how: str
    started: float
    ended: float
    parties: tuple[Party, ...]
    language: str = ""
    sessions: tuple[int, ...] = ()


# EndedChat without names, which is faster to create and unpack: the hot path hands this over. From a worker its parties and sessions are lists.
Record = tuple[str, str, float, float, Sequence[tuple[int, int, str]], str, Sequence[int]]

CHAT = InsertTarget("chat", ("id", "mode", "started", "ended", "how"))
PARTY = InsertTarget("party", ("chat", "side", "ended", "identity", "address", "address_mac", "country"))
PAIR = InsertTarget(PARTY.table, PARTY.columns, ((("side", 0),), (("side", 1),)))  # both people of a chat
KINDS = 32  # kinds of chats whose words are constants of a statement; there are four modes and a few kinds of ending
_words: dict[tuple[str, str], InsertTarget] = {}


def kind(mode: str, how: str) -> InsertTarget:
    """Return the insert target of a kind of chats: its two words are constants there, or bound values if they are not plain words."""
    found = _words.get((mode, how))
    if found is None:
        constants = (("mode", mode[:8]), ("how", how[:16]))
        plain = len(_words) < KINDS and (mode + how).isascii() and mode.isalpha() and how.isalpha()
        found = InsertTarget(CHAT.table, CHAT.columns, (constants,)) if plain else CHAT
        if plain:
            _words[mode, how] = found
    return found


class Known:
    """A person's values as the database stores them, of one epoch and address."""

    __slots__ = ("address", "country", "epoch", "mac", "where", "who")

    def __init__(self, epoch: int, address: str, who: Any, where: Any, mac: Any, country: Any) -> None:
        self.epoch = epoch
        self.address = address
        self.who = who  # identity MAC
        self.where = where  # sealed address
        self.mac = mac
        self.country = country


class Batch:
    """Rows that are written together. Their ids are new: a retry must write the same batch."""

    __slots__ = ("chats", "days", "epoch", "last", "pairs", "parties", "size")

    def __init__(self) -> None:
        self.size = 0  # chats
        self.chats: dict[tuple[str, str], list[Any]] = {}  # by mode and how: id, started and ended of each chat in turn
        self.pairs: list[Any] = []  # the values of PAIR
        self.parties: list[Any] = []  # the values of PARTY, for chats that were not of two
        self.days: set[int] = set()  # on which they ended
        self.last, self.epoch = -1, 0  # end of the last chat in Unix seconds, and its epoch

    def values(self) -> list[tuple[InsertTarget, list[Any]]]:
        """Return the values to insert, by target."""
        found = []
        for (mode, how), flat in self.chats.items():
            into = kind(mode, how)
            if into is CHAT:
                words = [(*flat[at : at + 3], mode[:8], how[:16]) for at in range(0, len(flat), 3)]
                flat = [value for id, begun, ended, word, end in words for value in (id, word, begun, ended, end)]
            found.append((into, flat))
        return [*found, (PAIR, self.pairs), (PARTY, self.parties)]


def _epochs(chats: Iterable[Record]) -> set[int]:
    """Return the epochs in which these chats ended. Most ended in the epoch of the chat before."""
    found: set[int] = set()
    since = until = 0.0
    for chat in chats:
        ended = chat[3]
        if not since <= ended < until:
            epoch = int(ended) // EPOCH
            found.add(epoch)
            since, until = float(epoch * EPOCH), float((epoch + 1) * EPOCH)
    return found


class Records:
    """Makes rows. Not thread-safe; belongs to the writer. `missing`: the database's value for NULL (`Database.missing`).

    A user who talks to twenty strangers costs one AES-GCM and two HMACs, and one AES-GCM more with each further connection, whose source port is
    sealed with the address.
    """

    def __init__(self, pseudonyms: Pseudonyms, countries: Countries, missing: float | None = None) -> None:
        self._pseudonyms = pseudonyms
        self._countries = countries
        self._missing = missing
        self._cache: dict[int | str, Known] = {}  # by identity, or by address without one
        self._places: dict[str, Known] = {}  # values of a user, by address without the port, in its one spelling

    async def prepare(self, chats: Iterable[Record]) -> None:
        """Load the keys of these chats' epochs into memory, so that `add` touches no file. Raises OSError."""
        epochs = self._pseudonyms.epochs
        for epoch in _epochs(chats):
            if not epochs.known(epoch):
                await asyncio.to_thread(epochs.make, epoch)

    def add(self, batch: Batch, chats: Iterable[Record]) -> None:
        """Add the rows of these chats to a batch."""
        some = sorted(chats, key=_ended)
        ids = chat_ids([chat[3] for chat in some])  # a database inserts faster in the order of keys
        for ident, (mode, how, started, ended, parties, _, _) in zip(ids, some, strict=True):
            self._rows(batch, ident, mode, how, started, ended, parties)
        batch.size += len(some)

    def _rows(
        self, batch: Batch, chat: bytearray, mode: str, how: str, started: float, ended: float, parties: Sequence[Any]
    ) -> None:
        at = int(ended)
        values = batch.chats.get((mode, how))
        if values is None:
            values = batch.chats[mode, how] = []
        values.append(chat)
        values.append(int(started))
        values.append(at)
        if at != batch.last:
            batch.last, batch.epoch = at, at // EPOCH
            batch.days.add(day_of(at))
        two = len(parties) == 2 and parties[0][0] == 0 and parties[1][0] == 1
        values = batch.pairs if two else batch.parties
        for side, identity, address in parties:
            known = self._known(batch.epoch, identity, address)
            values.append(chat)
            if not two:
                values.append(side)
            values.append(at)
            values.append(known.who)
            values.append(known.where)
            values.append(known.mac)
            values.append(known.country)

    def _known(self, epoch: int, identity: int, address: str) -> Known:
        known = self._held(identity or address)
        if known is not None and known.epoch == epoch and known.address == address:
            return known
        return self._derive(epoch, identity, address)

    def _held(self, key: int | str) -> Known | None:
        return self._cache.get(key)

    def _derive(self, epoch: int, identity: int, address: str) -> Known:
        place, _, port = address.partition(" ")
        person, there = self._held(identity), self._places.get(place) if port.isdigit() else None
        is_known = not identity or (person is not None and person.epoch == epoch)
        if is_known and there is not None and there.epoch == epoch:
            who = self._missing if person is None else person.who
            sealed = bytearray(self._pseudonyms.live_source(epoch, address))
            known = Known(epoch, address, who, sealed, there.mac, there.country)
        else:
            known = self._compute(epoch, identity, address)
            there = known if known.mac is not self._missing and canonical(place) == place else None
        if max(len(self._cache), len(self._places)) >= CACHE:
            self.forget()
        self._cache[identity or address] = known
        if there is not None:
            self._places[place] = there
        return known

    def _compute(self, epoch: int, identity: int, address: str) -> Known:
        try:
            values = self._pseudonyms.live(epoch, identity, address)
        except ValueError:  # not an IP address: a Unix socket's peer, a test's name
            values = self._pseudonyms.live(epoch, identity, "")
        who, where, mac = [self._missing if value is None else bytearray(value) for value in values]
        country = self._countries.find(SourceEndpoint.of(address).address) if address else None
        return Known(epoch, address, who, where, mac, self._missing if country is None else country)

    def forget(self) -> None:
        """Drop the derived values (after a deletion, or when an epoch's key is destroyed)."""
        self._cache.clear()
        self._places.clear()

"""From an ended chat to rows. Rule: keyed and encrypted values are derived once a person and epoch, not once a chat.

What the server hands over on the hot path is one tuple; nothing is computed there. The derivation happens when the
batch is written, through a bounded cache: a person who talks to twenty strangers costs one AES-GCM and two HMACs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from operator import itemgetter
from typing import Any, NamedTuple

from server.store.country import Countries
from server.store.epochs import EPOCH
from server.store.ids import chat_ids
from server.store.inserts import Into
from server.store.pseudonyms import Pseudonyms

_ended = itemgetter(3)  # of a record
CACHE = 50_000  # persons whose values are held (about 400 bytes each); then it is emptied: a miss costs 12 µs


class Party(NamedTuple):
    """One person in a chat. `side` 0 or 1, 2 the spy; `identity` the engine's 63-bit number, 0 none; `address` plain, in memory only."""

    side: int
    identity: int
    address: str


class EndedChat(NamedTuple):
    """What a chat leaves: `mode` text, video, spy or college; times in Unix seconds; `how`: left, lost, moderation, restart."""

    mode: str
    how: str
    started: float
    ended: float
    parties: tuple[Party, ...]


# The same without names, which is quicker to make and to take apart: what the hot path hands over.
Record = tuple[str, str, float, float, tuple[tuple[int, int, str], ...]]
Derived = tuple[Any, Any, Any, Any]  # identity, address, its MAC, country: as the database takes them

CHAT = Into("chat", ("id", "mode", "started", "ended", "how"))
PARTY = Into("party", ("chat", "side", "ended", "identity", "address", "address_mac", "country"))


class Batch:
    """Rows that are written together. Ids are new: a batch that is written again must be the same one."""

    __slots__ = ("chats", "parties", "size")

    def __init__(self) -> None:
        self.size = 0  # chats
        self.chats: list[Any] = []  # the values of a row of CHAT after those of the other
        self.parties: list[Any] = []  # the same, of PARTY


class Records:
    """Makes rows. Not thread-safe; belongs to the writer. `missing`: what the database takes for NULL (`Database.missing`)."""

    def __init__(self, pseudonyms: Pseudonyms, countries: Countries, missing: float | None = None) -> None:
        self._pseudonyms = pseudonyms
        self._countries = countries
        self._missing = missing
        self._cache: dict[tuple[int, int, str], Derived] = {}

    async def prepare(self, chats: Iterable[Record]) -> None:
        """Have the keys of these chats' epochs in memory, so that `add` touches no file. Raises OSError."""
        epochs = self._pseudonyms.epochs
        for epoch in {int(chat[3]) // EPOCH for chat in chats}:
            if not epochs.known(epoch):
                await asyncio.to_thread(epochs.make, epoch)

    def add(self, batch: Batch, chats: Iterable[Record]) -> None:
        """Put the rows of these chats into a batch."""
        cache, chat_values, party_values = self._cache, batch.chats, batch.parties
        some = sorted(chats, key=_ended)
        ids = chat_ids([chat[3] for chat in some])  # a database is quicker where each row comes after the last
        for ident, (mode, how, started, ended, parties) in zip(ids, some, strict=True):
            chat, at = bytearray(ident), int(ended)
            epoch = at // EPOCH
            chat_values += (chat, mode[:8], int(started), at, how[:16])
            for side, identity, address in parties:
                found = cache.get((epoch, identity, address)) or self._derive(epoch, identity, address)
                who, where, mac, country = found
                party_values += (chat, side, at, who, where, mac, country)
        batch.size += len(some)

    def _derive(self, epoch: int, identity: int, address: str) -> Derived:
        try:
            values = self._pseudonyms.live(epoch, identity, address)
        except ValueError:  # not an IP address: a Unix socket's peer, a test's name
            values = self._pseudonyms.live(epoch, identity, "")
        who, where, mac = [self._missing if value is None else bytearray(value) for value in values]
        country = self._countries.find(address) if address else None
        found = (who, where, mac, self._missing if country is None else country)
        if len(self._cache) >= CACHE:
            self._cache.clear()
        self._cache[epoch, identity, address] = found
        return found

    def forget(self) -> None:
        """Drop the derived values (after a deletion, or when an epoch's key is destroyed)."""
        self._cache.clear()

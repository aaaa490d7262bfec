"""From an ended chat to rows. Rule: keyed and encrypted values are derived once a person and epoch, not once a chat.

What the server hands over on the hot path is one tuple; nothing is computed there. The derivation happens when the
batch is written, through a bounded cache: a person who talks to twenty strangers costs one AES-GCM and two HMACs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import NamedTuple

from server.store.country import Countries
from server.store.epochs import epoch_of
from server.store.ids import chat_id
from server.store.pseudonyms import Pseudonyms

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


ChatRow = tuple[bytes, str, int, int, str]
PartyRow = tuple[bytes, int, int, bytes | None, bytes | None, bytes | None, str | None]
Derived = tuple[bytes | None, bytes | None, bytes | None, str | None]


class Records:
    """Makes rows. Not thread-safe; belongs to the writer."""

    def __init__(self, pseudonyms: Pseudonyms, countries: Countries) -> None:
        self._pseudonyms = pseudonyms
        self._countries = countries
        self._cache: dict[tuple[int, int, str], Derived] = {}

    async def prepare(self, chats: Iterable[EndedChat]) -> None:
        """Have the keys of these chats' epochs in memory, so that `rows` touches no file. Raises OSError."""
        epochs = self._pseudonyms.epochs
        for epoch in {epoch_of(chat.ended) for chat in chats}:
            if not epochs.known(epoch):
                await asyncio.to_thread(epochs.make, epoch)

    def rows(self, chats: Iterable[EndedChat]) -> tuple[list[ChatRow], list[PartyRow]]:
        """The rows of a batch. Ids are new: a batch that is written again must use the same rows."""
        chat_rows: list[ChatRow] = []
        party_rows: list[PartyRow] = []
        for mode, how, started, ended, parties in chats:
            chat = chat_id(ended)
            at = int(ended)
            epoch = epoch_of(ended)
            chat_rows.append((chat, mode[:8], int(started), at, how[:16]))
            for side, identity, address in parties:
                party_rows.append((chat, side, at, *self._derive(epoch, identity, address)))
        return chat_rows, party_rows

    def _derive(self, epoch: int, identity: int, address: str) -> Derived:
        key = (epoch, identity, address)
        found = self._cache.get(key)
        if found is None:
            try:
                values = self._pseudonyms.live(epoch, identity, address)
            except ValueError:  # not an IP address: a Unix socket's peer, a test's name
                values = self._pseudonyms.live(epoch, identity, "")
            found = (*values, self._countries.find(address) if address else None)
            if len(self._cache) >= CACHE:
                self._cache.clear()
            self._cache[key] = found
        return found

    def forget(self) -> None:
        """Drop the derived values (after a deletion, or when an epoch's key is destroyed)."""
        self._cache.clear()

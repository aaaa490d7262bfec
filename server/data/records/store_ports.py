"""Define the protocols (ports) through which the rest of the server uses the store. `server.data.store.store_runner.Store` implements them.

**Invariant:** this module imports only what a server without a store needs too.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from server.data.keys.epoch_keys import EpochKeys
from server.data.records.chat_rows import Party, Record
from server.data.records.transcript import Transcript
from server.ops.metrics.metric_type import Reading

Shape = TypeVar("Shape")


@dataclass(frozen=True, slots=True)
class Saved:
    """The two addresses of a saved log, as the last part of their paths (22 characters)."""

    log: str
    delete: str


class Logs(Protocol):
    """The saved logs (`server.data.chat_logs.saved_logs.SavedLogs`). Each method raises StoreAway."""

    async def shaped(self, text: str, shape: Callable[[Transcript], Shape]) -> Shape | None:
        """Return the result of `shape`, run in a thread, on the log at an address; None without one. Raises ObjectsAway and Crowded too."""

    async def exists(self, text: str) -> bool:
        """Return whether a delete address still opens a log."""

    async def delete_by_secret(self, text: str) -> bool:
        """Delete the log of a delete address. False: it does not exist."""

    async def delete_by_participant(self, text: str, identity: int) -> bool:
        """Delete a log at the request of one of its two participants, proved by the identity cookie."""


class Elections(Protocol):
    """Election of an epoch's key among hosts that share a database (`server.data.database.key_fingerprints.KeyFingerprints`)."""

    async def epochs(self) -> dict[int, bytes]:
        """Return the check values of the epochs in the database that are not over. Raises StoreAway."""

    async def elect(self, epoch: int, value: bytes) -> bytes:
        """Propose a key by its check value; return the check value of the elected key. Raises StoreAway."""

    def over(self, epoch: int) -> bool:
        """Return whether the key of this epoch must be destroyed by now."""


class Keeper(Protocol):
    """Takes records and saves: the store, or the store client of another process of this host."""

    def record(self, chat: Record) -> bool:
        """Accept a chat's record; never blocks. False: the record is lost, and counted."""

    async def save(self, transcript: Transcript, parties: Iterable[Party], by: Party) -> Saved:
        """Save a log for `by`, one of the parties. Raises NotSaved."""


class PublishedStatistics(Protocol):
    """Published statistics of use (`server.data.statistics.published_statistics.Statistics`)."""

    @property
    def months(self) -> list[dict[str, Any]] | None:
        """The figures of closed months, newest first; None until the database was read."""

    @property
    def busy(self) -> tuple[int, int] | None:
        """The hours of UTC, from and to, in which most chats start; None if no month says so."""


class Store(Keeper, Protocol):
    """The store of one process. `opened`: set once the database is open, and `schema` is its revision."""

    opened: asyncio.Event
    schema: str

    @property
    def ready(self) -> bool:
        """Whether the database is open."""

    @property
    def statistics(self) -> PublishedStatistics:
        """The statistics of use."""

    def country(self, address: str) -> str | None:
        """Return the two letters of the country of an address, if they are known."""

    @property
    def epochs(self) -> EpochKeys:
        """The keys of live pseudonyms."""

    @property
    def elections(self) -> Elections:
        """The election of epoch keys."""

    @property
    def logs(self) -> Logs:
        """The saved logs, for the pages."""

    def missed(self, count: int) -> None:
        """Count records that were lost before they reached the store."""

    def unwell(self) -> list[str]:
        """Return the operations that fail now, each with its cause."""

    def reading(self) -> Reading:
        """Return the values of the metrics."""

    async def close(self, within: float = 5.0) -> int:
        """Write the queued records for at most `within` seconds; return the number of records lost."""

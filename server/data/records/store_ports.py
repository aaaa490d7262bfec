"""What the rest of the server asks of the store, as protocols. Rule: nothing is imported here that a server without a store need not have.

`server.data.store.service.Store` is the one implementation; it is imported only where something is kept.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from server.data.keys.epoch_keys import EpochKeys
from server.data.records.chat_rows import Party, Record
from server.data.records.transcript import Transcript
from server.ops.metrics.exposition import Reading

Shape = TypeVar("Shape")


@dataclass(frozen=True, slots=True)
class Saved:
    """The two addresses, as the last part of their paths (22 characters)."""

    log: str
    delete: str


class Logs(Protocol):
    """The saved logs (`server.data.logs.saved_logs.SavedLogs`). Each raises StoreAway."""

    async def shaped(self, text: str, shape: Callable[[Transcript], Shape]) -> Shape | None:
        """What `shape` makes, in a thread, of the log behind an address; None where there is none. Raises ObjectsAway and Crowded too."""

    async def exists(self, text: str) -> bool:
        """Whether a delete address still opens something."""

    async def delete_by_secret(self, text: str) -> bool:
        """Remove the log of a delete address. False: there is none."""

    async def delete_by_participant(self, text: str, identity: int) -> bool:
        """Remove a log on the word of one of its two people, proved by the identity cookie."""


class Elections(Protocol):
    """Whose key an epoch has, where hosts share a database (`server.data.database.key_fingerprints.Fingerprints`)."""

    async def epochs(self) -> dict[int, bytes]:
        """The check values of the epochs that the database knows and whose time is not over. Raises StoreAway."""

    async def elect(self, epoch: int, value: bytes) -> bytes:
        """Propose a key by its check value; that of the key which the epoch has. Raises StoreAway."""

    def over(self, epoch: int) -> bool:
        """Whether the key of this epoch had to go."""


class Keeper(Protocol):
    """Who takes what chats leave: the store, or the way to it from another process of this host."""

    def record(self, chat: Record) -> bool:
        """Take a chat's record; never blocks. False: lost, and counted."""

    async def save(self, transcript: Transcript, parties: Iterable[Party], by: Party) -> Saved:
        """Keep a log for `by`, one of the parties. Raises NotSaved."""


class Store(Keeper, Protocol):
    """What is kept, of one process. `ready`: the database is open, and `schema` its revision then."""

    ready: bool
    schema: str

    def country(self, address: str) -> str | None:
        """Return the two letters of the country of an address, if they are known."""

    @property
    def epochs(self) -> EpochKeys:
        """The keys of live pseudonyms."""

    @property
    def elections(self) -> Elections:
        """Whose key an epoch has."""

    @property
    def logs(self) -> Logs:
        """The saved logs, for the pages."""

    def missed(self, count: int) -> None:
        """So many records were lost before they came here."""

    def unwell(self) -> list[str]:
        """What does not reach the database now, and why."""

    def reading(self) -> Reading:
        """Numbers for the metrics."""

    async def close(self, within: float = 5.0) -> int:
        """Write what waits, for `within` seconds at most; how many records were lost by that."""

"""What the pages ask of rights, as protocols. Rule: nothing is imported here that a server without a store need not have."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from server.ops.metrics.exposition import Reading
from server.trust.data_requests.page_token import PageTokens
from server.trust.data_requests.proof import Proved
from server.trust.data_requests.request_states import Standing

Shape = TypeVar("Shape")


class QueueFull(RuntimeError):
    """Too many requests wait that nobody has proved."""


class Used(RuntimeError):
    """The agent's code was used for another request."""


class NoSuchRequest(ValueError):
    """There is no request of that number."""


@dataclass(frozen=True, slots=True)
class Step:
    """Whom a request was passed on to, how (`by_us`, `webhook`, `mail`, `contract`), what came of it, since when."""

    recipient: str
    how: str
    state: str
    at: int


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it may be read. `text`, `contact`: for operators, empty once they are gone."""

    number: str
    kind: str
    by: str
    level: int
    standing: Standing
    answer: str
    steps: tuple[Step, ...]
    text: str = ""
    contact: str = ""


class Deleting(Protocol):
    """`server.trust.rights.deletion.Deleting`."""

    @property
    def number(self) -> str:
        """The request's."""

    @property
    def due(self) -> int:
        """When it is removed, Unix seconds."""


class Deletions(Protocol):
    """`server.trust.rights.deletion.Deletion`. Each raises StoreAway."""

    @property
    def receipt_key(self) -> str:
        """By which receipts are checked."""

    async def ask(
        self, identity: int, now: int, *, records: bool = True, logs: bool = True, ident: str = ""
    ) -> Deleting:
        """Hide what is chosen at once, and remove it at its date."""

    async def state(self, identity: int, now: int) -> Deleting | None:
        """The newest deletion of a person."""


class Rights(Protocol):
    """`server.trust.rights.service.Rights`, the one implementation. What reaches the store raises StoreAway."""

    @property
    def tokens(self) -> PageTokens:
        """Of the pages' forms."""

    @property
    def deletion(self) -> Deletions:
        """What somebody asked to have deleted."""

    @property
    def now(self) -> float:
        """Unix seconds."""

    async def prove(self, text: str) -> Proved | None:
        """What a proof in writing opens."""

    async def log(self, text: str, shape: Callable[[Any], Shape]) -> Shape | None:
        """What `shape` makes of the saved log that a proof of level 2 opens; None: its text is not there. Raises ObjectsAway, Crowded."""

    async def open_of(self, identity: int) -> Sequence[tuple[str, str, str]]:
        """The running requests of a person: number, kind, state."""

    async def know(self, proved: Proved, by: str) -> tuple[str, dict[str, Any]]:
        """The request's number, and everything that is held about a person. Raises ObjectsAway, Used."""

    async def export(self, proved: Proved, by: str) -> AsyncIterator[bytes]:
        """The same as a ZIP, in pieces. Raises ObjectsAway, Used."""

    async def erase(self, proved: Proved, by: str, *, records: bool, logs: bool) -> Deleting:
        """Begin a deletion: hidden from now on. Raises Used."""

    async def cancel(self, identity: int) -> bool:
        """Take a deletion back. False: there is none that can be."""

    async def restrict(self, identity: int) -> str:
        """Hide and keep what is held, while there is a dispute; the request's number."""

    async def object(self, identity: int, text: str) -> str:
        """The same, until an objection is answered."""

    async def release(self, identity: int) -> None:
        """End that, at the person's own word."""

    async def key(self, identity: int, *, revoke: bool) -> str:
        """A new rights key; `revoke`: no older key or code opens anything any more."""

    def code(self, identity: int, scope: frozenset[str]) -> str:
        """A code for an agent."""

    async def ticket(self, kind: str, text: str, contact: str) -> tuple[str, str]:
        """A request that nothing proves: its number, and the secret with which its asker reads its state. Raises QueueFull."""

    async def find(self, number: str, proof: str, identity: int) -> Request | None:
        """A request for who may read it."""

    async def start(self) -> None:
        """Look at the clocks from now on."""

    async def close(self) -> None:
        """Look no more."""

    def reading(self) -> Reading:
        """Numbers for the metrics."""

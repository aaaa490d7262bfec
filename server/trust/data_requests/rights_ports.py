"""Define the protocols (`typing.Protocol`) by which web pages and the API use the data rights service.

**Invariant:** this module imports nothing that only a server with a database needs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from server.ops.metrics.metric_type import Reading
from server.trust.data_requests.form_tokens import PageTokens
from server.trust.data_requests.identity_proof import Proof
from server.trust.data_requests.request_states import RequestState

Shape = TypeVar("Shape")


class QueueFull(RuntimeError):
    """Too many requests without a proof wait."""


class Used(RuntimeError):
    """The agent's code was used for another request."""


class NoSuchRequest(ValueError):
    """No request has this number."""


HOURS: Final = 72 * 3600  # seconds to notify the authority (GDPR 33)


@dataclass(frozen=True, slots=True)
class Step:
    """A deletion passed on: the recipient, the state (`server.trust.rights.recipient_notices.STATES`), and since when."""

    recipient: str
    state: str
    at: int


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it may be read. `text`, `contact`: for operators, empty after their deletion."""

    number: str
    kind: str
    by: str
    level: int
    standing: RequestState
    answer: str
    steps: tuple[Step, ...]
    text: str = ""
    contact: str = ""


class DeletionState(Protocol):
    """Port of `server.trust.rights.deletion.DeletionState`."""

    @property
    def number(self) -> str:
        """The number of its request."""

    @property
    def due(self) -> int:
        """Unix seconds of the removal."""


@dataclass(frozen=True, slots=True)
class Incident:
    """A published incident. Times in Unix seconds; `people`: about how many it concerns, 0 if unknown."""

    number: str
    aware: int
    opened: int
    notified: int | None
    closed: int | None
    authority: str
    categories: str
    people: int
    words: str
    why: str

    @property
    def due(self) -> int:
        """The end of the time to notify the authority."""
        return self.aware + HOURS


class Deletions(Protocol):
    """Port of `server.trust.rights.deletion.Deletion`. Each method raises StoreAway."""

    @property
    def receipt_key(self) -> str:
        """The public key of receipts."""

    async def ask(
        self, identity: int, now: int, *, records: bool = True, logs: bool = True, ident: str = ""
    ) -> DeletionState:
        """Hide what is chosen at once, and remove it at its date."""

    async def state(self, identity: int, now: int) -> DeletionState | None:
        """Return a person's newest deletion, or None."""


class Rights(Protocol):
    """Port of `server.trust.rights.service.Rights`, the one implementation. Methods that reach the store raise StoreAway."""

    @property
    def tokens(self) -> PageTokens:
        """Tokens of the pages' forms."""

    @property
    def deletion(self) -> Deletions:
        """Deletions of persons' data."""

    @property
    def now(self) -> float:
        """Unix seconds."""

    async def prove(self, text: str) -> Proof | None:
        """Check a written proof. Return what it opens, or None."""

    async def log(self, text: str, shape: Callable[[Any], Shape]) -> Shape | None:
        """Return the result of `shape` on the saved log that a proof of level 2 opens; None if its text is missing. Raises ObjectsAway, Crowded."""

    async def open_of(self, identity: int) -> Sequence[tuple[str, str, str]]:
        """Return (number, kind, state) of a person's open requests."""

    async def know(self, proved: Proof, by: str) -> tuple[str, dict[str, Any]]:
        """Return the request's number, and all data about a person. Raises ObjectsAway, Used."""

    async def export(self, proved: Proof, by: str) -> AsyncIterator[bytes]:
        """Return the same as a ZIP, in pieces. Raises ObjectsAway, Used."""

    async def erase(self, proved: Proof, by: str, *, records: bool, logs: bool) -> DeletionState:
        """Begin a deletion: the data is hidden from now on. Raises Used."""

    async def cancel(self, identity: int) -> bool:
        """Cancel a deletion. False: none can be cancelled."""

    async def restrict(self, identity: int) -> str:
        """Hide and keep a person's data during a dispute. Return the request's number."""

    async def object(self, identity: int, text: str) -> str:
        """Hide and keep a person's data until an objection is answered. Return the request's number."""

    async def release(self, identity: int) -> None:
        """End restriction and objection at the person's own request."""

    async def key(self, identity: int, *, revoke: bool) -> str:
        """Return a new rights key. `revoke`: all older keys and codes become invalid."""

    def code(self, identity: int, scope: frozenset[str]) -> str:
        """Return a code for an agent."""

    async def ticket(self, kind: str, text: str, contact: str) -> tuple[str, str]:
        """Store a request without a proof. Return its number, and the secret that reads its state. Raises QueueFull."""

    async def claim(self, number: str, secret: str, identity: int) -> str | None:
        """Attach a request that came by mail, known by its secret, to a proved person. Return its number, or None. Raises NotAllowed."""

    async def find(self, number: str, proof: str, identity: int) -> Request | None:
        """Return a request if this proof or identity may read it, or None."""

    @property
    def incident(self) -> dict[str, Any] | None:
        """The banner's incident: `since`; None without a recent one."""

    async def published_incidents(self) -> Sequence[Incident]:
        """Return all incidents, newest first."""

    def on_look(self, looked: Callable[[], None]) -> None:
        """Call `looked` after each look at the clocks."""

    async def start(self) -> None:
        """Start the clocks."""

    async def close(self) -> None:
        """Stop the clocks."""

    def reading(self) -> Reading:
        """Return the values of the metrics."""

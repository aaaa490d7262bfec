"""What the engine needs from outside, as protocols: Bus, Members, Matcher, Store, and the few functions of the server..



Each interface has one implementation for one process; workers and many hosts will bring their own (design.md, "From
one process to many hosts"). An address says where a session lives: (node, worker, session, generation).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from engine.bus_messages import Letter
    from engine.matching.lobby import Match, Pool, Step, Ticket
    from engine.session import Session
    from ext.match.interner import Ids

Address = tuple[int, int, int, int]


class Bus(Protocol):
    """Ordered, bounded, at most once; the only way from one session to another."""

    def send(self, address: Address, message: "Letter") -> None:
        """Take `message` for the session at `address`; it arrives by `Engine.deliver`, later."""


class Members(Protocol):
    """Who is there: the workers, and which of them died."""

    def alive(self, node: int, worker: int) -> bool:
        """Whether that worker is known and answers."""


class Matcher(Protocol):
    """The waiting room; `Lobby` is the one for one process. Clients are session numbers."""

    def submit(self, ticket: "Ticket", now: float) -> "Match | None":
        """Look for a partner at once, or wait. A second ticket of a client replaces the first and keeps its age."""

    def cancel(self, client: int, now: float, reason: str = "cancelled") -> bool:
        """Forget the client's ticket; False where there is none."""

    def set_aside(self, client: int, now: float) -> bool:
        """The client is away: nobody meets them, their ticket keeps its age."""

    def restore(self, client: int, now: float) -> "Match | None":
        """The client is back."""

    def advance(self, now: float, most: int | None = None) -> "tuple[list[Match], list[Step]]":
        """What time brought: pairs that pass by now, and tickets that took a step, `most` of them at once."""

    def due(self) -> float | None:
        """When `advance` has something to do; None: never."""

    def status(self, client: int, now: float) -> "Step | None":
        """Where the client's ticket stands; None where it does not wait."""

    def waiting(self, pool: "Pool") -> int:
        """How many wait in a pool."""

    def intern(self, words: Sequence[str]) -> "Ids":
        """Numbers of interests, in the same order; raises BadInterest, InternFull."""

    def words(self, ids: Iterable[int]) -> list[str]:
        """What numbers in use stand for, normalised."""

    def release(self, ids: Iterable[int]) -> None:
        """The numbers that `intern` gave are needed no more."""

    counts: dict[str, int]  # tickets by what became of them

    def sizes(self) -> "dict[Pool, int]":
        """How many wait, by pool."""

    def figures(self) -> dict[str, int]:
        """The index in numbers, for the metrics."""


class Ring(Protocol):
    """The numbered messages of one chat (`ext.net.ring.Ring`)."""

    @property
    def last(self) -> int: ...
    def taken(self, side: int) -> int: ...
    def refused(self, side: int) -> list[int]: ...
    def missed(self, side: int, after: int) -> int: ...
    def end(self) -> None: ...
    def lines(self) -> list[tuple[int, int, int, bytes]]: ...


class Rings(Protocol):
    """Makes rings within one budget (`ext.net.ring.Rings`)."""

    def new(self) -> Ring: ...
    def counters(self) -> dict[str, int]: ...


class Store(Protocol):
    """What is kept: chats, reports, saved logs. Asked by `Keep` effects; answered by `Engine.saved`."""

    def keep(self, item: Any) -> None:
        """Take a record; never blocks."""


def nothing(_: str, __: "Session") -> None:
    """An opener of proofs where there are none."""


def no_servers(_: "Session") -> list[dict[str, Any]]:
    """The ICE servers where there are none."""
    return []


def unread(body: dict[str, Any]) -> dict[str, Any] | None:
    """A signal passes as it is."""
    return body


@dataclass(frozen=True, slots=True)
class Outside:
    """Functions of the server that the engine calls: they hold keys and randomness, which the engine has not."""

    number: Callable[[], int]  # an unguessable number of up to 63 bits, for a chat's id
    open_token: "Callable[[str, Session], int | None]" = nothing  # a resume token, to the key inside
    open_proof: "Callable[[str, Session], str | None]" = nothing  # a college proof to the domain
    ice: "Callable[[Session], list[dict[str, Any]]]" = no_servers  # RTCIceServer list for a call
    # a signal without addresses other than a relay's; None: nothing is left of it
    scrub: Callable[[dict[str, Any]], dict[str, Any] | None] = unread

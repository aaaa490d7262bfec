"""What the engine needs from outside, as protocols. Rule: each is used as a type and has an implementation.

Bus: `server.realtime.worker.local_bus`. Out: `server.realtime.worker.engine_output`. Room: `engine.rooms.waiting_room`. Matcher:
`engine.matching.lobby`. Outside: functions that
`server.realtime.worker.worker_loop` and `server.main.parts.worker_parts` give. The memory of chats needs no protocol: `ext.net.ring` is below the
engine.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from engine.core.bus_messages import BusMessage as BusMessage
from engine.core.session import Session
from engine.core.session_address import Address as Address
from engine.matching.spy_queue import SpyMatch, Wish
from engine.matching.tickets import Match, Pool, Step, Ticket
from engine.wire.errors import BadField as BadField
from engine.wire.errors import Refusal as Refusal
from ext.net.ring import Ring


class Bus(Protocol):
    """Ordered, at most once; the only way from one session to another."""

    inbox: deque[
        tuple[Address, BusMessage]
    ]  # what arrived here and is to be told by `Engine.deliver`, the oldest first

    def send(self, address: Address, message: BusMessage) -> None:
        """Take `message` for the session at `address`; it stands in the inbox there, now or later."""


class Out(Protocol):
    """What the engine wants done: at once, in the order in which it shall appear on the wire. `conn` names a live connection.

    A connection is a number that the reactor gives (0: none). None of these calls the engine back but `keep`, which may refuse a `save`
    at once (`Engine.saved`).
    """

    def send(self, conn: int, frame: bytes) -> None:
        """Send one frame, already encoded."""

    def link(self, conn: int, ring: Ring, side: int) -> None:
        """`conn` takes its seat: what side 0 or 1 says goes into `ring` and to whoever else is linked to it; 2 watches."""

    def unlink(self, conn: int) -> None:
        """The chat is over for `conn`; what was taken before has been sent."""

    def say(self, conn: int, text: bytes, id: bytes | None) -> None:
        """A message that is valid but not canonical: `text` and `id` are JSON strings without their quotes."""

    def typing(self, conn: int, typing: bool) -> None:
        """`conn` types, or stopped."""

    def signal(self, conn: int, frame: bytes) -> None:
        """A WebRTC signal of `conn`, checked and encoded, for its partner."""

    def refuse(self, conn: int) -> None:
        """A `message` frame of `conn` was refused: it counts as taken, and its ordinal is remembered."""

    def adopt(self, conn: int, session: Session) -> None:
        """`conn` carries `session` from now on."""

    def replay(self, conn: int, ring: Ring, side: int, after: int) -> None:
        """Send `conn` what `side` missed after number `after`."""

    def close(self, conn: int, code: int, frame: bytes | None) -> None:
        """Send `frame` where there is one, then close with `code`."""

    def keep(self, item: Any) -> None:
        """Something for the store; only asked for where there is one."""


class Room(Protocol):
    """Where who looks for somebody waits, here (`engine.rooms.waiting_room`) or in another process (`engine.rooms.remote_room`). Clients are
    session ids."""

    @property
    def counts(self) -> dict[str, int]:
        """Tickets by what became of them."""

    def submit(self, ticket: Ticket | Wish, now: float) -> Match | SpyMatch | None:
        """Meet somebody, or wait. A client's second ticket replaces the first of its kind and has its age."""

    def status(self, client: int, now: float) -> Step | None:
        """What the client takes now; None: it does not wait, or it will be told."""

    def cancel(self, client: int, now: float, reason: str = "cancelled") -> None:
        """Wait no more."""

    def set_aside(self, client: int, now: float) -> None:
        """The client is away: nobody meets them, their place grows older."""

    def restore(self, client: int, now: float) -> Match | SpyMatch | None:
        """The client is back."""

    def advance(self, now: float) -> tuple[list[Match | SpyMatch], list[Step]]:
        """What time brought."""

    def due(self) -> float | None:
        """When `advance` has something to do; None: never."""

    def asked(self, question: str, language: str, now: float) -> None:
        """A question that may be asked again."""

    def leave(self, client: int, now: float) -> tuple[Ticket | Wish, bool] | None:
        """Take a ticket or a wish out, to go on elsewhere: it, and whether it was set aside."""

    def enter(self, ticket: Ticket | Wish, aside: bool, now: float) -> Match | SpyMatch | None:
        """One that waited elsewhere waits on, as it stood there, or meets somebody."""

    def clients(self) -> list[int]:
        """Who waits, those longest here first, then who is set aside."""

    def pace(self, now: float) -> dict[str, Any]:
        """What the room knows beside who waits."""

    def take_pace(self, pace: dict[str, Any], now: float) -> None:
        """What `pace` said elsewhere."""

    def figures(self) -> dict[str, int]:
        """The index in numbers, for the metrics."""

    def sizes(self) -> dict[tuple[str, str], int]:
        """How many wait, by mode and language."""

    def spy_sizes(self) -> tuple[int, int]:
        """How many wait to ask, and to discuss."""

    def spy_waits(self, now: float) -> tuple[float, float]:
        """How long who asks, and who discusses, waits, in seconds."""


class Matcher(Protocol):
    """The waiting room for two, of one process: `engine.matching.lobby`. Clients are session ids."""

    counts: dict[str, int]  # tickets by what became of them

    def submit(self, ticket: Ticket, now: float) -> Match | None:
        """Look for a partner at once, or wait. A second ticket of a client replaces the first and has its age."""

    def cancel(self, client: int, now: float, reason: str = "cancelled") -> bool:
        """Forget the client's ticket; False where there is none."""

    def set_aside(self, client: int, now: float) -> bool:
        """The client is away: nobody meets them, their ticket grows older."""

    def restore(self, client: int, now: float) -> Match | None:
        """The client is back."""

    def leave(self, client: int, now: float) -> tuple[Ticket, bool] | None:
        """Take the client's ticket out, to go on elsewhere: it, and whether it was set aside."""

    def enter(self, ticket: Ticket, aside: bool, now: float) -> Match | None:
        """A ticket that waited elsewhere waits on, as it stood there, or meets somebody."""

    def clients(self) -> list[int]:
        """Who waits, those longest here first, then who is set aside."""

    def pace(self, now: float) -> list[tuple[Pool, list[int]]]:
        """How many came lately, by pool."""

    def take_pace(self, pool: Pool, lately: list[int], now: float) -> None:
        """Those came elsewhere."""

    def advance(self, now: float, most: int | None = None) -> tuple[list[Match], list[Step]]:
        """What time brought: pairs that pass by now, and tickets that took a step, `most` of them at once."""

    def due(self) -> float | None:
        """When `advance` has something to do; None: never."""

    def status(self, client: int, now: float) -> Step | None:
        """Where the client's ticket stands; None where it does not wait."""

    def stand(self, client: int) -> tuple[int, float | None, int]:
        """What became of a waiting client's ticket so far: its level, its next step, how often its floor fell."""

    def sizes(self) -> dict[Pool, int]:
        """How many wait, by pool."""

    def figures(self) -> dict[str, int]:
        """The index in numbers, for the metrics."""


def nothing(_: str, __: Session) -> None:
    """An opener of tokens and proofs where there are none."""


def no_servers(_: Session) -> list[dict[str, Any]]:
    """The ICE servers where there are none."""
    return []


def unread(body: dict[str, Any]) -> dict[str, Any] | None:
    """A signal passes as it is."""
    return body


def no_receipt() -> str:
    """Reports are counted, and nobody will tell what came of them."""
    return ""


def nothing_unseen(_: Session) -> tuple[str, bytes] | None:
    """Nobody is given a notice."""
    return None


def never_given(_: Session, __: str) -> bool:
    """Of no notice."""
    return False


def no_token(_: int) -> tuple[str, int]:
    """Nobody can be told again by a token."""
    return "", 0


def no_persons(_: Sequence[str]) -> tuple[int, ...]:
    """Of tokens that nobody made."""
    return ()


def never_moved(_: int) -> bool:
    """There is no other process."""
    return False


def nobody_to_call(_: Session) -> Sequence[dict[str, str]]:
    """Where nobody is known."""
    return ()


def no_challenge(_: Session, __: int) -> float:
    """Nobody makes challenges: who is asked for one waits no second."""
    return 0.0


def no_answer(_: Session, __: int, ___: str, ____: str) -> bool | None:
    """No answer is right."""
    return False


def nobody_else(_: int, __: str, ___: int) -> None:
    """No other process has people."""


def nobody_hears(_: int, __: float) -> None:
    """The same, of whose video is off."""


def no_time() -> int:
    """The time that lines without one have."""
    return 0


def nobody_reads(_: int, __: bytes) -> None:
    """No program looks at what is said."""


def no_facts(_: Session, __: str) -> dict[str, Any]:
    """A report is taken, and there is no more to say."""
    return {}


def no_pictures(_: str, __: tuple[int, ...]) -> tuple[str, ...]:
    """Nobody looks at cameras."""
    return ()


def even() -> float:
    """A draw that is none: in the middle."""
    return 0.5


@dataclass(frozen=True, slots=True)
class Outside:
    """Functions of the server that the engine calls: they have keys and randomness, which the engine has not."""

    new_id: Callable[[], int]  # an unguessable id of up to 63 bits, for a chat
    open_token: Callable[[str, Session], int | None] = nothing  # a resume token, to the key inside
    open_proof: Callable[[str, Session], str | None] = nothing  # a college proof to the domain
    ice: Callable[[Session], list[dict[str, Any]]] = no_servers  # RTCIceServer list for a call
    # where a reporter will read what came of it: an unguessable path; empty: nowhere
    receipt: Callable[[], str] = no_receipt
    # what `reported` says beside the receipt, by reason
    report_facts: Callable[[Session, str], dict[str, Any]] = no_facts
    # whom to call where somebody may get hurt, the nearest first
    helped: Callable[[Session], Sequence[dict[str, str]]] = nobody_to_call
    # the oldest notice not read: its id and frame
    unseen: Callable[[Session], tuple[str, bytes] | None] = nothing_unseen
    # they read the notice with this id; False: it was never theirs
    seen: Callable[[Session, str], bool] = never_given
    # a person to a token, and until when it is good (Unix seconds)
    make_avoid: Callable[[int], tuple[str, int]] = no_token
    # tokens to persons; what is none of ours is left out
    open_avoid: Callable[[Sequence[str]], tuple[int, ...]] = no_persons
    # whether the session of a key may be on its way here from another process: then its `resume` waits for `Engine.arrived`
    elsewhere: Callable[[int], bool] = never_moved
    # make a challenge of a level for somebody, told by `Engine.challenge`: 0.0; seconds: they wait so long instead; -1.0: too many wait for one
    ask: Callable[[Session, int], float] = no_challenge
    # whether the answer (kind, response) to the challenge of a level is right; None: `Engine.judged` says so later
    check: Callable[[Session, int, str, str], bool | None] = no_answer
    # what is said before there is a chat, for whoever looks at lines: the chat's number, the question as a JSON string without its quotes
    asked: Callable[[int, bytes], None] = nobody_reads
    # somebody with an identity stands otherwise than before (`engine.conduct.age_answers`): identity, how, the age that they wrote
    aged: Callable[[int, str, int], None] = nobody_else
    # somebody with an identity has no video for so many seconds (`engine.conduct.video_pauses`): identity, seconds
    paused: Callable[[int, float], None] = nobody_hears
    # Unix seconds, as the rings have them
    unix: Callable[[], int] = no_time
    # a nonce for each of these sides of a chat, for pictures of its cameras; none: they cannot be looked at now
    snap: Callable[[str, tuple[int, ...]], tuple[str, ...]] = no_pictures
    # from 0 to below 1, unguessable: when cameras are looked at
    draw: Callable[[], float] = even
    # a signal without addresses other than a relay's; None: nothing is left of it; raises Refusal
    scrub: Callable[[dict[str, Any]], dict[str, Any] | None] = unread

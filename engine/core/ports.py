"""Declare what the engine needs from the server, as ports (typing protocols): bus, output, waiting room, matcher, functions of the server.

The server implements most of them in `server.realtime.worker`.
**Invariant:** each port is used as a type and has an implementation.
"""

# Implementations: Bus in `server.realtime.worker.local_bus`, Out in `server.realtime.worker.engine_output`,
# Room in `engine.rooms.local_waiting_room` and
# `engine.rooms.remote_waiting_room`, Matcher in `engine.matching.lobby`; the functions of Outside are in `server.realtime.worker.worker_loop` and
# `server.main.parts.worker_parts`. The engine imports `ext.net.chat_ring` (a chat's buffer of last lines) directly, so it has no port here.

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from engine.core.bus_messages import BusMessage as BusMessage
from engine.core.chat import Address as Address
from engine.core.session import Session
from engine.matching.kept_pairs import PairCall
from engine.matching.spy_queue import SpyMatch, Wish
from engine.matching.tickets import Match, Pool, Step, Ticket
from engine.wire.engine_errors import BadField as BadField
from engine.wire.engine_errors import Refusal as Refusal
from ext.net.chat_ring import Ring


class Bus(Protocol):
    """Ordered delivery, at most once, of messages between sessions; sessions reach each other by no other path."""

    inbox: deque[
        tuple[Address, BusMessage]
    ]  # messages for sessions here that `Engine.deliver` has not handled yet, oldest first

    def send(self, address: Address, message: BusMessage) -> None:
        """Queue `message` for the session at `address`; it reaches the inbox of its process, now or later."""


class Out(Protocol):
    """Effects that the engine asks for. They happen at once, in the order in which they appear on the wire.

    `conn` is a live connection, by the number that the reactor gave it (0: none). No call calls the engine back, except `keep`, which may
    refuse a `save` at once (`Engine.saved`).
    """

    def send(self, conn: int, frame: bytes) -> None:
        """Send one encoded frame."""

    def link(self, conn: int, ring: Ring, side: int) -> None:
        """Seat `conn` in a chat. Lines of side 0 or 1 are added to `ring` and relayed to the other linked connections; side 2 only receives."""

    def keep_limits(self, conn: int, session: Session) -> None:
        """Note in a session without a connection what is left of the limits of `conn`."""

    def unlink(self, conn: int) -> None:
        """Remove `conn` from its chat. Lines accepted before have been sent."""

    def say(self, conn: int, text: bytes, id: bytes | None) -> None:
        """Relay a message that is valid but not canonical: `text` and `id` are JSON strings without their quotes."""

    def typing(self, conn: int, typing: bool) -> None:
        """Relay that `conn` began or stopped typing."""

    def signal(self, conn: int, frame: bytes) -> None:
        """Relay a WebRTC signal of `conn`, checked and encoded, to its partner."""

    def refuse(self, conn: int) -> None:
        """Count a refused `message` frame of `conn` as accepted, and remember its ordinal."""

    def adopt(self, conn: int, session: Session) -> None:
        """Attach `session` to `conn`."""

    def replay(self, conn: int, ring: Ring, side: int, after: int) -> None:
        """Send `conn` the lines after number `after` that `side` missed."""

    def close(self, conn: int, code: int, frame: bytes | None) -> None:
        """Send `frame`, if given, then close with `code`."""

    def keep(self, item: Any) -> None:
        """Queue a record for the store; called only if a store is configured."""


def no_call(_: PairCall) -> None:
    """Tell no user."""


def no_pairs(_: int, __: Sequence[int]) -> None:
    """Tell no user."""


def no_wish(_: int, __: int, ___: int, ____: float) -> None:
    """Tell no user."""


@dataclass(frozen=True)
class Seats:
    """The engine, as the waiting room of another process calls it."""

    # begin the chat of a match; False: a client of it is not here, or may begin none
    meet: Callable[[Match | SpyMatch, float], bool]
    is_waiting: Callable[[int], bool]  # whether a client could begin a chat now
    tell: Callable[[Step], None]  # a search widened
    send_away: Callable[[int, float], None]  # there is no room for a client
    called: Callable[[PairCall], None] = no_call  # a user of a kept pair calls, or calls no more
    here: Callable[[int, Sequence[int]], None] = no_pairs  # these places of a client's pairs search now
    # a side of a chat, by its number, wants to meet this client again; it may have moved here: client, chat, side, now
    wanted: Callable[[int, int, int, float], None] = no_wish


class Room(Protocol):
    """Waiting room of the engine: `engine.rooms.local_waiting_room`, or `engine.rooms.remote_waiting_room` for one in another process.

    Clients are session ids.
    """

    @property
    def counts(self) -> dict[str, int]:
        """Number of tickets by outcome."""

    def submit(self, ticket: Ticket | Wish, now: float) -> Match | SpyMatch | None:
        """Match a ticket or a wish at once, or let it wait. A client's second one replaces the first of its kind and keeps its age."""

    def status(self, client: int, now: float) -> Step | None:
        """Return whom the client accepts now; None if it does not wait, or if the answer comes later."""

    def since(self, client: int) -> float | None:
        """Return when the client's search began; None: it does not wait, or the room does not know."""

    def cancel(self, client: int, now: float, reason: str = "cancelled") -> None:
        """Remove the client's ticket."""

    def set_aside(self, client: int, now: float) -> None:
        """Hold the ticket of a client that is away: it is not matched, and its age grows."""

    def restore(self, client: int, now: float) -> Match | SpyMatch | None:
        """Let the ticket of a client that is back wait again; it may be matched at once."""

    def advance(self, now: float) -> tuple[list[Match | SpyMatch], list[Step]]:
        """Return the matches and steps that are due at `now`."""

    def due(self) -> float | None:
        """Return when `advance` has work next; None: never."""

    def asked(self, question: str, language: str, now: float) -> None:
        """Remember a question that may be asked again."""

    @property
    def news(self) -> list[PairCall]:
        """Calls between kept pairs that were not told yet; the caller of the room's methods tells them and empties the list."""

    def here(self, client: int, halves: tuple[int, ...], person: int, now: float) -> list[int] | None:
        """Return the places of those halves whose other half searches now; None: the answer comes later."""

    def want(self, client: int, chat: int, side: int) -> None:
        """Pass on that a side of a chat, by its number, wants to meet this client again; it is not in this process."""

    def leave(self, client: int, now: float) -> tuple[Ticket | Wish, bool] | None:
        """Remove a ticket or wish that migrates. Return it and whether it was set aside."""

    def enter(self, ticket: Ticket | Wish, aside: bool, now: float) -> Match | SpyMatch | None:
        """Add a ticket or wish that migrated here, with its age; it may be matched at once."""

    def clients(self) -> list[int]:
        """Return the waiting clients, longest wait first, then those that are set aside."""

    def pace(self, now: float) -> dict[str, Any]:
        """Export what the room knows beside its tickets: recent arrivals, questions."""

    def take_pace(self, pace: dict[str, Any], now: float) -> None:
        """Import what `pace` exported in another process."""

    def figures(self) -> dict[str, int]:
        """Return the sizes of the index, for metrics."""

    def sizes(self) -> dict[tuple[str, str], int]:
        """Return how many wait, by mode and language."""

    def spy_sizes(self) -> tuple[int, int]:
        """Return how many wait to ask, and how many to discuss."""

    def talking(self) -> dict[str, int] | None:
        """Return how many users of all processes talk, by language; None: there is no other process."""

    def spy_waits(self, now: float) -> tuple[float, float]:
        """Return the longest wait of an asker and of a discusser, in seconds."""


class Matcher(Protocol):
    """Waiting room of one process for chats of two: `engine.matching.lobby`. Clients are session ids."""

    @property
    def counts(self) -> dict[str, int]:
        """Number of tickets by outcome."""

    def count(self, reason: str, tickets: int = 1) -> None:
        """Count tickets by outcome."""

    def submit(self, ticket: Ticket, now: float) -> Match | None:
        """Match a ticket at once, or let it wait. A second ticket of a client replaces the first and keeps its age."""

    def cancel(self, client: int, now: float, reason: str = "cancelled") -> bool:
        """Remove the client's ticket; return False if it has none."""

    def set_aside(self, client: int, now: float) -> bool:
        """Hold the ticket of a client that is away: it is not matched, and its age grows."""

    def restore(self, client: int, now: float) -> Match | None:
        """Let the ticket of a client that is back wait again; it may be matched at once."""

    def leave(self, client: int, now: float) -> tuple[Ticket, bool] | None:
        """Remove a ticket that migrates. Return it and whether it was set aside."""

    def enter(self, ticket: Ticket, aside: bool, now: float) -> Match | None:
        """Add a ticket that migrated here, with its age; it may be matched at once."""

    def clients(self) -> list[int]:
        """Return the waiting clients, longest wait first, then those that are set aside."""

    def pace(self, now: float) -> list[tuple[Pool, list[int]]]:
        """Export the recent arrivals, by pool."""

    def take_pace(self, pool: Pool, lately: list[int], now: float) -> None:
        """Import the recent arrivals of a pool from another process."""

    def advance(self, now: float, most: int | None = None) -> tuple[list[Match], list[Step]]:
        """Return the pairs that match by now and the tickets that took a step, at most `most` of them."""

    def due(self) -> float | None:
        """Return when `advance` has work next; None: never."""

    def status(self, client: int, now: float) -> Step | None:
        """Return the step at which the client's ticket is; None if it does not wait."""

    def waiting(self, client: int) -> Ticket | None:
        """Return the client's ticket, if it waits and is not set aside."""

    def sizes(self) -> dict[Pool, int]:
        """Return how many wait, by pool."""

    def figures(self) -> dict[str, int]:
        """Return the sizes of the index, for metrics."""


def nothing(_: str, __: Session) -> None:
    """Open no token and no proof."""


def no_token_made(_: int, __: int) -> str:
    """Make no token: nothing can be resumed."""
    return ""


def no_servers(_: Session) -> list[dict[str, Any]]:
    """Return no ICE server."""
    return []


def unread(body: dict[str, Any]) -> dict[str, Any] | None:
    """Pass a signal on unchanged."""
    return body


def no_receipt() -> str:
    """Give no receipt: reports are counted, and their outcome is not published."""
    return ""


def nothing_unseen(_: int, __: int) -> tuple[str, bytes] | None:
    """Return no notice."""
    return None


def never_given(_: int, __: int, ___: str) -> bool:
    """Acknowledge no notice."""
    return False


def no_token(_: int) -> tuple[str, int]:
    """Make no token for a person."""
    return "", 0


def no_persons(_: Sequence[str]) -> tuple[int, ...]:
    """Resolve no token."""
    return ()


def no_pair_token(_: int, __: int) -> tuple[str, int]:
    """Make no token for a pair."""
    return "", 0


def no_halves(_: Sequence[str], __: int) -> tuple[int, ...]:
    """Resolve no token of a pair."""
    return ()


def never_moved(_: int) -> bool:
    """Report that no other process has a session."""
    return False


def no_help_lines(_: Session) -> Sequence[dict[str, str]]:
    """Return no emergency number."""
    return ()


def no_challenge(_: Session, __: int) -> float:
    """Make no challenge, and let the client search without delay."""
    return 0.0


def no_answer(_: Session, __: int, ___: str, ____: str) -> bool | None:
    """Accept no answer."""
    return False


def no_age_broadcast(_: int, __: str, ___: int) -> None:
    """Send the age answer to no other process."""


def no_pause_broadcast(_: int, __: float) -> None:
    """Send the video pause to no other process."""


def no_detection_broadcast(_: int, __: str, ___: int) -> None:
    """Count the detection in no other process."""


def no_time() -> int:
    """Return time 0."""
    return 0


def no_question_screening(_: int, __: bytes) -> None:
    """Show the question to no screening program."""


def no_facts(_: Session, __: str) -> dict[str, Any]:
    """Add nothing to the answer to a report."""
    return {}


def no_pictures(_: str, __: tuple[int, ...]) -> tuple[str, ...]:
    """Make no nonce: cameras are not checked."""
    return ()


def no_upload_key(_: str, __: int) -> str:
    """Make no key: users send no pictures."""
    return ""


def no_end_of_pictures(_: str) -> None:
    """Tell nothing."""


def no_withdrawal(_: str) -> None:
    """Tell nothing."""


def even() -> float:
    """Return the middle of the range."""
    return 0.5


@dataclass(frozen=True, slots=True)
class Outside:
    """Functions of the server that the engine calls: they hold keys and randomness, which the engine does not."""

    new_id: Callable[[], int]  # an unguessable id of up to 63 bits, for a chat
    open_token: Callable[[str, Session], int | None] = nothing  # a resume token, to the key inside
    make_token: Callable[[int, int], str] = no_token_made  # (key, identity) to a resume token
    open_proof: Callable[[str, Session], str | None] = nothing  # a college proof to the domain
    ice_servers: Callable[[Session], list[dict[str, Any]]] = no_servers  # RTCIceServer list for a call
    # path where a reporter can read the outcome, unguessable; empty: none
    make_receipt_url: Callable[[], str] = no_receipt
    # further fields of `reported`, by reason
    report_facts: Callable[[Session, str], dict[str, Any]] = no_facts
    # emergency numbers for a user who may get hurt, nearest first
    help_lines: Callable[[Session], Sequence[dict[str, str]]] = no_help_lines
    # id and frame of the oldest notice that (identity, session id) has not read
    oldest_notice: Callable[[int, int], tuple[str, bytes] | None] = nothing_unseen
    # acknowledge that (identity, session id) read the notice of this id; False: it is not one of this user's
    acknowledge_notice: Callable[[int, int, str], bool] = never_given
    # make a token for a person; returns it and its expiry in Unix seconds
    make_avoid: Callable[[int], tuple[str, int]] = no_token
    # persons of tokens; foreign tokens are skipped
    open_avoid: Callable[[Sequence[str]], tuple[int, ...]] = no_persons
    # make a token for a half of a kept pair and the identity of its holder; returns it and its expiry in Unix seconds
    make_pair: Callable[[int, int], tuple[str, int]] = no_pair_token
    # the halves of tokens, for this identity, in their order; 0 for a token that is invalid, expired or another's
    open_pairs: Callable[[Sequence[str], int], tuple[int, ...]] = no_halves
    # whether the session of a key may be migrating to this process: its `resume` then waits for `Engine.arrived`
    may_be_migrating: Callable[[int], bool] = never_moved
    # whether another process may have resumed the session of this id, which is here: a `resume` waits likewise, if `may_be_migrating` says so
    is_doubted: Callable[[int], bool] = never_moved
    # make a challenge of a level, delivered by `Engine.challenge`. Returns 0.0; seconds to wait instead; -1.0 if too many wait for one
    make_challenge: Callable[[Session, int], float] = no_challenge
    # whether the answer (kind, response) to the challenge of a level is right; None: `Engine.judged` gives the verdict later
    check_answer: Callable[[Session, int, str, str], bool | None] = no_answer
    # give the screening program the question of a chat before its first line: the chat's number, the question as a JSON string without its quotes
    screen_question: Callable[[int, bytes], None] = no_question_screening
    # publish the age answer of a user with an identity (`engine.conduct.age_answers`): identity, answer, the age that they wrote
    publish_age: Callable[[int, str, int], None] = no_age_broadcast
    # publish a video pause of a user with an identity (`engine.conduct.video_pauses`): identity, seconds
    publish_pause: Callable[[int, float], None] = no_pause_broadcast
    # publish a detection that counts for a day, of a user with an identity (`engine.conduct.daily_detections`): identity, class, chat
    publish_detection: Callable[[int, str, int], None] = no_detection_broadcast
    # Unix seconds, as in the rings
    unix_time: Callable[[], int] = no_time
    # make a nonce for each of these sides of a chat, for pictures of its cameras; empty: cameras cannot be checked now
    make_nonces: Callable[[str, tuple[int, ...]], tuple[str, ...]] = no_pictures
    # make a key under which a side of a chat can upload a picture for its partner; empty: none are taken
    make_upload_key: Callable[[str, int], str] = no_upload_key
    # give out the pictures of a chat no more: it ended
    end_pictures: Callable[[str], None] = no_end_of_pictures
    # give out the picture with this key no more: it is not shown
    withdraw_picture: Callable[[str], None] = no_withdrawal
    # draw an unguessable number in [0, 1), for the times of camera checks
    draw_number: Callable[[], float] = even
    # remove all addresses from a signal but a relay's; None: nothing is left. Raises Refusal
    scrub: Callable[[dict[str, Any]], dict[str, Any] | None] = unread

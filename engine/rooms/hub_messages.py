"""Encode and decode the messages between workers and the hub: JSON arrays (rows) whose first element is the kind.

**Invariant:** only this module knows the layout of rows. Rows hold durations ("3 s ago") in place of times, and interests as words, since
times and numbers differ between processes.
"""

# Worker to hub:
#
#     ticket  client number pool words strict person recent barred also age level step fallen status
#     wish    client number asks language person barred age status
#     cancel  client reason          leave client        aside client        back client
#     done    match [client, person]…                    failed match
#     bar     person partner networks                    asked question language
#     pairs   client number halves calls    kept pairs of the ticket in the next row
#     here    client person halves   ask which other halves search
#     want    client chat side       side of a chat wants to meet the client again, whose session is in another process
#     more                           these were not all waiting tickets: answer `on`
#
# Hub to worker:
#
#     step    client number level step fallen accepts widens others
#     meet    match who …            see `Meeting`
#     go      client to meet         migrate the client to this worker, with its row `meet`
#     full    client number          there is no place for its ticket
#     ask     client                 repeat the client's ticket, if it waits
#     called  client half mode on    the other half of the client's pair calls, or calls no more
#     here    client places          the answer
#     wanted  client chat side       to each other worker: the client may be there
#     again                          repeat all tickets; `on`: continue to
#
# `status`: NEW, an arrival; WAITS or AWAY, a ticket that waited before. `number` distinguishes the tickets of a client within one process. Rows hold
# ages, never times; words, never their ids.

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from engine.matching.lobby import MOST_AVOIDED
from engine.matching.spy_queue import Wish
from engine.matching.tickets import Pool, Ticket

TICKET: Final = "ticket"
WISH: Final = "wish"
CANCEL: Final = "cancel"
LEAVE: Final = "leave"
ASIDE: Final = "aside"
BACK: Final = "back"
DONE: Final = "done"
FAILED: Final = "failed"
BAR: Final = "bar"
ASKED: Final = "asked"
STEP: Final = "step"
MEET: Final = "meet"
GO: Final = "go"
ASK: Final = "ask"
FULL: Final = "full"
MORE: Final = "more"
PAIRS: Final = "pairs"
HERE: Final = "here"
CALLED: Final = "called"
WANT: Final = "want"
WANTED: Final = "wanted"
AGAIN: Final = "again"
ON: Final = "on"

NEW: Final = 0
WAITS: Final = 1
AWAY: Final = 2

Row = list[Any]


class Member(NamedTuple):
    """Member of a meeting: client, number of its ticket in the worker where it waited, that worker."""

    client: int
    number: int
    worker: int


class Meeting(NamedTuple):
    """Two or three matched users, as in a row. The spy of three is the first (`spies`), if there is one."""

    id: int  # number of the match, given by the hub
    who: tuple[Member, ...]
    waited: tuple[float, ...]
    words: tuple[str, ...] = ()  # common interests, normalised, rarest first
    weight: float = 0.0
    rule: str = ""  # the rule that allowed a pair; empty: spy mode
    spies: bool = False
    question: str | None = None

    @classmethod
    def of(cls, row: Sequence[Any]) -> "Meeting":
        """Decode a row. Raises TypeError, ValueError."""
        _, id, who, waited, words, weight, rule, spies, question = row
        members = tuple([_member(one) for one in who])
        return cls(id, members, tuple(waited), tuple(words), weight, rule, spies, question)


def number_in(row: Sequence[Any], client: int) -> int:
    """Return the number of a client's ticket in the row of a meeting. Raises TypeError, ValueError."""
    for one, number, _ in row[2]:
        if one == client:
            found: int = number
            return found
    raise ValueError(f"{client} is not of this meeting")


def ticket_row(ticket: Ticket | Wish, number: int, words: Sequence[str], status: int, now: float) -> Row:
    """Encode a ticket or a wish with its progress. `words`: its interests."""
    age = now - ticket.since
    if isinstance(ticket, Wish):
        return [WISH, ticket.client, number, ticket.asks, ticket.language, ticket.person, ticket.avoid, age, status]
    level, step, fallen = ticket.progress()
    return [
        TICKET, ticket.client, number, list(ticket.pool), words, ticket.strict, ticket.person, ticket.recent, ticket.blocked,
        [list(pool) for pool in ticket.also], age, level, None if step is None else step - now, fallen, status,
    ]  # fmt: skip


def read_ticket(row: Row, now: float) -> tuple[Ticket, list[str], int]:
    """Decode a ticket without its interests, their words, and `status`. Raises TypeError, ValueError."""
    _, client, number, pool, words, strict, person, recent, barred, also, age, level, step, fallen, status = row
    ticket = Ticket(
        client, _pool(pool), (), strict, person, tuple(recent), now - age, blocked=tuple(barred[-MOST_AVOIDED:]),
        also=tuple([_pool(one) for one in also]),
    )  # fmt: skip
    ticket.number = number
    ticket.set_progress(level, None if step is None else now + step, fallen)
    return ticket, words, status


def read_wish(row: Row, now: float) -> tuple[Wish, int]:
    """Decode a wish and `status`. Raises TypeError, ValueError."""
    _, client, _, asks, language, person, avoid, age, status = row
    return Wish(client, asks, language, person, tuple(avoid), now - age), status


# Making a named tuple by its class is an interpreter call that costs as much as the rest of the row, so it is made from a list here.


def _pool(fields: Sequence[str]) -> Pool:
    return tuple.__new__(Pool, fields) if len(fields) == len(Pool._fields) else Pool(*fields)


def _member(fields: Sequence[int]) -> Member:
    if len(fields) != len(Member._fields):
        raise ValueError(fields)
    return tuple.__new__(Member, fields)


def is_meeting(row: Any) -> bool:
    """Whether a row is a valid meeting; one of another host may be anything."""
    match row:
        case [
            "meet", int(), [*who], [int() | float(), int() | float()], [*words], int() | float(), str(rule), bool(spies), str() | None,
        ]:  # fmt: skip
            return (
                len(who) == 2 + spies
                and not (spies and rule)
                and all(type(one) is list and list(map(type, one)) == [int, int, int] for one in who)
                and all(type(word) is str for word in words)
            )
    return False

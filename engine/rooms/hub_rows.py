"""What a worker and the hub tell each other, as rows of JSON: the kind first. Rule: written and read here and nowhere else.

Worker to hub:

    ticket  client number pool words strict person recent barred also age level step fallen stands
    wish    client number asks language person barred age stands
    cancel  client reason          leave client        aside client        back client
    done    match [client, person]…                    failed match
    bar     person partner networks                    asked question language
    more                           these were not all who wait: say `on`

Hub to worker:

    step    client number level step fallen accepts widens others
    meet    match who …            see `Meeting`
    go      client to meet         to which worker, and the row `meet` for there
    full    client number          there is no room for it
    ask     client                 say your ticket of it again, if it waits
    again                          say all of them again, as they stand; `on`: go on with that

`stands`: NEW, an arrival; WAITS or AWAY, what waited before. `number` tells tickets of a
client apart, those of one process alone. Ages, never times; words, never their numbers.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from engine.matching.lobby import MOST_AVOIDED
from engine.matching.spy_queue import SpyMatch, Wish
from engine.matching.tickets import Match, Pool, Ticket

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
AGAIN: Final = "again"
ON: Final = "on"

NEW: Final = 0
WAITS: Final = 1
AWAY: Final = 2

Row = list[Any]


class Member(NamedTuple):
    """One of those who meet: its ticket's number where it waited, and that worker."""

    client: int
    number: int
    worker: int


class Meeting(NamedTuple):
    """Two or three who meet, as a row tells it. Of three the spy is the first (`spies`), unless nobody watches."""

    id: int  # of the match, the hub's
    who: tuple[Member, ...]
    waited: tuple[float, ...]
    words: tuple[str, ...] = ()  # in common, normalised, the rarest first
    weight: float = 0.0
    rule: str = ""  # that let two pass; empty: of spy mode
    spies: bool = False
    question: str | None = None

    @classmethod
    def of(cls, row: Sequence[Any]) -> "Meeting":
        """Of a row. Raises TypeError, ValueError."""
        _, id, who, waited, words, weight, rule, spies, question = row
        members = tuple([_member(one) for one in who])
        return cls(id, members, tuple(waited), tuple(words), weight, rule, spies, question)


def number_in(row: Sequence[Any], client: int) -> int:
    """The number of a client's ticket, in the row of a meeting. Raises TypeError, ValueError."""
    for one, number, _ in row[2]:
        if one == client:
            found: int = number
            return found
    raise ValueError(f"{client} is not of this meeting")


def meet_row(id: int, who: list[tuple[int, int, int]], found: Match | SpyMatch, words: Sequence[str]) -> Row:
    """The row of a `Meeting` as the hub makes it. `who`: client, number, worker of each; `words`: that two have in common."""
    if isinstance(found, Match):
        return [MEET, id, who, (found.waited_a, found.waited_b), words, found.weight, found.rule, False, None]
    return [MEET, id, who, found.waited, words, 0.0, "", found.spy is not None, found.question]


def ticket_row(ticket: Ticket | Wish, number: int, words: Sequence[str], stands: int, now: float) -> Row:
    """A ticket or a wish as it stands. `words`: of its interests."""
    age = now - ticket.since
    if isinstance(ticket, Wish):
        return [WISH, ticket.client, number, ticket.asks, ticket.language, ticket.person, ticket.avoid, age, stands]
    level, step, fallen = ticket.stand()
    return [
        TICKET, ticket.client, number, list(ticket.pool), words, ticket.strict, ticket.person, ticket.recent, ticket.blocked,
        [list(pool) for pool in ticket.also], age, level, None if step is None else step - now, fallen, stands,
    ]  # fmt: skip


def read_ticket(row: Row, now: float) -> tuple[Ticket, list[str], int]:
    """A ticket without its interests, their words, and how it stands. Raises TypeError, ValueError."""
    _, client, _, pool, words, strict, person, recent, barred, also, age, level, step, fallen, stands = row
    ticket = Ticket(
        client, _pool(pool), (), strict, person, tuple(recent), now - age, blocked=tuple(barred[-MOST_AVOIDED:]),
        also=tuple([_pool(one) for one in also]),
    )  # fmt: skip
    ticket.stood(level, None if step is None else now + step, fallen)
    return ticket, words, stands


def read_wish(row: Row, now: float) -> tuple[Wish, int]:
    """A wish, and how it stands. Raises TypeError, ValueError."""
    _, client, _, asks, language, person, avoid, age, stands = row
    return Wish(client, asks, language, person, tuple(avoid), now - age), stands


# A named tuple is made by a call of the interpreter, which costs as much as the rest of its row; so it is made of a list here.


def _pool(fields: Sequence[str]) -> Pool:
    return tuple.__new__(Pool, fields) if len(fields) == len(Pool._fields) else Pool(*fields)


def _member(fields: Sequence[int]) -> Member:
    if len(fields) != len(Member._fields):
        raise ValueError(fields)
    return tuple.__new__(Member, fields)


def is_meeting(row: Any) -> bool:
    """Whether it is the row of a meeting: one that another host sent may be anything."""
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

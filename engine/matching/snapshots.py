"""The waiting room as bytes, from one process to another. Rule: an unknown version is refused, never guessed.

Words and not their ids go along, for ids are a process's own; ages and not times, for clocks are too.

Nothing in the server calls `Lobby.snapshot` and `Lobby.load` yet: they wait for the hand-over from an old process to a new
one, which is to come. The wire between two processes is not fixed before that.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import orjson

from engine.matching.tickets import Pool, Ticket

VERSION: Final = 1


class BadSnapshot(ValueError):
    """Not a snapshot, or one of another version."""


def dump(waiting: Iterable[Ticket], aside: Iterable[Ticket], word: Callable[[int], str], now: float) -> bytes:
    """Tickets in order of age."""
    rows: list[list[Any]] = []
    for away, tickets in ((False, waiting), (True, aside)):
        for ticket in tickets:
            rows.append(
                [
                    ticket.client,
                    list(ticket.pool),
                    [word(interest) for interest in ticket.interests],
                    ticket.strict,
                    ticket.person,
                    ticket.recent,
                    ticket.blocked,
                    [list(pool) for pool in ticket.also],
                    now - ticket.since,
                    away,
                ]
            )
    rows.sort(key=lambda row: (-row[8], row[0]))
    return orjson.dumps({"version": VERSION, "tickets": rows})


def read(snapshot: bytes, now: float) -> Iterator[tuple[Ticket, list[str], bool]]:
    """(ticket without interests, its words, whether it is set aside). Raises BadSnapshot."""
    try:
        body = orjson.loads(snapshot)
        if not isinstance(body, dict) or body.get("version") != VERSION:
            raise BadSnapshot("not a snapshot of this version")
        for client, pool, words, strict, person, recent, blocked, also, age, away in body["tickets"]:
            ticket = Ticket(
                client,
                Pool(*pool),
                (),
                strict,
                person,
                tuple(recent),
                now - age,
                blocked=tuple(blocked),
                also=tuple(Pool(*other) for other in also),
            )
            yield ticket, words, away
    except BadSnapshot:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise BadSnapshot("a broken snapshot") from error

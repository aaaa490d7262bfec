"""What a worker and the hub tell each other: it is read as it was written, and what is cut short is refused."""

from typing import Any

import orjson
import pytest

from engine.matching.lobby import MOST_AVOIDED
from engine.matching.spy_queue import Wish
from engine.matching.tickets import Pool, Ticket
from engine.rooms.hub_messages import AWAY, NEW, WAITS, Meeting, Member, is_meeting, read_ticket, read_wish, ticket_row
from tests.engine.meetings import row_of


def sent(row: list[Any]) -> list[Any]:
    """As the other process reads it."""
    found: list[Any] = orjson.loads(orjson.dumps(row))
    return found


def ticket() -> Ticket:
    own = Pool("video", "de", college="uio.no")
    one = Ticket(7, own._replace(college="any"), (), True, 1 << 63, (1, 2), 10.0, blocked=tuple(range(20)), also=(own,))
    one.set_progress(1, 14.0, 3)
    return one


def test_a_ticket_is_as_old_there_and_stands_as_it_stood() -> None:
    one = ticket()
    row = sent(ticket_row(one, 5, ["sailing", "jazz"], WAITS, 12.0))
    read, words, stands = read_ticket(row, 112.0)
    assert (words, stands) == (["sailing", "jazz"], WAITS)
    assert (read.client, read.pool, read.strict, read.person) == (7, one.pool, True, 1 << 63)
    assert (read.recent, read.also, tuple(read.interests)) == ((1, 2), one.also, ())
    assert read.blocked == one.blocked[-MOST_AVOIDED:]
    assert read.since == 110.0
    assert read.progress() == (1, 114.0, 3)


def test_a_wish_is_as_old_there() -> None:
    row = sent(ticket_row(Wish(7, True, "en", 9, (1, 2), 10.0), 5, [], AWAY, 12.5))
    assert read_wish(row, 100.0) == (Wish(7, True, "en", 9, (1, 2), 97.5), AWAY)


def test_a_meeting_is_read_as_it_was_written() -> None:
    two = Meeting(3, (Member(1, 2, 0), Member(4, 5, 1)), (0.5, 2.0), ("jazz",), 7.0, "good")
    three = Meeting(4, (Member(1, 2, 0), Member(4, 5, 1), Member(6, 7, 1)), (0.5, 2.0), spies=True, question="Why?")
    for meeting in (two, three):
        assert Meeting.of(sent(row_of(meeting))) == meeting


@pytest.mark.parametrize("what", ["ticket", "wish", "meeting"])
def test_a_row_cut_short_is_refused(what: str) -> None:
    rows: dict[str, tuple[list[Any], Any]] = {
        "ticket": (ticket_row(ticket(), 5, ["sailing"], NEW, 12.0), lambda row: read_ticket(row, 12.0)),
        "wish": (
            ticket_row(Wish(7, True, "en", 9, (), 10.0), 5, [], NEW, 12.0),
            lambda row: read_wish(row, 12.0),
        ),
        "meeting": (row_of(Meeting(3, (Member(1, 2, 0), Member(4, 5, 1)), (0.5, 2.0))), Meeting.of),
    }
    row, read = rows[what]
    read(row)
    for size in range(len(row)):
        with pytest.raises((TypeError, ValueError)):
            read(row[:size])
    with pytest.raises((TypeError, ValueError)):
        read([*row, None])


@pytest.mark.parametrize(
    ("place", "value"), [(3, ["text"] * 5), (3, None), (7, None), (8, 5), (10, "old"), (9, [["text"] * 5])]
)
def test_a_ticket_of_fields_that_cannot_be_is_refused(place: int, value: Any) -> None:
    row = ticket_row(ticket(), 5, [], NEW, 12.0)
    row[place] = value
    with pytest.raises((TypeError, ValueError)):
        read_ticket(row, 12.0)


@pytest.mark.parametrize(
    ("place", "wrong"),
    [
        (0, "go"), (1, "1"), (2, []), (2, [[1, 1, 1]]), (2, [[1, 1], [2, 2, 2]]), (2, [[1, 1, True], [2, 2, 2]]), (2, [[1, 1, 1]] * 3), (3, [0.0]),
        (3, ["0", 0.0]), (4, "word"), (4, [5]), (5, None), (6, None), (7, 0), (7, True), (8, 7),
    ],
)  # fmt: skip
def test_a_row_of_another_host_is_a_meeting_or_none(place: int, wrong: Any) -> None:
    row: list[Any] = ["meet", 5, [[1, 1, 1], [2, 2, 2]], [0.0, 1.5], ["chess"], 1.0, "any", False, None]
    assert is_meeting(row)
    assert is_meeting(["meet", 5, [[1, 1, 1]] * 3, [0, 1], [], 0.0, "", True, "Why?"])
    row[place] = wrong
    assert not is_meeting(row)
    assert not is_meeting(row[:-1])
    assert not is_meeting(None)

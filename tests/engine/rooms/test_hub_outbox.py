"""What the hub has for one worker is read as the rows that it was, in order and in messages of a size."""

import pytest

from engine.matching.spy_queue import SpyMatch
from engine.matching.tickets import NEVER, Match, Step, Waiter
from engine.rooms.hub_outbox import ROWS_MAX, Outbox
from engine.rooms.hub_records import unpack


def waiter(client: int, worker: int) -> Waiter:
    """One who waits there with the ticket of the number that follows."""
    made = Waiter()
    made.client, made.number, made.worker = client, client + 1, worker
    return made


def test_each_kind_is_read_as_its_row() -> None:
    outbox, who = Outbox(), [waiter(10, 1), waiter(20, 2)]
    outbox.add(["ask", 7])
    outbox.step(11, Step(10, "any", 7.0, True), 1, 2.5, 3)
    outbox.step(11, Step(10, "anyone", None, False), 3, NEVER, 12)
    outbox.meet(5, who, Match(10, 20, (1, 2), 90.0, 1.0, 2.0, "good"), ["sea", "æ"])
    outbox.go(who[1], 1, 6, who, Match(10, 20, (), 0.0, 1.0, 2.0, "anyone"), [])
    three = [waiter(30, 1), *who]
    outbox.meet(7, three, SpyMatch(30, 10, 20, (3.0, 4.0), "Why?"), [])
    outbox.go(who[0], 2, 8, who, SpyMatch(None, 10, 20, (3.0, 4.0)), [])
    two = [[10, 11, 1], [20, 21, 2]]
    assert outbox.rows == 7
    assert outbox.take_rows() == [
        ["ask", 7],
        ["step", 10, 11, 1, 2.5, 3, "any", 7.0, True],
        ["step", 10, 11, 3, None, 12, "anyone", None, False],
        ["meet", 5, two, [1.0, 2.0], ["sea", "æ"], 90.0, "good", False, None],
        ["go", 20, 1, ["meet", 6, two, [1.0, 2.0], [], 0.0, "anyone", False, None]],
        ["meet", 7, [[30, 31, 1], *two], [3.0, 4.0], [], 0.0, "", True, "Why?"],
        ["go", 10, 2, ["meet", 8, two, [3.0, 4.0], [], 0.0, "", False, None]],
    ]
    assert (outbox.rows, outbox.take()) == (0, [])


def test_a_message_has_only_so_many_rows() -> None:
    outbox = Outbox()
    for client in range(2 * ROWS_MAX + 1):
        outbox.add(["ask", client])
    messages = outbox.take()
    assert [len(unpack(data)) for data in messages] == [ROWS_MAX, ROWS_MAX, 1]
    assert [row for data in messages for row in unpack(data)] == [["ask", client] for client in range(2 * ROWS_MAX + 1)]
    assert outbox.take() == []


def test_a_row_that_cannot_be_written_leaves_the_others() -> None:
    outbox = Outbox()
    outbox.add(["ask", 1])
    with pytest.raises(TypeError):
        outbox.add(["asked", b"bytes", "en"])
    outbox.add(["ask", 2])
    assert outbox.take_rows() == [["ask", 1], ["ask", 2]]


def test_a_meeting_that_cannot_be_written_leaves_nothing_in_the_next_one() -> None:
    outbox, who = Outbox(), [waiter(10, 1), waiter(20, 2)]
    damaged = Match(10, 20, (), 0.0, 1.0, 2.0, "no rule")
    with pytest.raises(KeyError):
        outbox.meet(4, who, damaged, [])
    with pytest.raises(KeyError):
        outbox.go(who[0], 2, 4, who, damaged, [])
    assert (outbox.rows, outbox.take()) == (0, [])
    outbox.meet(5, who, Match(10, 20, (), 0.0, 1.0, 2.0, "anyone"), [])
    assert outbox.take_rows() == [["meet", 5, [[10, 11, 1], [20, 21, 2]], [1.0, 2.0], [], 0.0, "anyone", False, None]]

"""Moves are counted once a person, under declared names."""

from server.handover.figures import Moved
from server.metrics.exposition import Board
from server.metrics.histogram import Buckets
from server.metrics.moving import MOVE_BOUNDS, MOVING


def test_before_any_move_everything_is_nought_and_shown() -> None:
    found = Moved().reading()
    assert set(found) == {metric.name for metric in MOVING}
    assert found["serendip_moves"] == {("taken",): 0, ("returned",): 0, ("refused",): 0}
    assert found["serendip_move_seconds"] == Buckets((0,) * (len(MOVE_BOUNDS) + 1), 0.0)
    assert found["serendip_handover_left"] == 0


def test_each_person_is_counted_with_what_came_of_the_move_and_its_time() -> None:
    moved = Moved()
    for seconds in (0.0001, 0.0015, 0.0015, 2.0):
        moved.taken(seconds)
    moved.returned(3)
    moved.refused(2)
    moved.left = 17
    found = moved.reading()
    assert found["serendip_moves"] == {("taken",): 4, ("returned",): 3, ("refused",): 2}
    assert found["serendip_handover_left"] == 17
    times = found["serendip_move_seconds"]
    assert isinstance(times, Buckets)
    assert (times.counts[0], times.counts[MOVE_BOUNDS.index(0.002)], times.counts[-1], sum(times.counts)) == (
        1,
        2,
        1,
        4,
    )


def test_a_clock_that_was_read_too_late_takes_nothing_from_the_sum() -> None:
    moved = Moved()
    moved.taken(-0.001)
    assert moved.reading()["serendip_move_seconds"] == Buckets((1, *(0,) * len(MOVE_BOUNDS)), 0.0)


def test_the_board_shows_all_of_it() -> None:
    board = Board()
    board.add(Moved().reading)
    assert {family.name for family in board.collect()} == {metric.name for metric in MOVING}

"""The bench of arrays: both ways leave as many waiting, and all that is timed is told."""

from bench.matching.arrays import Room, measure


def test_both_ways_settle_everybody() -> None:
    room = Room(200, 5)
    for way in (room.one_by_one, room.as_array):
        way(room.people(16))
        room.hold()
        assert len(room.matcher) == 200
    assert room.call > 0.0


def test_the_call_is_a_part_of_what_the_array_takes() -> None:
    one, many, call = measure(100, 4, 3)
    assert one > 0.0
    assert 0.0 < call < many

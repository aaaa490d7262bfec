"""The waiting room is measured as the service uses it: a pool that is held keeps its size, and every word is given back."""

from bench.matching.waiting_room import BATCH, WaitingRoom, Watch, held, steady


def waiting(room: WaitingRoom) -> int:
    """How many the lobby itself says that wait."""
    return sum(room.lobby.sizes().values())


def test_who_is_there_from_the_start_waits_and_meets_nobody_of_them() -> None:
    room = WaitingRoom(1)
    room.fill(500)
    assert waiting(room) == len(room) == 500


def test_arrivals_meet_or_wait_and_the_room_agrees() -> None:
    room = WaitingRoom(1)
    room.fill(500)
    shared = [room.arrive(who) for who in room.people(300)]
    met = sum(count >= 0 for count in shared)
    assert 0 < met < 300
    assert waiting(room) == len(room) == 500 + 300 - 2 * met


def test_a_pool_that_is_held_keeps_its_size_and_gives_every_word_back() -> None:
    room, watch = WaitingRoom(1), Watch()
    room.fill(400)
    for timed in (True, False):
        met = watch.batch(room, list(room.people(20)), 1e-5, timed=timed)
        room.fill(400 + 20 - met)
        room.hold(400)
        assert waiting(room) == len(room) == 400
    room.hold(0)
    assert room.lobby.figures()["interests"] == 0


def test_time_brings_together_who_found_nobody_at_once() -> None:
    room, watch = WaitingRoom(1), Watch()
    watch.batch(room, list(room.people(300)), 0.001, timed=False, steps=True)
    left = len(room)
    room.now += 60.0
    room.steps()
    assert waiting(room) == len(room) < left


def test_a_row_says_how_many_met_and_what_it_took() -> None:
    for row in (steady(4 * BATCH, 1), held(1_000, 200, 1)):
        assert row.arrivals > 0
        assert 0 < row.matched < 1
        assert row.mean_overlap > 0
        assert row.arrivals_per_s > 0
        assert row.p99_ns >= row.p50_ns > 0

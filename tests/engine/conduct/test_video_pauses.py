"""Whose video is off: for a while, of so many people, and it goes along."""

from engine.conduct.video_pauses import LONGEST, VideoPauses


def test_it_is_off_for_so_long_and_the_longer_holds() -> None:
    pauses = VideoPauses()
    assert pauses.left(7, 0.0) == 0.0
    pauses.put(7, 600.0, 100.0)
    pauses.put(7, 60.0, 200.0)
    assert (pauses.left(7, 200.0), pauses.left(7, 700.0), pauses.left(8, 200.0)) == (500.0, 0.0, 0.0)
    pauses.put(7, 10 * LONGEST, 200.0)
    assert pauses.left(7, 200.0) == LONGEST
    pauses.forget(7)
    pauses.forget(7)
    assert pauses.left(7, 200.0) == 0.0


def test_of_too_many_those_of_the_longest_ago_have_it_back_and_an_idle_table_shrinks() -> None:
    pauses = VideoPauses(most=3)
    for person in range(10):
        pauses.put(person, 600.0, float(person))
    assert [person for person in range(10) if pauses.left(person, 10.0)] == [7, 8, 9]
    pauses.put(11, 600.0, 10_000.0)
    pauses.put(12, 600.0, 10_000.0)
    assert len(pauses) == 2
    none = VideoPauses(most=0)
    none.put(1, 600.0, 0.0)
    assert len(none) == 0


def test_it_goes_along() -> None:
    pauses, other = VideoPauses(), VideoPauses()
    pauses.put(7, 600.0, 100.0)
    pauses.put(8, 50.0, 100.0)
    assert pauses.rest(160.0) == [(7, 540.0)]
    assert pauses.leave(7, 160.0, keep=True) == 540.0
    assert pauses.leave(7, 160.0, keep=False) == 540.0
    assert pauses.leave(7, 160.0, keep=False) == 0.0
    other.enter(7, 540.0, 5_000.0)
    other.enter(7, 30.0, 5_000.0)
    other.enter(8, -1.0, 5_000.0)
    assert (other.left(7, 5_000.0), len(other)) == (540.0, 1)

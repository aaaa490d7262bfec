"""Ids are unguessable numbers of 60 bits, and none comes twice."""

from server.ops.security.random_ids import MOST, PAGE, Ids


def test_ids_are_within_60_bits_and_no_two_of_three_pages_are_alike() -> None:
    draw = Ids()
    drawn = [draw() for _ in range(3 * PAGE)]
    assert len(set(drawn)) == len(drawn)
    assert all(0 < id <= MOST for id in drawn)
    assert max(drawn).bit_length() > 50


def test_two_sources_of_ids_share_nothing() -> None:
    one, two = Ids(), Ids()
    assert {one() for _ in range(PAGE)}.isdisjoint({two() for _ in range(PAGE)})

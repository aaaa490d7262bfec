"""Test the counts of chats that begin alike: by user and by network, for minutes, bounded."""

from engine.conduct.opener_counts import MANY, WINDOW, OpenerCounts


def test_many_chats_of_a_user_or_of_a_network_count_within_the_window() -> None:
    counts = OpenerCounts()
    for number in range(MANY):
        assert not counts.is_many(1, "a", 100.0)
        counts.add(1, "a" if number else "b", 100.0)
    assert counts.is_many(1, "c", 100.0)
    assert not counts.is_many(2, "a", 100.0), "the network has one chat less"
    counts.add(2, "a", 100.0)
    assert counts.is_many(3, "a", 100.0)
    assert not counts.is_many(1, "a", 100.0 + WINDOW)
    counts.expire(100.0 + WINDOW)
    assert len(counts) == 0


def test_the_entry_that_is_idle_the_longest_is_dropped_first() -> None:
    counts = OpenerCounts(3)
    for number in range(10):
        counts.add(number, f"{number}", float(number))
    assert len(counts) == 3

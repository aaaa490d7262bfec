"""Test the delays between attempts: doubling, bounded, random, and short again after a successful connection."""

from serendip_client import Backoff


def test_a_wait_is_between_half_and_all_of_a_doubling_bound() -> None:
    backoff = Backoff()
    for whole in (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 20.0, 20.0):
        assert whole / 2 <= backoff.next() <= whole


def test_during_a_chat_it_is_a_second_and_a_half_at_most() -> None:
    backoff = Backoff()
    for whole in (0.5, 1.0, 1.5, 1.5, 1.5):
        assert whole / 2 <= backoff.next(soon=True) <= whole


def test_two_clients_do_not_come_at_the_same_moment() -> None:
    assert len({Backoff(first=20.0).next() for _ in range(20)}) > 1


def test_after_a_connection_stood_it_begins_anew_and_never_overflows() -> None:
    backoff = Backoff(tries=10_000)
    assert backoff.next() <= 20.0
    backoff.reset()
    assert backoff.next() <= 0.5

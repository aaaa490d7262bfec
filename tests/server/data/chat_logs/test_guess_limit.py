"""Misses are counted by network, in bounded memory, and are forgiven in time."""

from server.data.chat_logs.guess_limit import GuessLimit


def test_a_network_waits_once_it_missed_too_often_and_another_does_not() -> None:
    guesses = GuessLimit(burst=3, rate=0.5)
    for last in range(3):
        assert guesses.wait("192.0.2.1", 0.0) == 0
        guesses.missed(f"192.0.2.{last}", 0.0)
    assert guesses.wait("192.0.2.9", 0.0) == 2.0
    assert guesses.wait("192.0.3.1", 0.0) == 0
    assert guesses.wait("192.0.2.9", 2.0) == 0


def test_so_many_networks_are_remembered_and_all_others_share_one_limit() -> None:
    guesses = GuessLimit(burst=2.0, rate=1.0, networks=2)
    for third in range(5):
        guesses.missed(f"192.0.{third}.1", 0.0)
    assert len(guesses) == 3
    assert guesses.wait("192.0.0.1", 0.0) == 0.0
    assert guesses.wait("192.0.9.1", 0.0) == 1.0

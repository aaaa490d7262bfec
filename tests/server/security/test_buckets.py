"""Buckets by name: what is taken comes back in time, and memory is bounded."""

import pytest

from server.security.buckets import Buckets, network


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("192.0.2.7", "192.0.2.0/24"),
        ("::ffff:192.0.2.7", "192.0.2.0/24"),
        ("2001:db8:1:2ff::1", "2001:db8:1:200::/56"),
        ("nobody", "?"),
    ],
)
def test_neighbours_share_a_network(address: str, found: str) -> None:
    assert network(address) == found


def test_a_bucket_holds_a_burst_and_tells_how_long_the_rest_takes() -> None:
    buckets = Buckets(10, 2)
    assert buckets.wait("a", 0.0, 10) == 0
    buckets.take("a", 0.0, 7)
    assert buckets.wait("a", 0.0, 3) == 0
    assert buckets.wait("a", 0.0, 5) == 1.0
    assert buckets.wait("a", 1.0, 5) == 0
    assert buckets.wait("b", 0.0, 10) == 0


def test_what_is_more_than_a_bucket_can_hold_waits_for_a_full_one_and_not_for_ever() -> None:
    buckets = Buckets(10, 2)
    buckets.take("a", 0.0, 1)
    assert buckets.wait("a", 0.0, 1_000) == 0.5
    assert buckets.wait("a", 0.5, 1_000) == 0


def test_only_the_latest_names_are_remembered() -> None:
    buckets = Buckets(10, 2, names=2)
    for name in "abcde":
        buckets.take(name, 0.0)
    assert len(buckets) == 2


def test_a_name_is_forgotten_when_its_bucket_is_full_again() -> None:
    buckets = Buckets(10, 2)
    buckets.take("a", 0.0, 10)
    buckets.take("b", 4.0)
    assert buckets.wait("c", 4.9) == 0
    assert len(buckets) == 2
    assert buckets.wait("c", 5.0) == 0
    assert len(buckets) == 1

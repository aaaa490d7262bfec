"""Buckets by name: what is taken comes back in time, and memory is bounded."""

import orjson
import pytest

from ext.accept.address_limits import share_of
from server.ops.security import token_buckets as module
from server.ops.security.token_buckets import (
    NAMES,
    WIDE4,
    BucketRegistry,
    Buckets,
    NetworkBuckets,
    network,
    wide_network,
)


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


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("192.0.2.7", "192.0.0.0/16"),
        ("::ffff:192.0.2.7", "192.0.0.0/16"),
        ("2001:db8:1:2ff::1", "2001:db8:1::/48"),
        ("nobody", ""),
    ],
)
def test_networks_share_a_wider_one(address: str, found: str) -> None:
    assert wide_network(address) == found


def test_the_networks_of_one_provider_have_a_few_times_as_much_together() -> None:
    buckets = NetworkBuckets(10, 2)

    def taken(*addresses: str) -> int:
        """How many of 10 of each address are let through."""
        found = 0
        for address in addresses * 10:
            if not buckets.wait(address, 0.0):
                buckets.take(address, 0.0)
                found += 1
        return found

    assert taken(*(f"2001:db8:1:{number:x}00::1" for number in range(256))) == 10 * share_of("2001:db8:1::/48")
    assert buckets.wait("2001:db8:1:ff00::1", 0.0) == 1 / (2 * share_of("2001:db8:1::/48"))
    assert taken("2001:db8:2::1") == 10
    assert taken(*(f"192.0.{number}.1" for number in range(256))) == 10 * WIDE4
    assert taken("192.1.2.1", "192.1.2.2", "nobody") == 20
    assert not buckets.wait("2001:db8:1:ff00::1", 5.0)


def test_a_wide_network_keeps_its_debt_in_another_process() -> None:
    old, new = NetworkBuckets(1, 0.5), NetworkBuckets(1, 0.5)
    for number in range(WIDE4):
        old.take(f"192.0.{number}.1", 0.0)
    for piece in old.pack(0.0):
        new.unpack(orjson.loads(orjson.dumps(piece)), 100.0)
    assert new.wait("192.0.200.1", 100.0) == 1 / (0.5 * WIDE4)


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


def test_where_all_names_have_taken_something_none_is_forgotten_and_others_share_one_bucket() -> None:
    buckets = Buckets(10, 2, names=2)
    for name in "abcde":
        buckets.take(name, 0.0, 4)
    assert len(buckets) == 3, "two, and one for all others"
    assert [buckets.wait(name, 0.0, 10) for name in "abf"] == [2.0, 2.0, 5.0]
    assert [buckets.wait(name, 6.0, 10) for name in "abf"] == [0.0, 0.0, 0.0]
    assert len(buckets) == 0


def test_a_million_names_made_up_clear_nobody_s_debt_and_hold_a_bounded_memory() -> None:
    buckets = Buckets(10, 0.001)
    buckets.take("debtor", 0.0, 10)
    for number in range(1_000_000):
        buckets.take(f"{number:x}", number * 1e-6)
    assert len(buckets) <= NAMES + 1
    assert buckets.wait("debtor", 1.0) == pytest.approx(999)


def test_a_name_is_forgotten_when_its_bucket_is_full_again() -> None:
    buckets = Buckets(10, 2)
    buckets.take("a", 0.0, 10)
    buckets.take("b", 4.0)
    assert buckets.wait("c", 4.9) == 0
    assert len(buckets) == 2
    assert buckets.wait("c", 5.0) == 0
    assert len(buckets) == 1


def test_what_was_taken_is_so_in_the_process_that_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PIECE", 2)
    here, there = BucketRegistry(), BucketRegistry()
    old = here.add("posts", Buckets(10, 1, 4))
    here.add("of the older version", Buckets(10, 1)).take("x", 0.0, 5)
    new = there.add("posts", Buckets(10, 1, 4))
    there.add("of the newer version", Buckets(10, 1))
    for number in range(4):
        old.take(str(number), float(number), 10)
    new.take("3", 1004.0, 2)  # before it came: 1 was there again, so that nothing is left
    new.take("another", 1004.0, 10)
    for piece in here.pack(5.0):
        there.unpack(orjson.loads(orjson.dumps(piece)), 1005.0)
    assert (len(old), len(new)) == (0, 4)
    assert new.wait("2", 1005.0, 10) == 7
    assert new.wait("3", 1005.0, 10) == 9
    assert new.wait("another", 1005.0, 10) == 9
    assert new.wait("0", 1005.0, 10) == 0, "there is room for four, and it is the oldest"
    assert new.wait("1", 1007.0, 10) == 4
    assert list(new._found) == ["1", "2", "3", "another"]

"""Test the limits of an address: newcomers and open connections are counted separately, and an entry without information is deleted."""

import gc
import os
import sys
from collections.abc import Callable

import pytest

from ext.accept import address_limits
from ext.accept.address_limits import LASTING, WIDE4, WIDE6, Addresses, key_of, share_of, wide_of
from ext.accept.address_table import AddressTable, make
from ext.reactor.debug_hooks import arrive, settle


def of_a_host(**bounds: float) -> Addresses:
    """The table of one of two processes, the other of which has nothing."""
    fd = make(2)
    table = AddressTable(fd, b"k" * 16)
    os.close(fd)
    return address_limits.Addresses(host=table, column=1, **bounds)  # type: ignore[arg-type]


@pytest.fixture(autouse=True, params=["one process", "a host"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one process judges by itself it judges in a host's table alike."""
    if request.param == "a host":
        monkeypatch.setattr(sys.modules[__name__], "Addresses", of_a_host)


def table(**chosen: float) -> Addresses:
    bounds = {"open_max": 2, "burst": 4.0, "rate": 2.0, "coming_max": 3, **chosen}
    return Addresses(limits=True, **bounds)  # type: ignore[arg-type]


def test_an_address_has_so_many_newcomers_and_each_that_is_none_any_more_makes_room() -> None:
    addresses = table()
    assert [arrive(addresses, "192.0.2.1", 0.0) for _ in range(4)] == [True, True, True, False]
    assert arrive(addresses, "192.0.2.2", 0.0)
    settle(addresses, "192.0.2.1", 0.0)
    assert arrive(addresses, "192.0.2.1", 0.0)


def test_newcomers_take_nothing_of_what_open_connections_may_be() -> None:
    addresses = table()
    for _ in range(3):
        arrive(addresses, "192.0.2.1", 0.0)
    assert [addresses.enter("192.0.2.1", 0.0) for _ in range(3)] == [True, True, False]


def test_where_limits_are_lifted_all_are_counted_and_none_is_refused() -> None:
    addresses = Addresses(open_max=1, burst=1, rate=1, limits=False, coming_max=1)
    assert all(arrive(addresses, "192.0.2.1", 0.0) for _ in range(10))
    for _ in range(10):
        settle(addresses, "192.0.2.1", 0.0)
    addresses.forget(1.0)
    assert len(addresses) == 0


@pytest.mark.parametrize("limits", [True, False])
def test_who_only_asks_what_they_would_be_told_is_forgotten(limits: bool) -> None:
    addresses = Addresses(open_max=1, burst=4, rate=2, limits=limits)
    for number in range(5):
        assert addresses.refusal(f"192.0.{number}.1", None, 0.0) == -1
    addresses.forget(2.0)
    assert len(addresses) == 0


@pytest.mark.parametrize(
    ("open_before", "now", "wait"),
    [(0, 0.0, 1), (0, 10.0, 1), (2, 0.0, 0)],
)
def test_who_is_refused_is_told_the_seconds_that_the_bucket_needs(open_before: int, now: float, wait: int) -> None:
    addresses = table()
    for _ in range(4):
        assert addresses.enter("192.0.2.1", 0.0)
        addresses.leave("192.0.2.1", 0.0)
    addresses = table(burst=4.0) if open_before else addresses
    for _ in range(open_before):
        addresses.enter("192.0.2.1", 0.0)
    assert addresses.wait("192.0.2.1", now) == wait


def test_what_a_connection_would_be_told_is_what_it_is_told_and_counts_nothing() -> None:
    addresses = table(burst=3.0)
    for number in range(3):
        assert addresses.refusal("192.0.2.1", None, 0.0) == -1, number
        assert addresses.enter("192.0.2.1", 0.0)
        addresses.leave("192.0.2.1", 0.0)
    assert addresses.refusal("192.0.2.1", None, 0.0) == 1
    assert not addresses.enter("192.0.2.1", 0.0)
    assert addresses.refusal("192.0.2.1", None, 10.0) == -1
    for _ in range(2):
        assert addresses.enter("192.0.2.1", 10.0)
    assert addresses.refusal("::ffff:192.0.2.1", None, 20.0) == 0, "two are open"
    assert addresses.refusal("192.0.2.2", None, 20.0) == -1
    assert Addresses(limits=False, open_max=1, burst=1.0, rate=1.0).refusal("192.0.2.1", None, 0.0) == -1


def test_a_slow_bucket_is_waited_for_as_long_as_it_takes() -> None:
    addresses = table(burst=1.0, rate=0.1)
    assert addresses.enter("192.0.2.1", 0.0)
    assert not addresses.enter("192.0.2.1", 2.0)
    assert addresses.wait("192.0.2.1", 2.0) == 8
    assert not addresses.enter("192.0.2.1", 9.0)
    assert addresses.enter("192.0.2.1", 10.0)


def test_an_address_that_comes_and_goes_stands_once_among_those_to_be_forgotten() -> None:
    addresses = table()
    for turn in range(1000):
        arrive(addresses, "192.0.2.1", turn / 1000)
        settle(addresses, "192.0.2.1", turn / 1000)
    addresses.forget(1.5)
    assert len(addresses) == 2, "it, and the network around it"
    addresses.forget(4.0)
    assert len(addresses) == 0
    gc.collect()
    assert sum(isinstance(found, tuple) and found[:1] == ("192.0.2.1",) for found in gc.get_objects()) <= 1


def test_an_address_with_a_newcomer_is_not_forgotten() -> None:
    addresses = table()
    arrive(addresses, "192.0.2.1", 0.0)
    addresses.enter("192.0.2.1", 0.0)
    addresses.leave("192.0.2.1", 0.0)
    addresses.forget(100.0)
    assert len(addresses) == 2, "it, and the network around it"
    settle(addresses, "192.0.2.1", 100.0)
    addresses.forget(200.0)
    assert len(addresses) == 0


@pytest.mark.parametrize("wrong", [{"open_max": 0}, {"coming_max": 0}, {"burst": 0.5}, {"rate": 0.0}])
def test_bounds_that_let_nobody_in_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="limits of an address"):
        table(**wrong)


@pytest.mark.parametrize(
    ("address", "wide"),
    [
        ("192.0.2.1", "192.0.2.0/24"),
        ("::ffff:192.0.2.1", "192.0.2.0/24"),
        ("2001:db8:1:2::4", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/48"),
    ],
)
def test_a_64_stands_in_a_48_and_an_ipv4_address_in_a_24(address: str, wide: str) -> None:
    assert wide_of(key_of(address)) == wide


Key = Callable[..., str]


def ipv6(number: int, site: int = 1) -> str:
    return key_of(f"2001:db8:{site:x}:{number:x}::1")


def ipv4(number: int, site: int = 1) -> str:
    return key_of(f"10.0.{site}.{number}")


around = pytest.mark.parametrize(("key", "share"), [(ipv6, WIDE6), (ipv4, WIDE4)])


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8:1:2::4"])
def test_those_of_an_address_who_were_here_before_are_counted_apart_by_the_same_networks(address: str) -> None:
    key = key_of(address)
    assert wide_of(key + "+") == wide_of(key) + "+"
    assert share_of(key + "+") == LASTING
    assert share_of(wide_of(key) + "+") == LASTING * share_of(wide_of(key))
    addresses = table(burst=100.0)
    lasting = [addresses.enter(key + "+", 0.0) for _ in range(2 * LASTING + 1)]
    assert lasting == [True] * 2 * LASTING + [False]
    assert addresses.wait(key + "+", 0.0) == 0
    assert [addresses.enter(key, 0.0) for _ in range(3)] == [True, True, False], "they take nothing of the newcomers'"
    addresses.leave(key + "+", 1.0)
    assert addresses.enter(key + "+", 1.0)


@around
def test_those_of_a_network_have_a_few_times_the_connections_of_one_together(key: Key, share: int) -> None:
    counted = Addresses(open_max=2, burst=100, rate=1, limits=True)
    entered = [key(number // 2) for number in range(2 * share + 6) if counted.enter(key(number // 2), 0.0)]
    assert len(entered) == 2 * share
    assert not counted.enter(key(200), 0.0)
    assert counted.wait(key(200), 0.0) == 0, "no time mends that"
    assert counted.enter(key(200, site=2), 0.0)
    counted.leave(entered[0], 0.0)
    assert counted.enter(key(200), 0.0)


@around
def test_those_of_a_network_have_a_few_times_the_new_connections_of_one_together(key: Key, share: int) -> None:
    counted = Addresses(open_max=1000, burst=5, rate=1, limits=True)
    assert sum(counted.enter(key(number), 0.0) for number in range(100)) == 5 * share
    assert sum(counted.enter(key(number), 1.0) for number in range(100)) == share
    assert counted.enter(key(0, site=2), 1.0)


@around
def test_lifted_limits_lift_those_of_a_network(key: Key, share: int) -> None:
    counted = Addresses(open_max=1, burst=1, rate=1, limits=False)
    assert all(counted.enter(key(number), 0.0) for number in range(100))


@around
def test_a_network_is_forgotten_with_the_last_address_in_it_and_not_before(key: Key, share: int) -> None:
    counted = Addresses(open_max=10, burst=10, rate=1, limits=True)
    for number in range(3):
        assert counted.enter(key(number), float(number))
        counted.leave(key(number), float(number))
    assert len(counted) == 4
    counted.forget(11.0)
    assert len(counted) == 2
    counted.forget(12.0)
    assert len(counted) == 0


@around
def test_those_of_a_network_have_a_few_times_the_newcomers_of_one_together(key: Key, share: int) -> None:
    counted = Addresses(open_max=1000, burst=5, rate=1, limits=True, coming_max=2)
    came = [key(number // 2) for number in range(2 * share + 6) if arrive(counted, key(number // 2), 0.0)]
    assert len(came) == 2 * share
    assert not arrive(counted, key(200), 0.0)
    settle(counted, came[0], 0.0)
    assert arrive(counted, key(200), 0.0)

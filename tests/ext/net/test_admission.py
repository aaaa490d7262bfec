"""Who connects from where: an address, and the /48 around it."""

import pytest

from ext.net.admission import WIDE, Addresses, key_of, wide_of


@pytest.mark.parametrize(
    ("address", "wide"),
    [
        ("192.0.2.1", ""),
        ("::ffff:192.0.2.1", ""),
        ("2001:db8:1:2::4", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/48"),
    ],
)
def test_a_64_stands_in_a_48_and_an_ipv4_address_in_none(address: str, wide: str) -> None:
    assert wide_of(key_of(address)) == wide


def key(number: int, site: int = 1) -> str:
    return key_of(f"2001:db8:{site:x}:{number:x}::1")


def test_the_64s_of_a_48_have_four_times_the_connections_of_one_together() -> None:
    table = Addresses(open_max=2, burst=100, rate=1, limits=True)
    entered = [key(number // 2) for number in range(2 * WIDE + 6) if table.enter(key(number // 2), 0.0)]
    assert len(entered) == 2 * WIDE
    assert not table.enter(key(1000), 0.0)
    assert table.enter(key(1000, site=2), 0.0)
    table.leave(entered[0], 0.0)
    assert table.enter(key(1000), 0.0)


def test_the_64s_of_a_48_have_four_times_the_new_connections_of_one_together() -> None:
    table = Addresses(open_max=1000, burst=5, rate=1, limits=True)
    assert sum(table.enter(key(number), 0.0) for number in range(100)) == 5 * WIDE
    assert sum(table.enter(key(number), 1.0) for number in range(100)) == WIDE
    assert table.enter(key(0, site=2), 1.0)


def test_lifted_limits_lift_those_of_a_48() -> None:
    table = Addresses(open_max=1, burst=1, rate=1, limits=False)
    assert all(table.enter(key(number), 0.0) for number in range(100))


def test_a_48_is_forgotten_with_the_last_address_in_it_and_not_before() -> None:
    table = Addresses(open_max=10, burst=10, rate=1, limits=True)
    for number in range(3):
        assert table.enter(key(number), float(number))
        table.leave(key(number), float(number))
    assert len(table) == 4
    table.forget(11.0)
    assert len(table) == 2
    table.forget(12.0)
    assert len(table) == 0

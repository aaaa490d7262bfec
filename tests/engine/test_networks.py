"""What an address is counted by."""

import pytest

from engine.networks import SHARES, networks_of


@pytest.mark.parametrize(
    ("address", "networks"),
    [
        ("192.0.2.1", ("192.0.2.1",)),
        ("::ffff:192.0.2.1", ("192.0.2.1",)),
        ("2001:db8:1:2:3::4", ("2001:db8:1:2::/64", "2001:db8:1::/48")),
        ("fe80::1%eth0", ("fe80::/64", "fe80::/48")),
    ],
)
def test_an_ipv6_address_counts_by_its_64_and_its_48(address: str, networks: tuple[str, ...]) -> None:
    assert networks_of(address) == networks
    assert len(networks) <= len(SHARES)


def test_a_48_may_what_four_addresses_may() -> None:
    assert SHARES == (1, 4)

"""What an address is counted by."""

import pytest

from engine.matching.address_networks import SHARES, networks_of, share_of


@pytest.mark.parametrize(
    ("address", "networks"),
    [
        ("192.0.2.1", ("192.0.2.1", "192.0.2.0/24")),
        ("::ffff:192.0.2.1", ("192.0.2.1", "192.0.2.0/24")),
        ("::ffff:c000:201", ("192.0.2.1", "192.0.2.0/24")),
        ("2001:db8:1:2:3::4", ("2001:db8:1:2::/64", "2001:db8:1::/48")),
        ("fe80::1%eth0", ("fe80::/64", "fe80::/48")),
    ],
)
def test_an_address_counts_by_its_network_and_the_one_around_it(address: str, networks: tuple[str, ...]) -> None:
    assert networks_of(address) == networks


@pytest.mark.parametrize(("address", "shares"), [("2001:db8::1", [1, 4]), ("192.0.2.1", [1, 8])])
def test_a_48_may_what_four_addresses_may_and_a_24_what_eight(address: str, shares: list[int]) -> None:
    assert [share_of(network) for network in networks_of(address)] == shares
    assert set(shares) <= set(SHARES)

"""Compare the parsing and spelling of addresses with Python's `ipaddress`."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ext.accept.address_limits import key_of, wide_of
from ext.accept.handshake import Judge
from ext.accept.ip_address_codec import spelled

GROUPS = st.sampled_from(["", "0", "00", "1", "ffff", "FFFF", "0db8", "12345", "g", " ", "%", "%1", "\0", "٣"]) | (
    st.sampled_from(["1.2.3.4", "01.2.3.4", "1.2.3"])
)
NEARLY = st.lists(GROUPS, min_size=1, max_size=9).map(":".join) | st.lists(
    st.sampled_from(["0", "1", "01", "255", "256", "", "a", "\0", "٣", "-1", "1 "]), min_size=3, max_size=5
).map(".".join)
NUMBERS = st.integers(0, 2**128 - 1) | st.lists(st.sampled_from([0, 1, 0xFFFF]), min_size=8, max_size=8).map(
    lambda words: sum(word << 16 * at for at, word in enumerate(words))
)


def expected(text: str) -> str | None:
    """What `ipaddress` says an address is called, an IPv4 one mapped into IPv6 as that; None: it is none."""
    try:
        found = ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return str(mapped or found)


def said(text: str) -> str | None:
    """What we say."""
    try:
        return spelled(text)
    except ValueError:
        return None


@given(NUMBERS)
def test_an_ipv6_address_has_the_spelling_and_the_networks_of_ipaddress(number: int) -> None:
    address = IPv6Address(number)
    assert said(str(address)) == said(address.exploded) == expected(str(address))
    if address.ipv4_mapped is None:
        key = str(IPv6Network((number >> 64 << 64, 64)))
        assert key_of(str(address)) == key
        assert wide_of(key) == str(IPv6Network((number >> 80 << 80, 48)))


@given(NEARLY)
def test_what_is_nearly_an_address_is_one_where_ipaddress_says_so(text: str) -> None:
    assert said(text) == (expected(text) if "%" not in text else None)


@pytest.mark.parametrize(
    "text", ["::1.2.3.4", "::", "::1", "::ffff:1.2.3.4", "1:0:0:2::", "1:2:3:4:5:6:7::", "1.2.3.4", ""]
)
def test_addresses_that_the_c_library_spells_otherwise_or_may(text: str) -> None:
    assert said(text) == expected(text)


@given(st.integers(0, 128), st.integers(0, 32), NUMBERS, st.integers(0, 127))
def test_a_proxy_is_trusted_where_its_network_has_it(bits: int, bits4: int, number: int, flipped: int) -> None:
    six = IPv6Network((number, bits), strict=False)
    four = IPv4Network((number & 0xFFFFFFFF, bits4), strict=False)
    judge = Judge(hosts=(), origins=(), proxies=[str(six), str(four)])
    for value in (number, number ^ 1 << flipped):
        address = IPv6Address(value)
        mapped = address.ipv4_mapped
        assert judge.trusts(str(address)) == (address in six if mapped is None else mapped in four)
        address4 = IPv4Address(value & 0xFFFFFFFF)
        assert judge.trusts(str(address4)) == judge.trusts(f"::ffff:{address4}") == (address4 in four)

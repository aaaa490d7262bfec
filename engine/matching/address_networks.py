"""Derive the networks (prefixes) that an IP address counts towards in rate limits: those of docs/protocol.md, rule 10, and of new connections.

IPv4: the address, and its /24 with eight times the limit. IPv6: its /64, and its /48 with four times the limit.
"""

# An IPv6 line has a whole /64, and some lines have a /48 (`ext.accept.address_limits`).

from typing import Final

from ext.accept.address_limits import WIDE4, WIDE6, key_of, wide_of
from ext.accept.address_limits import share_of as share_of

SHARES: Final = (1, WIDE6, WIDE4)  # multiples of one address's limit, as `share_of` returns for a network


def networks_of(address: str) -> tuple[str, ...]:
    """Return the networks of an address, narrowest first. Raises ValueError if it is no address."""
    key = key_of(address)
    wide = wide_of(key)
    return (key, wide) if wide else (key,)

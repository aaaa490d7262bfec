"""Derive the networks of an address, which the limits of rule 10 count. They are the same as for new connections (`ext.accept.address_limits`).

IPv4: the address, and its /24 with eight times the share. IPv6: its /64, since one line has a whole one, and its /48 with four times the share,
since some lines have that.
"""

from typing import Final

from ext.accept.address_limits import WIDE4, WIDE6, key_of, wide_of
from ext.accept.address_limits import share_of as share_of

SHARES: Final = (1, WIDE6, WIDE4)  # multiples of one address's limit, as `share_of` returns for a network


def networks_of(address: str) -> tuple[str, ...]:
    """Return the networks of an address, narrowest first. Raises ValueError if it is no address."""
    key = key_of(address)
    wide = wide_of(key)
    return (key, wide) if wide else (key,)

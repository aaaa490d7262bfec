"""What an address is counted by where a limit is an address's (rule 10). Rule: the same networks as those of new connections.

IPv4: the address, and the /24 around it with eight times the share. IPv6: its /64, for one line holds a whole one, and its /48, for some
hold that, with four times the share.
"""

from typing import Final

from ext.accept.admission import WIDE4, WIDE6, key_of, wide_of
from ext.accept.admission import share_of as share_of

SHARES: Final = (1, WIDE6, WIDE4)  # how many times what one address may, as `share_of` says of a network


def networks_of(address: str) -> tuple[str, ...]:
    """The networks of an address, the narrowest first. Raises ValueError for what is none."""
    key = key_of(address)
    wide = wide_of(key)
    return (key, wide) if wide else (key,)

"""What an address is counted by where a limit is an address's (rule 10). Rule: the same networks as those of new connections.

IPv4: the address. IPv6: its /64, for one line holds a whole one, and its /48, for some hold that; it has four times the share.
"""

from typing import Final

from ext.net.admission import WIDE, key_of, wide_of

SHARES: Final = (1, WIDE)  # how many times what one address may, of each of its networks


def networks_of(address: str) -> tuple[str, ...]:
    """The networks of an address, the narrowest first. Raises ValueError for what is none."""
    key = key_of(address)
    wide = wide_of(key)
    return (key, wide) if wide else (key,)

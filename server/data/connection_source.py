"""Define the source of a connection as it is kept: the IP address and, if they are known, the source port and when both were in use.

A carrier that shares one address among many customers needs all three to name one of them (RFC 6302). As text they are separated by spaces:
`192.0.2.1`, `192.0.2.1 54321` or `192.0.2.1 54321 1795000000`. **Invariant:** keyed hashes are made of the address alone, so rows are found by it.
"""

from __future__ import annotations

from typing import NamedTuple


class SourceEndpoint(NamedTuple):
    """Source of a connection. `port`: 0 if unknown; `at`: Unix seconds, 0 if the row has the time elsewhere."""

    address: str
    port: int = 0
    at: int = 0

    @classmethod
    def of(cls, text: str) -> SourceEndpoint:
        """Return the endpoint of a text. A part that is no number counts as unknown."""
        address, _, rest = text.partition(" ")
        port, _, at = rest.partition(" ")
        return cls(address, _number(port), _number(at))

    @property
    def text(self) -> str:
        """The endpoint as text."""
        if self.at:
            return f"{self.address} {self.port} {self.at}"
        return f"{self.address} {self.port}" if self.port else self.address


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else 0

"""Remember for each HTTP connection in which table of the limits per IP address it is counted, so that it is subtracted there when it closes.

**Invariant:** a connection is counted until it is closed or marked as uncounted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from ext.accept.address_limits import Addresses

# Marks of a connection that moves to another process: the prefix of its key, or the whole text.
NEW, UNCOUNTED, COUNTED, CROWDED, PASSED_ON = "new", "", "+", "*", "="


class Place(NamedTuple):
    """Place where a connection is counted: the table, and its key there."""

    addresses: Addresses
    key: str


# Connections of another host of this service, which forwards requests: it counts the clients.
PASSED: Final = Place(Addresses(open_max=1, burst=1.0, rate=1.0, limits=False), "")


@dataclass(frozen=True, slots=True)
class SeparatePaths:
    """Paths whose clients open a connection for each request: counted separately, and refused late, in a form that they read.

    `refusals`: the response body of a refusal, by the path; `folders`: beginnings of further paths, which are refused as all others are.
    """

    addresses: Addresses
    refusals: Mapping[bytes, bytes]
    folders: tuple[bytes, ...] = ()


def request_path(begun: bytes) -> bytes:
    """Return the path of a request's first line, without its query."""
    parts = begun[:2_048].split(b" ", 2)
    return parts[1].partition(b"?")[0] if len(parts) == 3 else b""

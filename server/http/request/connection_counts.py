"""Where connections of HTTP are counted, by address. Rule: one that came through a door is counted until it is gone, or says why it is not."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from ext.accept.address_limits import Addresses

# Where a connection that goes to another process is counted: what stands before its key, or for all.
NEW, UNCOUNTED, COUNTED, CROWDED, PASSED_ON = "new", "", "+", "*", "="


class Place(NamedTuple):
    """Where a connection is counted."""

    addresses: Addresses
    key: str


# Of another host of this service, which passes requests on: who asked is counted there.
PASSED: Final = Place(Addresses(open_max=1, burst=1.0, rate=1.0, limits=False), "")


@dataclass(frozen=True, slots=True)
class Crowded:
    """Paths whose programs open a connection for each request: counted apart, and refused slowly, in a form that they read.

    `refusals`: what such a path is answered, by the path.
    """

    addresses: Addresses
    refusals: Mapping[bytes, bytes]


def asked(begun: bytes) -> bytes:
    """The path of a request head, without its query."""
    parts = begun[:2_048].split(b" ", 2)
    return parts[1].partition(b"?")[0] if len(parts) == 3 else b""

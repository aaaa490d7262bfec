"""What one generation of a host's processes leaves to the next, beside people. Rule: named here once, for who gives it and for who takes it.

sockets    those that people and operators knock at: their queues outlive whoever accepts
table      what addresses have (`server.ops.process.address_census`): each generation counts in columns of its own, and the next is in the other half
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from typing import Any, NamedTuple

from ext.accept.address_table import COLUMNS_MAX
from server.ops.process.address_census import HostAddresses
from server.ops.process.listening_sockets import Sockets


class GenerationState(NamedTuple):
    """Of one generation. `first`: its first column."""

    sockets: Sockets
    table: HostAddresses
    first: int

    def packed(self) -> tuple[list[Any], tuple[int, ...]]:
        """Records and descriptors of a message; these stay this object's."""
        there = self.sockets.all()
        half = self.table.columns // 2
        records = [list(there), self.table.key.hex(), self.table.columns, 0 if self.first else half]
        return records, (*[sock.fileno() for sock in there.values()], self.table.fd)


def made(processes: int) -> GenerationState:
    """What the first generation of so many processes has; who listens is yet to be added."""
    return GenerationState(Sockets(), HostAddresses(max(processes, min(2 * processes, COLUMNS_MAX))), 0)


def unpacked(records: Sequence[Any], descriptors: Sequence[int], processes: int) -> GenerationState:
    """What the generation before left to one of so many processes; the descriptors are copied. Raises TypeError, ValueError.

    A table that has no room for them, or is another release's, is left: addresses have their limits anew.
    """
    names, key, columns, first = records
    sockets = [socket.socket(fileno=os.dup(number)) for number in descriptors[:-1]]
    for sock in sockets:
        sock.setblocking(False)  # it is, but Python does not know it
    kept = Sockets(dict(zip(names, sockets, strict=True)))
    if processes <= columns - first:
        table = os.dup(descriptors[-1])
        try:
            found = GenerationState(kept, HostAddresses(columns, given=(table, bytes.fromhex(key))), first)
        except (ValueError, OSError):
            os.close(table)
        else:
            for column in range(processes):
                found.table.died(first + column)  # whatever became of who had it
            return found
    return made(processes)._replace(sockets=kept)

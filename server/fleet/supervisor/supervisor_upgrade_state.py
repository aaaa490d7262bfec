"""Encode what the supervisor hands to the next generation of processes in an upgrade, besides sessions: the listening sockets, and the shared table
that counts connections per client address.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ext.accept.address_table import COLUMNS_MAX
from server.ops.process.listening_sockets import Sockets
from server.ops.process.shared_address_table import HostAddresses


class GenerationState(NamedTuple):
    """State of one generation. `first`: its first column.

    Connections that wait in the sockets' queues outlive the process that accepts. Each generation has its own columns of the table
    (`server.ops.process.shared_address_table`), the next one in the other half.
    """

    sockets: Sockets
    table: HostAddresses
    first: int

    def packed(self) -> tuple[list[Any], tuple[int, ...]]:
        """Return records and descriptors of a message; the descriptors stay this object's."""
        there = self.sockets.all()
        half = self.table.columns // 2
        records = [list(there), self.table.key.hex(), self.table.columns, 0 if self.first else half]
        return records, (*[sock.fileno() for sock in there.values()], self.table.fd)


def made(processes: int, opened: Mapping[str, socket.socket] | None = None) -> GenerationState:
    """Return the state of a first generation of so many processes. `opened`: listening sockets that exist already; others are added later."""
    return GenerationState(Sockets(opened), HostAddresses(max(processes, min(2 * processes, COLUMNS_MAX))), 0)


def unpacked(records: Sequence[Any], descriptors: Sequence[int], processes: int) -> GenerationState:
    """Return what the previous generation left to one of so many processes; the descriptors are copied. Raises TypeError, ValueError.

    A table without room for them, or of another release, is not used: rate limits of addresses begin anew.
    """
    names, key, columns, first = records
    sockets = [socket.socket(fileno=os.dup(number)) for number in descriptors[:-1]]
    for sock in sockets:
        sock.setblocking(False)  # it is non-blocking already, but Python does not know that
    kept = Sockets(dict(zip(names, sockets, strict=True)))
    if processes <= columns - first:
        table = os.dup(descriptors[-1])
        try:
            found = GenerationState(kept, HostAddresses(columns, given=(table, bytes.fromhex(key))), first)
        except (ValueError, OSError):
            os.close(table)
        else:
            for column in range(processes):
                found.table.died(first + column)  # whatever became of its process
            return found
    return made(processes)._replace(sockets=kept)

"""Create the table of connection counts per IP address that all processes of a host share, and assign each process its column.

The supervisor owns the table.
**Invariant:** the table's random key is never written to a file or log, and the counts of a dead process are cleared before another process gets
the column.
"""

import os
import secrets
import time
from typing import NamedTuple

from ext.accept.address_table import SLOTS, AddressTable, make

KEY_BYTES = 16
ROOM = 2  # slots per user: one for the address, and one for the surrounding network, which many share


class CensusColumn(NamedTuple):
    """One process's access: the table, and the column in which this process counts."""

    census: AddressTable
    column: int


class HostAddresses:
    """The table of a host for a number of processes (those that an upgrade starts beside them included) and users.

    `fd` and `key` are for a process that is exec'd; a forked one is given its `part`. Raises ValueError and OSError as
    `ext.accept.address_table.make` does.
    """

    def __init__(self, processes: int, people: int = 0, given: tuple[int, bytes] | None = None) -> None:
        """`given`: descriptor and key of a table that another process made for this many; this object owns the descriptor. Raises ValueError if it is
        not a table.
        """
        self.columns = processes
        self.fd, self.key = given or (make(processes, slots_for(people)), secrets.token_bytes(KEY_BYTES))
        self._census = AddressTable(self.fd, self.key)

    @property
    def used(self) -> int:
        """The number of slots in use, by addresses or networks."""
        return self._census.used

    def part(self, column: int) -> CensusColumn:
        """Return the access of the process with this column; columns are numbered from 0."""
        return CensusColumn(self._census, column)

    def died(self, column: int) -> None:
        """Clear the counts of a process that ended and was waited for. Its column may be used again."""
        self._census.clear(column, time.monotonic())

    def close(self) -> None:
        """Close the descriptor; processes that have the table keep it."""
        os.close(self.fd)


def slots_for(people: int) -> int:
    """Return the number of slots for so many users: a power of two, at least SLOTS."""
    slots = SLOTS
    while slots < ROOM * people:
        slots *= 2
    return slots

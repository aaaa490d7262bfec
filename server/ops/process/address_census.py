"""What addresses have in all processes of a host: one table, kept by whoever starts the others, and the part of each in it.

Rule: the key is drawn anew for each table, stands in no file and no log, and goes to a process with the descriptor. Who died has nothing to its
name before another has its column.
"""

import os
import secrets
import time
from typing import NamedTuple

from ext.accept.census import SLOTS, Census, make

KEY_BYTES = 16
ROOM = 2  # slots for each person: one of their address, and one of the network around it, which many share


class Part(NamedTuple):
    """A process's own: the table, and where in it this process counts."""

    census: Census
    column: int


class HostAddresses:
    """The table of a host of so many processes, also those that an upgrade starts beside them, and so many people.

    `fd` and `key` are for a process that is exec'd; one that is forked has its `part`. Raises ValueError and OSError as
    `ext.accept.census.make` does.
    """

    def __init__(self, processes: int, people: int = 0, given: tuple[int, bytes] | None = None) -> None:
        """`given`: descriptor and key of one that another process made for so many; the descriptor is this object's. ValueError: it is none."""
        self.columns = processes
        self.fd, self.key = given or (make(processes, slots_for(people)), secrets.token_bytes(KEY_BYTES))
        self._census = Census(self.fd, self.key)

    @property
    def used(self) -> int:
        """Slots that stand for an address, or a network around some."""
        return self._census.used

    def part(self, column: int) -> Part:
        """What the process of a column judges by; columns are numbered from 0."""
        return Part(self._census, column)

    def died(self, column: int) -> None:
        """The process of a column has ended, and was waited for: nothing is counted for it any more. Whoever is next may have the column."""
        self._census.clear(column, time.monotonic())

    def close(self) -> None:
        """Nobody else is given the table; who has it keeps it."""
        os.close(self.fd)


def slots_for(people: int) -> int:
    """A power of two, at least what a table has where nobody says how many come."""
    slots = SLOTS
    while slots < ROOM * people:
        slots *= 2
    return slots

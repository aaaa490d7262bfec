"""Name and number the processes of all hosts. Names of another host's processes begin with its node id, and numbers contain it; those of this host
do not.
"""

from __future__ import annotations

from typing import Final

from engine.rooms.meeting_placement import HOST_BITS as BITS
from server.fleet.cluster.known_nodes import ABROAD, named
from server.fleet.ipc.ipc_peers import name_of, number_of

MOST: Final = (1 << BITS) - 1


def elsewhere(name: str) -> bool:
    """Whether it is a process of another host."""
    return name.startswith(ABROAD)


def node_in(number: int) -> str:
    """Return the node of a process, by its number."""
    return f"{number >> BITS:010x}"


def place(name: str) -> tuple[str, int]:
    """Return the node of a process of another host, and its number there. Raises ValueError for a name of this host."""
    if not elsewhere(name):
        raise ValueError(f"{name} is of this host")
    node, _, number = name[len(ABROAD) :].partition(" ")
    return node, int(number)


class Names:
    """Names as one host uses them. `node`: 10 hex digits; empty: there is no other host.

        "worker 3", "frontend" (the frontend)   of this host       "@0123456789 3"   worker 3 of another host; the frontend there is its 0

    The lowest eight bits of a number are the worker's; the others are the node's, 0 for this host alone.
    """

    def __init__(self, node: str = "") -> None:
        self._here = int(node or "0", 16) << BITS

    def number(self, name: str) -> int:
        """Return the number of a process that has sessions; the hub's is -1."""
        if elsewhere(name):
            node, number = place(name)
            return int(node, 16) << BITS | number
        number = number_of(name)
        return self._here | number if number >= 0 else number

    def name(self, number: int) -> str:
        """Return the name of a process, by its number."""
        if self.is_here(number):
            return name_of(number & MOST)
        return named(node_in(number), number & MOST)

    def cluster_name(self, name: str) -> str:
        """Return the name of a process of this host, as other hosts call it."""
        number = self.number(name)
        return named(node_in(number), number & MOST)

    def is_here(self, number: int) -> bool:
        """Whether it is a process of this host."""
        return number & ~MOST == self._here

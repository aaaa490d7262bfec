"""Keep one process's list of the other hosts of the cluster. The hub sends the whole list at each change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from engine.engine import VERSION
from server.fleet.cluster.membership import SERVING, Host

ABROAD: Final = "@"  # prefix of the name of a process of another host
NOT_YET: Final = "the other hosts are not known yet"  # the hub, or its connection to NATS, ended or began a moment ago


class Place(NamedTuple):
    """A process of another host that accepts sessions, and how many it has."""

    name: str
    people: int


class Hosts:
    """Other hosts, as a worker or the frontend knows them. None is removed while it is NOT_YET known which there are."""

    def __init__(self) -> None:
        self.are_known = False  # whether the hub knows them
        self.others: list[Host] = []
        self.away: str | None = None  # why the hub has no connection to NATS
        self.writes = VERSION  # version of session records for other hosts: one that all of them read

    def take(self, away: str | None, rows: Iterable[Sequence[Any]]) -> None:
        """Replace the list; while it is NOT_YET known, only add and replace hosts. Raises TypeError for a row that is no host."""
        heard = [Host(*row) for row in rows]
        nodes = {one.node for one in heard}
        self.away = away
        self.are_known = away != NOT_YET
        self.others = heard if self.are_known else [*[one for one in self.others if one.node not in nodes], *heard]
        self.writes = min([VERSION, *[one.writes for one in self.others]])

    def lose(self) -> None:
        """Note that the hub is gone."""
        self.are_known = False

    def at(self, node: str) -> Host | None:
        """Return the host of a node, None: it is unknown."""
        return next((one for one in self.others if one.node == node), None)

    @property
    def nodes(self) -> frozenset[str] | None:
        """Nodes of the other hosts; None: they are not known."""
        return frozenset([one.node for one in self.others]) if self.are_known else None

    def there(self) -> bool:
        """Whether there may be another host: there is one, or that is not known."""
        return bool(self.others) or not self.are_known

    def places(self) -> list[Place]:
        """Return processes to which sessions may move: each host that serves has a first worker, at least."""
        return first_workers(self.others)

    def addresses(self) -> list[str]:
        """Return the addresses of their rpc servers, each once."""
        return list(dict.fromkeys(one.address for one in self.others))

    def unwell(self) -> list[str]:
        """Return what is not well, for `/readyz`."""
        if self.away is None:
            return []
        is_new = self.away == NOT_YET
        return [f"cluster: {NOT_YET}" if is_new else f"cluster: this host is alone, NATS is away ({self.away})"]


def named(node: str, worker: int) -> str:
    """Return the name of a process of another host, by its number there, as all processes of this one call it
    (`server.fleet.ipc.process_names`).
    """
    return f"{ABROAD}{node} {worker}"


def first_workers(hosts: Iterable[Host]) -> list[Place]:
    """Return the first workers of hosts that serve."""
    return [Place(named(one.node, 1), one.people) for one in hosts if one.state == SERVING]

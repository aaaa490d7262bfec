"""The other hosts of the cell, as a process knows them whom the hub tells. Rule: it is told all of them each time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from engine.engine import VERSION
from server.fleet.cluster.membership import SERVING, Host

ABROAD: Final = "@"  # begins the name of a process of another host


class Place(NamedTuple):
    """A process of another host that takes people, and how many it has."""

    name: str
    people: int


class Hosts:
    """Of the office, or a worker."""

    def __init__(self) -> None:
        self.others: list[Host] = []
        self.away: str | None = None  # why the hub has no connection to NATS
        self.writes = VERSION  # of the records of people who go to another host: what all hosts read

    def take(self, away: str | None, rows: Iterable[Sequence[Any]]) -> None:
        """What the hub says. Raises TypeError for what it does not say."""
        self.away = away
        self.others = [Host(*row) for row in rows]
        self.writes = min([VERSION, *[one.writes for one in self.others]])

    def at(self, node: str) -> Host | None:
        """The host of a node, None: it is not there."""
        return next((one for one in self.others if one.node == node), None)

    def there(self) -> bool:
        """Whether there is another one."""
        return bool(self.others)

    def places(self) -> list[Place]:
        """Where people may go: each host that serves has a first worker, at least."""
        return first_workers(self.others)

    def addresses(self) -> list[str]:
        """Where they listen for each other, each once."""
        return list(dict.fromkeys(one.address for one in self.others))

    def unwell(self) -> list[str]:
        """For `/readyz`."""
        return [] if self.away is None else [f"cluster: this host is alone, NATS is away ({self.away})"]


def named(node: str, worker: int) -> str:
    """A process of another host, by its number there, as all processes of this one call it (`server.fleet.ipc.process_names`)."""
    return f"{ABROAD}{node} {worker}"


def first_workers(hosts: Iterable[Host]) -> list[Place]:
    """Of those that serve."""
    return [Place(named(one.node, 1), one.people) for one in hosts if one.state == SERVING]

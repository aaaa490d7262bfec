"""The other hosts of the cell, as a process knows them whom the hub tells. Rule: it is told all of them each time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from server.cluster.members import Host


class Hosts:
    """Of the office, or a worker."""

    def __init__(self) -> None:
        self.others: list[Host] = []
        self.away: str | None = None  # why the hub has no connection to NATS

    def take(self, away: str | None, rows: Iterable[Sequence[Any]]) -> None:
        """What the hub says. Raises TypeError for what it does not say."""
        self.away = away
        self.others = [Host(*row) for row in rows]

    def at(self, node: str) -> Host | None:
        """The host of a node, None: it is not there."""
        return next((one for one in self.others if one.node == node), None)

    def addresses(self) -> list[str]:
        """Where they listen for each other, each once."""
        return list(dict.fromkeys(one.address for one in self.others))

    def unwell(self) -> list[str]:
        """For `/readyz`."""
        return [] if self.away is None else [f"cluster: this host is alone, NATS is away ({self.away})"]

"""Report to an operator the progress and the result of the drain of a whole host: sessions left, moved to other hosts, and not moved. The supervisor
and its processes carry out the drain; `server.fleet.roaming.evacuation` moves the sessions.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

from server.fleet.cluster.membership import SERVING
from server.fleet.ipc.ipc_peers import HUB
from server.fleet.supervisor.child_process import Child
from server.fleet.supervisor.control_server import ControlClient

WITHIN: Final = 300.0  # seconds for sessions to move to other hosts
ALONE: Final = "no other host accepts sessions: clients are asked to reconnect, and chats end"
NOT_TAKEN: Final = "sessions that did not migrate were asked to reconnect, and their chats ended"


def others(hub: Child | None) -> int:
    """Return how many other hosts accept sessions, by the hub's last report."""
    cluster: Mapping[str, Any] = {} if hub is None else hub.report.get("cluster", {})
    return sum(state == SERVING for _, _, _, state, *_ in cluster.get("others", ()))


class HostDrain:
    """Drain of one host. `children`: all processes, as they are now."""

    def __init__(self, asker: ControlClient, children: Mapping[str, Child]) -> None:
        self._asker = asker
        self._since = time.monotonic()
        self._before = {name: child.report.get("people", 0) for name, child in children.items()}
        self._went = self._chats = self._stayed = 0
        self.hosts = others(children.get(HUB))
        asker.say({"step": "hosts", "hosts": self.hosts, "said": "" if self.hosts else ALONE})

    def look(self, children: Mapping[str, Child]) -> None:
        """Report how many sessions are left."""
        self._asker.say({"step": "moving", "left": _people(children.values())})

    def gone(self, child: Child) -> None:
        """Add the figures of a process that is dead."""
        match child.report.get("moved"):
            case [int(people), int(chats), int(stayed)]:
                self._went += people
                self._chats += chats
                self._stayed += stayed
            case _:
                self._stayed += self._before.get(child.name, 0)

    def over(self) -> None:
        """Report the end: all processes are dead."""
        stayed = self._stayed
        self._asker.end(
            {
                "done": True, "said": NOT_TAKEN if self.hosts and stayed else "", "people": self._went, "chats": self._chats,
                "stayed": stayed, "seconds": round(time.monotonic() - self._since, 2),
            }
        )  # fmt: skip


def _people(children: Iterable[Child]) -> int:
    return sum(child.report.get("people", 0) for child in children)

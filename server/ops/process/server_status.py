"""Build the answer of `serendip status`, in one form for a single process and for several.
**Invariant:** the answer holds nothing about a single user.
"""

#     {done, phase, version, pid, processes: [{process, pid, age, phase, people, chats, deaths, links}], left, cluster}
#
# `links`: bytes waiting for the other processes, by the names of those that are connected; a single process has none. `left`: during an upgrade,
# sessions still in these processes. `cluster`: this host and the others (`server.fleet.cluster.cluster_heartbeat`).

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from engine.engine import Engine
from engine.views import STATES
from server.ops import version

READY: Final = "ready"
STARTING: Final = "starting"
DRAINING: Final = "draining"  # it ends, or its sessions migrate to other processes
OFF: Final = "off"  # it was told to end, and is not restarted
CHATS_EVERY: Final = 2.0  # seconds: counting chats visits every session
_CHATTING: Final = STATES.index("chatting")


def server(
    phase: str,
    pid: int,
    processes: Sequence[Mapping[str, Any]],
    left: int | None = None,
    cluster: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the status of the server. `left`: sessions that have yet to migrate, None if no migration is in progress."""
    said = {"done": True, "phase": phase, "version": version.VERSION, "pid": pid, "processes": list(processes)}
    more = {"left": left, "cluster": cluster}
    return said | {name: what for name, what in more.items() if what is not None}


def process(
    name: str,
    phase: str,
    pid: int | None = None,
    age: float = 0.0,
    deaths: int = 0,
    report: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the status of one process. `age`: seconds; `report`: its own (`OwnReport.read`), and its links."""
    said = report or {}
    return {
        "process": name, "pid": pid, "age": round(age, 1), "phase": phase, "people": said.get("people", 0),
        "chats": said.get("chats", 0), "deaths": deaths, "links": said.get("links", {}),
    }  # fmt: skip


class OwnReport:
    """Report of a process about its own sessions."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._chats = 0
        self._counted = float("-inf")

    def read(self, now: float) -> dict[str, Any]:
        """Return the number of connected users and of chats; the chats are counted at most every CHATS_EVERY seconds."""
        if now - self._counted >= CHATS_EVERY:
            self._counted = now
            talk = [one.seat for one in self._engine.sessions.values() if one.state == _CHATTING]
            self._chats = len({seat.chat.id for seat in talk if seat is not None})
        return {"people": self._engine.online, "chats": self._chats}

"""How a server stands, as `serendip status` is told. Rule: one form for one process and for several; nothing in it is of a person.

    {done, phase, version, pid, processes: [{process, pid, age, phase, people, chats, deaths, links}], left, cluster}

`links`: bytes that wait for the other processes, by the names of those that can be reached; one process has none.
`left`: while an upgrade runs, people who are still in these processes. `cluster`: of several hosts, this one and the others
(`server.fleet.cluster.cluster_node`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from engine.engine import Engine
from engine.views import STATES
from server.ops import version

READY: Final = "ready"
STARTING: Final = "starting"
DRAINING: Final = "draining"  # it ends, or its people go to other processes
OFF: Final = "off"  # it was told to end, and is not started anew by itself
CHATS_EVERY: Final = 2.0  # seconds: to count chats takes a look at everybody
_CHATTING: Final = STATES.index("chatting")


def server(
    phase: str,
    pid: int,
    processes: Sequence[Mapping[str, Any]],
    left: int | None = None,
    cluster: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The answer to who asks. `left`: people who are yet to go to the next processes, None: nobody is to go."""
    said = {"done": True, "phase": phase, "version": version.VERSION, "pid": pid, "processes": list(processes)}
    more = {"left": left, "cluster": cluster}
    return said | {name: what for name, what in more.items() if what is not None}


def process(
    name: str,
    phase: str,
    pid: int | None = None,
    age: float = 0.0,
    deaths: int = 0,
    stands: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """One process. `age`: seconds; `stands`: what it said of itself (`Standing.say`), and its links."""
    said = stands or {}
    return {
        "process": name, "pid": pid, "age": round(age, 1), "phase": phase, "people": said.get("people", 0),
        "chats": said.get("chats", 0), "deaths": deaths, "links": said.get("links", {}),
    }  # fmt: skip


class Standing:
    """What a process that has people says of itself."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._chats = 0
        self._counted = float("-inf")

    def say(self, now: float) -> dict[str, Any]:
        """People with a connection, and chats, counted anew at most each CHATS_EVERY seconds."""
        if now - self._counted >= CHATS_EVERY:
            self._counted = now
            talk = [one.seat for one in self._engine.sessions.values() if one.state == _CHATTING]
            self._chats = len({seat.chat.id for seat in talk if seat is not None})
        return {"people": self._engine.online, "chats": self._chats}

"""Compute the figures of `/status` and of the `statusInfo` event.

**Invariant:** every field that existing Omegle clients read is present and true.
"""

import re
import time
from typing import Any

import orjson

from engine.engine import Engine
from server.ops.security import allowed_hosts as known_hosts
from server.site.omegle.omegle_event_encoding import event

FRONT = re.compile(r"front\d+|chatserv")  # server names that clients of this protocol have built in
FRESH = 1.0  # seconds that figures are reused: clients request them at every start


class StatusFigures:
    """Figures of one engine. `servers`: the names that clients choose from; `hosts`: the names that this server answers to."""

    def __init__(self, engine: Engine, servers: tuple[str, ...], hosts: tuple[str, ...] = ()) -> None:
        self._engine = engine
        self._servers = servers
        self._any = "*" in hosts  # if every name is answered, `hosts` does not say which names lead here
        self._hosts = tuple(host for host in hosts if host != "*")
        self._until = float("-inf")
        self._found: dict[str, Any] = {}

    def body(self, host: str) -> bytes:
        """Return the response of `/status` for a client that used the name `host`."""
        return orjson.dumps(self._of(host))

    def event(self, host: str) -> bytes:
        """Return the `statusInfo` event."""
        return event("statusInfo", self._of(host))

    def _of(self, host: str) -> dict[str, Any]:
        self._renew()
        host = host.encode(errors="replace").decode()
        return self._found | {"servers": self.names(host), "antinudeservers": [host]}

    def names(self, host: str) -> list[str]:
        """Return the servers for a client that used the name `host`: short names if they lead here, else `host`.

        Some clients append their domain to a name, others connect to the name itself. The former use the domain itself or a name below it (`front1.`,
        `chatserv.`), so a short name is given if it is served below `host` or below its parent.
        """
        bare = host.lower().rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host.lower()
        first, _, parent = bare.partition(".")
        full = [name for name in self._servers if "." in name or ":" in name]
        short = [name for name in self._servers if name not in full and self._leads_here(name, (parent, bare))]
        if self._any and not short and parent and (first in self._servers or FRONT.fullmatch(first)):
            short = [first]  # the only name below its domain that certainly leads here: the client used it
        return [*short, *full] or [host]

    def _leads_here(self, name: str, domains: tuple[str, ...]) -> bool:
        return any(domain and known_hosts.known(f"{name}.{domain}", self._hosts) for domain in domains)

    def _renew(self) -> None:
        now = time.monotonic()
        if now < self._until:
            return
        self._until = now + FRESH
        self._found = self._figures()

    def _figures(self) -> dict[str, Any]:
        asks, discusses = self._engine.room.spy_waits(time.monotonic())
        return {
            "count": self._engine.people,
            "spyQueueTime": float(asks),
            "spyeeQueueTime": float(discusses),
            "antinudepercent": 0.0,
            "rtmfp": "",
            "timestamp": time.time(),
        }

"""`/status`, and the `statusInfo` event: the figures that clients of this protocol look for. Rule: every field is present, each true."""

import re
import time
from typing import Any

import orjson

from engine.engine import Engine
from server.ops.security import allowed_hosts as known_hosts
from server.site.omegle.omegle_events import event

FRONT = re.compile(r"front\d+|chatserv")  # names of servers that clients of this protocol have built in
FRESH = 1.0  # seconds that figures are used again: clients ask at every start


class Status:
    """Figures of one engine. `servers`: the names that clients choose from; `hosts`: the names that are answered here."""

    def __init__(self, engine: Engine, servers: tuple[str, ...], hosts: tuple[str, ...] = ()) -> None:
        self._engine = engine
        self._servers = servers
        self._any = "*" in hosts  # every name is answered: that says nothing about the names that lead here
        self._hosts = tuple(host for host in hosts if host != "*")
        self._until = float("-inf")
        self._found: dict[str, Any] = {}

    def body(self, host: str) -> bytes:
        """The answer of `/status` to who asked by the name `host`."""
        return orjson.dumps(self._of(host))

    def event(self, host: str) -> bytes:
        """The `statusInfo` event."""
        return event("statusInfo", self._of(host))

    def _of(self, host: str) -> dict[str, Any]:
        self._renew()
        host = host.encode(errors="replace").decode()
        return self._found | {"servers": self.names(host), "antinudeservers": [host]}

    def names(self, host: str) -> list[str]:
        """The servers for a client that asked by `host`: short names if they lead here, else `host`.

        Some clients append their domain to what they find, others connect to it as it is. The former ask by the domain itself or
        by a name below it (`front1.`, `chatserv.`), so a short name is given if it is served below `host` or below its parent.
        """
        bare = host.lower().rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host.lower()
        first, _, parent = bare.partition(".")
        full = [name for name in self._servers if "." in name or ":" in name]
        short = [name for name in self._servers if name not in full and self._leads_here(name, (parent, bare))]
        if self._any and not short and parent and (first in self._servers or FRONT.fullmatch(first)):
            short = [first]  # the one name below its domain that certainly leads here: it was asked by
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
            "count": self._engine.everybody,
            "spyQueueTime": float(asks),
            "spyeeQueueTime": float(discusses),
            "antinudepercent": 0.0,
            "rtmfp": "",
            "timestamp": time.time(),
        }

"""`/status`, and the `statusInfo` event: the figures that clients of this protocol look for. Rule: every field is present, each true."""

import time
from typing import Any

import orjson

from engine.engine import Engine
from server.omegle.events import event
from server.security import hosts as known_hosts

FRESH = 1.0  # seconds that figures are used again: clients ask at every start


class Status:
    """Figures of one engine. `servers`: the names that clients choose from; `hosts`: the names that are answered here."""

    def __init__(self, engine: Engine, servers: tuple[str, ...], hosts: tuple[str, ...] = ()) -> None:
        self._engine = engine
        self._servers = servers
        self._hosts = tuple(
            host for host in hosts if host != "*"
        )  # who answers to every name does not know which lead here
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
        """The servers for who asked by `host`: short names where they lead here, else the name that did.

        Some clients put the domain behind what they find, others connect to it as it stands.
        """
        bare = host.lower().rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host.lower()
        first, _, rest = bare.partition(".")
        domain = rest if first in self._servers else bare
        full = [name for name in self._servers if "." in name or ":" in name]
        short = [
            name for name in self._servers if name not in full and known_hosts.known(f"{name}.{domain}", self._hosts)
        ]
        return [*short, *full] or [host]

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

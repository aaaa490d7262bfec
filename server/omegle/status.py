"""`/status`, and the `statusInfo` event: the figures that clients of this protocol look for. Rule: every field is present, each true."""

import time
from typing import Any

import orjson

from engine.engine import Engine
from server.omegle.events import event

FRESH = 1.0  # seconds that an answer is used again: clients ask at every start


class Status:
    """Figures of one engine; `servers` are the names that clients choose from."""

    def __init__(self, engine: Engine, servers: tuple[str, ...]) -> None:
        self._engine = engine
        self._servers = list(servers)
        self._until = float("-inf")
        self._answer = b""
        self._event = b""

    def body(self) -> bytes:
        """The answer of `/status`."""
        self._renew()
        return self._answer

    def event(self) -> bytes:
        """The `statusInfo` event."""
        self._renew()
        return self._event

    def _renew(self) -> None:
        now = time.monotonic()
        if now < self._until:
            return
        self._until = now + FRESH
        found = self._figures()
        self._answer = orjson.dumps(found)
        self._event = event("statusInfo", found)

    def _figures(self) -> dict[str, Any]:
        asks, discusses = self._engine.spy_queues(time.monotonic())
        return {
            "count": self._engine.online,
            "servers": self._servers,
            "spyQueueTime": float(asks),
            "spyeeQueueTime": float(discusses),
            "antinudeservers": self._servers,
            "antinudepercent": 0.0,
            "rtmfp": "",
            "timestamp": time.time(),
        }

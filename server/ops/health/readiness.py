"""What a load balancer is told: starting, ready, degraded, draining. Rule: people are sent elsewhere only where they cannot be served here.

Degraded is ready: a part is away, and people go on chatting without it. 503 says that this instance takes nobody: it does not
yet, or does not any more.
"""

from collections.abc import Callable
from typing import Final, Literal

import orjson
from aiohttp import web

STATUS: Final = {"starting": 503, "ready": 200, "degraded": 200, "draining": 503}
PATHS: Final = frozenset(("/healthz", "/readyz"))  # their answers are about the server and count as nobody's request
TURNED_AWAY: Final = web.RequestKey(
    "turned_away", bool
)  # in a request: its answer says that the server is full, and counts as nobody's either
NO_STORE: Final = {"Cache-Control": "no-store"}


class Health:
    """One of a process. `checks`: functions that name what is not well."""

    def __init__(self) -> None:
        self.phase: Literal["starting", "ready", "draining"] = "starting"
        self.checks: list[Callable[[], list[str]]] = []

    def degraded(self) -> list[str]:
        """The parts that are not well, each with its reason."""
        return [reason for check in self.checks for reason in check()]

    def answer(self, path: str) -> web.Response | None:
        """What one of PATHS is answered, whatever the Host; None: another path."""
        if path == "/healthz":  # 200, since somebody answers
            return web.Response(text="ok\n", headers=NO_STORE)
        return self._ready() if path == "/readyz" else None

    def _ready(self) -> web.Response:
        found = self.degraded()
        status = "degraded" if found and self.phase == "ready" else self.phase
        return web.Response(
            status=STATUS[status],
            body=orjson.dumps({"status": status, "degraded": found}),
            content_type="application/json",
            headers=NO_STORE,
        )

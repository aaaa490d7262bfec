"""Answer a load balancer's health checks: starting, ready, degraded, maintenance or draining.

**Invariant:** 503 means only that this instance accepts no users, not yet or no longer. Degraded (a part failed, users can still chat) is answered
with 200. So is maintenance (chats continue, and none begins): the page says so.
"""

from collections.abc import Callable
from typing import Final, Literal

import orjson
from aiohttp import web

STATUS: Final = {"starting": 503, "ready": 200, "degraded": 200, "maintenance": 200, "draining": 503}
PATHS: Final = frozenset(("/healthz", "/readyz"))  # requests for them are not counted as users' requests
TURNED_AWAY: Final = web.RequestKey(
    "turned_away", bool
)  # request key: the answer says that the server is full, and is not counted as a user's request either
NO_STORE: Final = {"Cache-Control": "no-store"}


class Health:
    """Health of one process. `checks`: functions that name the parts that do not work; `is_maintained`: whether an operator began maintenance."""

    def __init__(self, is_maintained: Callable[[], bool] = bool) -> None:
        self._is_maintained = is_maintained
        self.phase: Literal["starting", "ready", "draining"] = "starting"
        self.checks: list[Callable[[], list[str]]] = []

    def degraded(self) -> list[str]:
        """List the parts that do not work, each with its reason."""
        return [reason for check in self.checks for reason in check()]

    def answer(self, path: str) -> web.Response | None:
        """Return the answer for one of PATHS, for any Host header; None for another path."""
        if path == "/healthz":  # 200, because this process answers
            return web.Response(text="ok\n", headers=NO_STORE)
        return self._ready() if path == "/readyz" else None

    def _ready(self) -> web.Response:
        found = self.degraded()
        status: str = self.phase
        if status == "ready":
            status = "maintenance" if self._is_maintained() else "degraded" if found else "ready"
        return web.Response(
            status=STATUS[status],
            body=orjson.dumps({"status": status, "degraded": found}),
            content_type="application/json",
            headers=NO_STORE,
        )

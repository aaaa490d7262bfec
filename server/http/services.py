"""What the pages and the API may know of the running server. Rule: they read it here; nothing of them reaches into the worker."""

import time
from collections.abc import Callable
from typing import Any

from aiohttp import web

from server.config.settings import Settings
from server.security.proofs import Proofs
from server.store.interface import Store
from server.worker.worker import Worker


class Services:
    """The running parts. `checks`: functions that name what is not well (`readyz`)."""

    def __init__(self, settings: Settings, worker: Worker) -> None:
        self.settings = settings
        self.worker = worker
        self.draining = False
        self.checks: list[Callable[[], str | None]] = []
        self.offers: dict[str, Any] = {"modes": ["text"]}
        self.identities = worker.identities
        self.proofs: Proofs | None = None  # None: college mode is off
        self.store: Store | None = None  # None: nothing is kept

    def add_store(self, store: Store) -> None:
        """There is a store: saves are offered, and it belongs to all that must be well."""
        self.store = store
        self.offers["save"] = True
        self.checks.append(store.unwell)

    def unready(self) -> list[str]:
        """Why not to send new people here; empty: all is well."""
        found = [reason for check in self.checks if (reason := check()) is not None]
        return ["draining: this server is stopping", *found] if self.draining else found

    def status(self) -> dict[str, Any]:
        """Figures that anybody may see."""
        engine = self.worker.engine
        asks, discusses = engine.spy_queues(time.monotonic())
        asking, discussing = engine.spy_sizes()
        return {
            "online": engine.online,
            "spy": {
                "ask": round(asks, 1),
                "discuss": round(discusses, 1),
                "asking": asking,
                "discussing": discussing,
            },
        }

    def config(self) -> dict[str, Any]:
        """What there is: missing keys mean not available."""
        video = self.settings.video
        call = {"video": True, "relay": bool(video.turn)} if video.enabled else {}
        modes = [*self.offers.get("modes", ["text"]), *(["video"] if video.enabled else [])]
        return {"grace": self.settings.session.grace, **self.offers, **call, "modes": modes}


SERVICES = web.AppKey("services", Services)

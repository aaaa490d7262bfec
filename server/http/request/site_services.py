"""What the pages and the API may know of the running server. Rule: they read it here; nothing of them reaches into the worker."""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from aiohttp import web

from engine.engine import Engine
from ext.accept.handshake import Judge
from server.data.records.store_ports import Store
from server.http.request.host_forwarding import Passing
from server.http.request.usual_wait import Counted, Usual
from server.ops.config.settings import Settings
from server.ops.health.readiness import Health
from server.ops.metrics.exposition import Source
from server.ops.security.college_proofs import Proofs
from server.ops.security.host_hints import Places
from server.ops.security.identity_cookie import Identities
from server.ops.security.resume_tokens import Tokens
from server.ops.security.token_buckets import Tables


class Worker(Protocol):
    """What the pages ask of the worker that has the sessions (`server.realtime.worker.worker_loop.Worker`)."""

    identities: Identities

    @property
    def engine(self) -> Engine:
        """Its engine."""

    @property
    def crowded(self) -> bool:
        """Whether nobody new is taken in."""

    def admits_page(self) -> bool:
        """Whether a newcomer who asks for a page is shown it while nobody new is taken in."""

    def turn_away(self) -> int:
        """Count one who was turned away; seconds until the next try."""

    def act(self, handler: Callable[[float], None]) -> None:
        """Call `handler` with the time, and deliver what follows."""

    def take_socket(self, fd: int, address: str, begun: bytes) -> None:
        """Take a connection whose request for `/ws` came by HTTP; `begun`: its bytes so far."""


class Looks(Protocol):
    """Where pictures of cameras go that were asked for (`server.trust.pictures.picture_requests`)."""

    def begin(self, nonce: str, kind: str) -> None:
        """One begins to come. Raises Refused."""

    def take(self, nonce: str, kind: str, body: bytes) -> None:
        """It came. Raises Refused."""


async def nobody_glances(_still: bytes, _frames: int) -> str:
    """Where no picture is looked at."""
    return ""


class Services:
    """The running parts. `sources`: of metrics, of the application's parts; `waits`: how long people waited, in all processes."""

    def __init__(self, settings: Settings, worker: Worker, health: Health, judge: Judge) -> None:
        self.settings = settings
        self.worker = worker
        self.health = health
        self.judge = judge
        self.sources: list[Source] = []
        self.spent = Tables()  # limits of networks and persons, of the application's parts
        self.usual = Usual()
        self.waits: Callable[[], Mapping[str, Counted]] = lambda: worker.engine.measures.waits
        self.offers: dict[str, Any] = {"modes": ["text"]}
        self.identities = worker.identities
        self.places = Places()  # names that lead to this host
        self.shared_digests: bytes | None = (
            None  # what all hosts make digests of programs' users with (`server.site.omegle.partner_digests`)
        )
        self.passing: Passing | None = None  # the way to others; None: there are none
        self.proofs: Proofs | None = None  # None: college mode is off
        self.tokens: Tokens | None = None  # to see that a request is of somebody who is here; None: nobody asks
        self.store: Store | None = None  # None: nothing is kept
        self.moderated: Callable[[], bool] = lambda: False  # whether people are told that somebody reads reports
        self.looks: Looks | None = None  # where pictures that were asked for go; None: nobody asks
        self.pictures: Callable[[], bool] = lambda: False  # whether pictures of cameras are looked at now
        # the verdict on a still that nobody asked for, of so many frames (`server.trust.pictures.service`); "": nobody looked
        self.glance: Callable[[bytes, int], Awaitable[str]] = nobody_glances

    def add_store(self, store: Store) -> None:
        """There is a store: saves are offered, and it belongs to all that must be well."""
        self.store = store
        self.offers["save"] = True
        self.health.checks.append(store.unwell)

    @property
    def draining(self) -> bool:
        """Whether this server is stopping: nothing new begins."""
        return self.health.phase == "draining"

    def status(self) -> dict[str, Any]:
        """Figures that anybody may see."""
        engine = self.worker.engine
        now = time.monotonic()
        asks, discusses = engine.room.spy_waits(now)
        asking, discussing = engine.room.spy_sizes()
        return {
            "online": engine.everybody,
            "usual": self.usual.waits(self.waits(), now),
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
        moderated = {"moderated": self.moderated()} | (self._looked_at() if self.pictures() else {})
        safety = self.settings.safety
        asks: dict[str, Any] = {"adult": True} if safety.require_adult else {}  # what is not asked for is not sent
        asks |= {"young": safety.young} if safety.young else {}
        return {"grace": self.settings.session.grace, **self.offers, **moderated, **call, **asks, "modes": modes}

    def _looked_at(self) -> dict[str, Any]:
        """What is said before a camera is on; `checker`: who scores its pictures, where that is another company."""
        chosen = self.settings.pictures
        if chosen.provider != "http":
            return {"pictures": True}
        named = [one.name for one in self.settings.recipients if one.kind == "moderation"]
        return {"pictures": True, "checker": named[0] if named else str(chosen.url).split("/")[2]}


SERVICES = web.AppKey("services", Services)

"""Define the services that HTTP handlers of pages and API use: their only access to the running server."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from aiohttp import web

from engine.engine import Engine
from ext.accept.handshake import Judge
from server.data.records.store_ports import Store
from server.http.request.host_forwarding import HostForwarding
from server.http.request.match_wait_estimate import UsualWait, WaitHistogram
from server.ops.config.settings import Settings
from server.ops.health.readiness import Health
from server.ops.metrics.metric_type import Source
from server.ops.security.college_proofs import CollegeProofs
from server.ops.security.identity_cookie import Identities
from server.ops.security.resume_tokens import Tokens
from server.ops.security.routable_ids import HostHints
from server.ops.security.token_buckets import BucketRegistry


class Worker(Protocol):
    """The worker as pages see it (`server.realtime.worker.worker_loop.Worker`)."""

    identities: Identities

    @property
    def engine(self) -> Engine:
        """The worker's engine."""

    @property
    def crowded(self) -> bool:
        """Whether newcomers are refused."""

    def admits_page(self) -> bool:
        """Whether a newcomer may be shown a page while newcomers are refused."""

    def turn_away(self) -> int:
        """Count a refused newcomer; return the seconds until the next try."""

    def act(self, handler: Callable[[float], None]) -> None:
        """Call `handler` with the time, and deliver the resulting messages."""

    def take_socket(self, fd: int, address: str, begun: bytes, port: int = 0) -> None:
        """Take over a connection whose request for `/ws` came over HTTP; `begun`: its bytes so far; `port`: the client's, if the socket has none."""


class Looks(Protocol):
    """Receiver of requested camera pictures (`server.trust.pictures.requested_pictures`)."""

    def begin(self, nonce: str, kind: str) -> None:
        """Announce a picture that is about to be received. Raises Refused."""

    def take(self, nonce: str, kind: str, body: bytes) -> None:
        """Receive a picture. Raises Refused."""


class SentHolder(Protocol):
    """Holder of the pictures that users send each other (`server.trust.pictures.picture_relay`)."""

    def begin(self, key: str) -> None:
        """Announce a picture that is about to be received. Raises Refused."""

    def take(self, key: str, body: bytes) -> None:
        """Receive a picture. Raises Refused."""

    def stop(self, key: str) -> None:
        """Release a key whose picture did not arrive whole."""

    def give(self, key: str) -> bytes | None:
        """Return a picture; None: the key is unknown."""


class PuzzleMaker(Protocol):
    """Maker of the puzzles of forms (`server.trust.challenge.altcha_puzzles.Puzzles`)."""

    def make(self, session: int, level: int) -> dict[str, Any]:
        """Return a puzzle. Blocks for a millisecond."""

    def right(self, session: int, level: int, response: str) -> bool:
        """Whether `response` solves a puzzle that was not solved before."""


async def no_verdict(_still: bytes, _frames: int) -> str:
    """Return no verdict, on servers that do not check pictures."""
    return ""


@dataclass(frozen=True)
class SiteParts:
    """Collaborators of the pages beside the worker. None: this deployment has none."""

    proofs: CollegeProofs | None = None  # of college mode
    tokens: Tokens | None = None  # to check that a request is from a user with a session
    puzzles: PuzzleMaker | None = None  # of forms; None: they ask for none
    places: HostHints | None = None  # names that lead to this host
    shared_digests: bytes | None = (
        None  # the key of all hosts for digests of clients' users (`server.site.omegle.partner_digests`)
    )
    find_waits: Callable[[], Mapping[str, WaitHistogram]] | None = (
        None  # histograms of waiting times, of all processes; None: of the worker
    )
    find_passing: Callable[[], HostForwarding | None] = lambda: None  # forwarding to other hosts
    is_moderated: Callable[[], bool] = bool  # whether the page says that a moderator reads reports
    find_looks: Callable[[], Looks | None] = lambda: None  # the receiver of requested pictures
    find_sent: Callable[[], SentHolder | None] = lambda: None  # the holder of pictures that users send each other
    are_pictures_judged: Callable[[], bool] = bool  # whether pictures of cameras are checked now
    # Returns what a new connection of an address and cookie would be told (`ext.accept.address_limits.Addresses.refusal`); -1: it is accepted.
    find_refusal: Callable[[str, bytes | None], int] = lambda *_: -1
    find_service: Callable[[], Mapping[str, Any]] = dict  # what operators say to all users (`ServiceState.told`)
    # Returns the verdict on an unrequested still, of so many frames (`server.trust.pictures.picture_check_service`); "": it was not checked.
    glance: Callable[[bytes, int], Awaitable[str]] = no_verdict


NO_PARTS: Final = SiteParts()


class Services:
    """The running parts. `sources`: the application's sources of metrics."""

    def __init__(
        self, settings: Settings, worker: Worker, health: Health, judge: Judge, parts: SiteParts = NO_PARTS
    ) -> None:
        self.settings = settings
        self.worker = worker
        self.health = health
        self.judge = judge
        self.sources: list[Source] = []
        self.spent = BucketRegistry()  # the application's limits of networks and users
        self.usual = UsualWait()
        self._find_waits = parts.find_waits or (lambda: worker.engine.measures.waits)
        self._parts = parts
        self.offers: dict[str, Any] = {"modes": ["text"]}
        self.identities = worker.identities
        self.places, self.shared_digests = parts.places or HostHints(), parts.shared_digests
        self.proofs, self.tokens, self.puzzles = parts.proofs, parts.tokens, parts.puzzles
        self.service, self.find_refusal = parts.find_service, parts.find_refusal
        self.moderated, self.pictures, self.glance = parts.is_moderated, parts.are_pictures_judged, parts.glance
        self.store: Store | None = None  # None: nothing is stored

    def use(self, settings: Settings) -> None:
        """Apply changed settings."""
        self.settings = settings

    @property
    def passing(self) -> HostForwarding | None:
        """Forwarding to other hosts; None on a single host."""
        return self._parts.find_passing()

    @property
    def looks(self) -> Looks | None:
        """The receiver of requested pictures; None: none are requested."""
        return self._parts.find_looks()

    @property
    def sent(self) -> SentHolder | None:
        """The holder of pictures that users send each other; None: they send none."""
        return self._parts.find_sent()

    def add_store(self, store: Store) -> None:
        """Attach the store: saves are offered, and the store's health counts."""
        self.store = store
        self.offers["save"] = True
        self.health.checks.append(store.unwell)

    @property
    def draining(self) -> bool:
        """Whether this server is stopping and begins nothing new."""
        return self.health.phase == "draining"

    def status(self) -> dict[str, Any]:
        """Return the public figures."""
        engine = self.worker.engine
        now = time.monotonic()
        asks, discusses = engine.room.spy_waits(now)
        asking, discussing = engine.room.spy_sizes()
        told = self.service()
        return {
            **({"service": told} if told else {}),
            "online": engine.people,
            "talking": engine.talking(now),
            "usual": self.usual.waits(self._find_waits(), now),
            "spy": {
                "ask": round(asks, 1),
                "discuss": round(discusses, 1),
                "asking": asking,
                "discussing": discussing,
            },
        }

    def config(self) -> dict[str, Any]:
        """Return the offered features; a missing key means that a feature is not available."""
        video = self.settings.video
        call = {"video": True, "relay": bool(video.turn)} if video.enabled else {}
        modes = [*self.offers.get("modes", ["text"]), *(["video"] if video.enabled else [])]
        moderated = {"moderated": self.moderated()} | (self._looked_at() if self.pictures() else {})
        if self.sent is not None:
            moderated["in_chat"] = self.settings.pictures.in_chat
        safety = self.settings.safety
        # requirements that do not hold are left out
        asks: dict[str, Any] = {"adult": True} if safety.require_adult else {}
        asks |= {"young": safety.young} if safety.young else {}
        if self.store is not None and self.store.statistics.busy is not None:
            asks["hours"] = self.store.statistics.busy
        look = self.settings.page
        asks |= {name: value for name, value in (("name", look.name), ("sentence", look.sentence)) if value}
        return {"grace": self.settings.session.grace, **self.offers, **moderated, **call, **asks, "modes": modes}

    def _looked_at(self) -> dict[str, Any]:
        """Return the notice about picture checks; `checker`: the company that scores the pictures, if one does."""
        chosen = self.settings.pictures
        if chosen.provider != "http":
            return {"pictures": True}
        named = [one.name for one in self.settings.recipients if one.kind == "moderation"]
        return {"pictures": True, "checker": named[0] if named else str(chosen.url).split("/")[2]}


SERVICES = web.AppKey("services", Services)

"""Accept still pictures that an HTTP client uploads of its own camera (`/upload`), and score them in the picture process.

**Invariant:** an upload is never stored and is no evidence, because the client chooses its content. One that scores high only makes the server
request pictures from the partner's browser.
"""

import asyncio
import contextlib
import time
from math import inf
from typing import Final

from aiohttp import web

from engine.views import CHATTING
from ext.accept.address_limits import key_of
from ext.base.ageing_map import AgeingMap
from server.http.request.client_info import CLIENT_INFO
from server.http.request.forms import BadForm, Form, read, take
from server.http.request.host_forwarding import ASKS, LATEST, PICTURE, Away, Gone, forwarded_header, is_forwarded
from server.http.request.site_services import Services
from server.ops import log
from server.ops.metrics.metric_table import VALUES
from server.ops.metrics.metric_type import Reading
from server.ops.security.token_buckets import Buckets, network
from server.site.omegle import omegle_answers
from server.site.omegle.omegle_adapter import OmegleAdapter
from server.site.omegle.omegle_answers import WIN
from server.site.omegle.omegle_client import ID_BEFORE, OmegleClient
from server.site.omegle.randid_lookup import find_host, others
from server.trust.pictures.picture_process_codec import FRAMES_MAX, HIT, STILL_MAX, UNSURE

UPLOAD_MAX: Final = 1024 * 1024  # bytes that are read: a still longer than KEPT is discarded unseen
KEPT: Final = STILL_MAX
EVERY: Final = 10.0  # seconds between two of a client
RATE: Final = 5.0  # a second, of all
LOOKED_UP: Final = (10.0, 2.0)  # at once and a second, per network: each searches all clients
SUSPECT: Final = frozenset((UNSURE, HIT))

logger = log.get()


class PictureUploads:
    """The handler. `close` cancels a score in progress.

        read completely (KEPT bytes are held) ─▷ find its call ─▷ scored, while no other picture waits ─▷ not clean: `Engine.suspect`

    The response is sent before the score. A client's stills are scored once in EVERY seconds; of all clients one at a time, RATE a second.
    """

    def __init__(self, adapter: OmegleAdapter, services: Services) -> None:
        self._adapter = adapter
        self._services = services
        self._limit = services.spent.add("omegle.uploads", Buckets(*LOOKED_UP))
        self._next = 0.0  # when another one may be scored
        self._lately: AgeingMap[str, None] = (
            AgeingMap()
        )  # when each client's last one was, the longest ago first; of the last EVERY seconds
        self._scoring: asyncio.Task[None] | None = None
        self.tally = dict.fromkeys(VALUES["serendip_omegle_uploads"]["result"], 0)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer `win` in any case."""
        parts: list[bytes] = []
        size = 0

        def hold(part: bytes) -> None:
            nonlocal size
            size += len(part)
            if size <= KEPT:
                parts.append(part)
            else:
                parts.clear()

        try:
            asked = Form(read(request.rel_url.raw_query_string))
            await take(request, UPLOAD_MAX, hold)
        except BadForm as bad:
            return omegle_answers.refused(bad.status)
        asks = forwarded_header(request, ASKS) == LATEST
        client = await self._find(request, asked) if parts or asks else None
        if asks:
            return omegle_answers.text(b"" if client is None else b"0")
        passing = others(request)
        if isinstance(client, str):
            if passing is not None:
                with contextlib.suppress(Gone, Away):
                    await passing.ask(request, client, PICTURE, b"".join(parts))
            return omegle_answers.text(WIN)
        if client is None or not self._may(client, time.monotonic()):
            self.tally["passed"] += 1
        else:
            work = self._score(client, b"".join(parts), _frames(asked.get("num_frames")))
            self._scoring = asyncio.get_running_loop().create_task(work)
        return omegle_answers.text(WIN)

    async def _find(self, request: web.Request, asked: Form) -> OmegleClient | str | None:
        """Find the client whose call it may be of: by its id, or by its browser's randid in this network; None if it is not in a call; the address
        of the host that has it.
        """
        adapter, passing = self._adapter, others(request)
        if client := adapter.clients.get(asked.get("id")):
            return client if _calls(client) else None
        if passing is not None and (host := await passing.of_id(asked.get("id").removeprefix(ID_BEFORE))) is not None:
            return host
        address = request.app[CLIENT_INFO].address(request)
        if not asked.get("randid") or not (is_forwarded(request) or self._may_look(network(address), time.monotonic())):
            return None
        person, key = adapter.digests.person(asked.get("randid")), key_of(address)
        there = (one for one in adapter.clients.values() if one.person == person and one.key == key and _calls(one))
        found = next(there, None)
        if found is None and passing is not None:
            return await find_host(passing, request, PICTURE, b"", LATEST, inf)
        return found

    def _may_look(self, name: str, now: float) -> bool:
        """Count a search in a network; return whether it is allowed."""
        if self._limit.wait(name, now):
            return False
        self._limit.take(name, now)
        return True

    def _may(self, client: OmegleClient, now: float) -> bool:
        """Whether a still of this client is scored now; if so, others of it are not for a while."""
        lately = self._lately
        lately.expire(now)
        if client.id in lately or now < self._next or (self._scoring is not None and not self._scoring.done()):
            return False
        lately.put(client.id, None, now + EVERY, now)
        self._next = now + 1 / RATE
        return True

    async def _score(self, client: OmegleClient, still: bytes, frames: int) -> None:
        try:
            verdict = await self._services.glance(still, frames)
        except Exception as fault:  # noqa: BLE001 - a fault here costs this still only
            logger.error("pictures.fault", **log.described(fault))
            verdict = ""
        self.tally[verdict or "passed"] += 1
        engine = self._services.worker.engine
        session = engine.sessions.get(client.session.id)
        if verdict in SUSPECT and session is not None:  # it may have migrated meanwhile
            self._services.worker.act(lambda now: engine.suspect(session, now))

    async def close(self) -> None:
        """Cancel the score in progress."""
        if self._scoring is not None:
            self._scoring.cancel()
            await asyncio.wait((self._scoring,))

    def reading(self) -> Reading:
        """Return the counts of uploads, as a source of metrics."""
        return {"serendip_omegle_uploads": {(result,): count for result, count in self.tally.items()}}


def _calls(client: OmegleClient) -> bool:
    """Whether a client is in a video chat."""
    seat = client.session.seat
    return not client.gone and client.session.state == CHATTING and seat is not None and seat.chat.video


def _frames(said: str) -> int:
    """Return the number of pictures stacked in one, as its sender says; 1 if that is not a valid number."""
    return int(said) if said.isascii() and said.isdigit() and len(said) < 3 and 0 < int(said) <= FRAMES_MAX else 1

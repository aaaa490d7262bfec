"""Forward an HTTP request to the host of the cluster that can answer it, named by a hint in the request (`server.ops.security.routable_ids`).

**Invariant:** a request is forwarded at most once; number and duration of forwarded requests are bounded, so that a slow host delays only
requests for itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Final

import aiohttp
from aiohttp import web
from aiohttp.client_proto import ResponseHandler
from aiohttp.tracing import Trace
from multidict import CIMultiDict
from yarl import URL

from ext.base.ageing_map import AgeingMap
from server.fleet.cluster.membership import SERVING, SILENT, Host
from server.fleet.rpc.rpc_client import HostAway, RpcClient
from server.fleet.rpc.rpc_envelope import Kind
from server.http.request.client_info import CLIENT_INFO
from server.http.request.host_forwarding import ADDRESS, ASKS, BASE, RELEASE, WHATS, Away, Gone
from server.http.request.http_client import read_bounded
from server.http.request.reactor_handoff import Handler
from server.ops import log
from server.ops.metrics.cluster_metrics import PASSED_RESULTS
from server.ops.metrics.metric_type import Reading
from server.ops.security.routable_ids import HostHints
from server.ops.version import VERSION

CONNECTING: Final = 8  # connections to a host that are made at once: its server has room for few, of all hosts
AT_ONCE: Final = 128  # requests of a host that are under way, polls apart
HELD_MAX: Final = 4_096  # polls of all hosts
WITHIN: Final = 10.0  # seconds for an answer; a poll may be held longer by its hold time
IDLE: Final = 15.0  # seconds that an idle connection is kept: the other end keeps it longer
ANSWER_MAX: Final = 1 << 20  # bytes
TICK: Final = 1.0  # seconds between two checks of held polls
SETTLES: Final = 2.0  # seconds after the start in which a running host may be still unknown
WAITING_MAX: Final = 1_000  # requests that wait for that
TOLD_EVERY: Final = 60.0  # seconds between two lines of the log
PAGES_MAX: Final = 256  # versions of the page that no host has
UNKNOWN: Final = 10.0  # seconds for which that is remembered
# Fields of a request that are passed on: not those of its connection, nor of proxies.
FIELDS: Final = (
    "Host", "Accept", "Accept-Encoding", "Accept-Language", "Content-Type", "Cookie", "If-None-Match", "Origin", "Sec-Fetch-Site", "Sec-GPC",
)  # fmt: skip
# Fields of an answer that belong to its connection.
OF_CONNECTIONS: Final = frozenset({"connection", "content-length", "date", "keep-alive", "server", "transfer-encoding"})

logger = log.get()


class Connector(aiohttp.BaseConnector):
    """Connections to frontends of other hosts, by the addresses of their rpc servers."""

    def __init__(self, asker: RpcClient) -> None:
        super().__init__(keepalive_timeout=IDLE, limit=0)
        self._asker = asker
        self._turns: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(CONNECTING))

    async def _create_connection(
        self,
        req: aiohttp.ClientRequest,
        traces: Sequence[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - its base has it
    ) -> ResponseHandler:
        async with self._turns[req.url.authority]:
            sock, _ = await self._asker.reach(req.url.authority, Kind.HTTP, b"")
        try:
            _, protocol = await self._loop.create_connection(self._factory, sock=sock)
        except BaseException:
            sock.close()
            raise
        return protocol


class Proxy:
    """Proxy of one frontend (`HostForwarding`). Call it in the loop. `hold`: seconds that a poll is held; `hosts`:
    returns the known hosts.

        hint (`server.ops.security.routable_ids`) ─▷ address of its host ─▷ a connection to the rpc server there that became one of HTTP (Kind.HTTP)

    Connections are reused for other clients: each request names its client. The other host's frontend serves such a connection like any other,
    and hands it to the next frontend in an upgrade. A poll is held at the other host; it is released if its client leaves or sends more, or if
    this frontend hands over.
    """

    def __init__(self, asker: RpcClient, places: HostHints, hosts: Callable[[], Sequence[Host]], hold: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._places = places
        self._hosts = hosts
        self._hold = hold
        self._session = aiohttp.ClientSession(
            connector=Connector(asker), cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        )  # fmt: skip
        self._settled = self._loop.time() + SETTLES
        self._news: asyncio.Future[None] = self._loop.create_future()  # resolved when the known hosts change
        self._waiting = 0
        self._busy: Counter[str] = Counter()  # requests under way, by host
        self._held: dict[asyncio.Task[web.Response], tuple[web.Request, str, bytes]] = {}
        self._releasing: dict[asyncio.Task[web.Response], asyncio.Task[None]] = {}  # by the poll
        self._unknown: AgeingMap[str, None] = AgeingMap(PAGES_MAX)  # versions of the page that no host has
        self._told = float("-inf")
        self._ticking = self._loop.call_later(TICK, self._tick)
        self.tally: Counter[tuple[str, str]] = Counter()

    # look-up of the host

    def know(self) -> None:
        """Note that the known hosts changed."""
        self._know()
        self._news.set_result(None)
        self._news = self._loop.create_future()

    def _know(self) -> None:
        now = time.monotonic()
        self._places.know([host.address for host in self._hosts()], now)
        self._places.forget(now)

    async def of_id(self, letters: str) -> str | None:
        """See `HostForwarding`."""
        return await self._of(lambda: self._places.of_letters(letters))

    async def of_token(self, token: str) -> str | None:
        """See `HostForwarding`."""
        return await self._of(lambda: self._places.of_token(token))

    async def _of(self, look: Callable[[], str | None]) -> str | None:
        """Return the host that a name names; at the start wait for the hosts to be known."""
        found = look()
        while found is None and self._waiting < WAITING_MAX and (left := self._settled - self._loop.time()) > 0:
            self._waiting += 1
            try:
                await asyncio.wait((self._news,), timeout=left)
            finally:
                self._waiting -= 1
            found = look()
        return None if found == self._places.here else found

    @property
    def others(self) -> list[str]:
        """See `HostForwarding`."""
        return self._places.others

    def chosen(self, key: bytes) -> str | None:
        """Choose the host whose address has the highest hash with the key, see `HostForwarding`."""
        here, others = self._places.here, [host.address for host in self._hosts() if host.state in (SERVING, SILENT)]
        address = max((here, *others), key=lambda one: blake2b(key, digest_size=16, salt=_salt(one)).digest())
        return None if address == here else address

    def of_page(self, version: str) -> str | None:
        """Return a host of another release than this, see `HostForwarding`."""
        self._unknown.expire(self._loop.time())
        if version in self._unknown:
            return None
        return next((host.address for host in self._hosts() if host.version != VERSION), None)

    def unknown_page(self, version: str) -> None:
        """Note that no host has a version of the page, see `HostForwarding`: it is requested again after a while."""
        now = self._loop.time()
        self._unknown.put(version, None, now + UNKNOWN, now)

    # passing on

    async def ask(
        self, request: web.Request, address: str, what: str, body: bytes = b"", *, asks: str = "", held: bool = False
    ) -> web.Response:
        """See `HostForwarding`."""
        if len(self._held) >= HELD_MAX if held else self._busy[address] >= AT_ONCE:
            self.tally[what, "full"] += 1
            raise Away
        try:
            if held:
                answer = await self._hold_on(request, address, body)
            else:
                answer = await self._counted(request, address, body, asks)
        except (HostAway, aiohttp.ClientError, TimeoutError, OSError) as fault:
            there = any(host.address == address for host in self._hosts())
            self._tell(address, fault)
            self.tally[what, "away" if there else "gone"] += 1
            raise (Away if there else Gone) from None
        self.tally[what, "answered"] += 1
        return answer

    async def _counted(self, request: web.Request, address: str, body: bytes, asks: str) -> web.Response:
        self._busy[address] += 1
        try:
            return await self._exchange(request, address, body, asks, WITHIN)
        finally:
            self._busy[address] -= 1
            if not self._busy[address]:
                del self._busy[address]

    async def _hold_on(self, request: web.Request, address: str, body: bytes) -> web.Response:
        """Pass on a poll, as long as its client waits for it."""
        work = self._loop.create_task(self._exchange(request, address, body, "", self._hold + WITHIN))
        self._held[work] = request, address, body
        try:
            await asyncio.wait((work,))
            return web.Response() if work.cancelled() else work.result()  # the client has left
        finally:
            del self._held[work]
            work.cancel()

    async def _exchange(
        self, request: web.Request, address: str, body: bytes, asks: str, within: float
    ) -> web.Response:
        """Send one request and return its answer. Raises HostAway, ClientError, TimeoutError, OSError."""
        async with self._session.request(
            request.method, URL(f"http://{address}{request.rel_url.raw_path_qs}", encoded=True),
            data=body or None, headers=_fields(request, asks), allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=within),
        ) as found:  # fmt: skip
            sent = await read_bounded(found, ANSWER_MAX)
            if sent is None:
                raise aiohttp.ClientPayloadError
            said = CIMultiDict(
                (name, value) for name, value in found.headers.items() if name.lower() not in OF_CONNECTIONS
            )
            return web.Response(status=found.status, body=sent, headers=said)

    # held polls

    def _tick(self) -> None:
        self._ticking = self._loop.call_later(TICK, self._tick)
        self._know()  # because a host may have come that was silent
        for work, (request, address, body) in list(self._held.items()):
            handler = request.protocol
            if request.transport is None or request.transport.is_closing():
                work.cancel()  # the connection to the other host ends too: there it is a drop like any other
            elif isinstance(handler, Handler) and (handler.ahead or handler.door.leaving):
                self._release(work, request, address, body)

    def _release(self, work: asyncio.Task[web.Response], request: web.Request, address: str, body: bytes) -> None:
        """Let the other host answer a poll now."""
        if work not in self._releasing:
            self._releasing[work] = task = self._loop.create_task(self._ask_release(request, address, body))
            task.add_done_callback(lambda _: self._releasing.pop(work))

    async def _ask_release(self, request: web.Request, address: str, body: bytes) -> None:
        with contextlib.suppress(HostAway, aiohttp.ClientError, TimeoutError, OSError):  # then it ends with its time
            await self._exchange(request, address, body, RELEASE, WITHIN)

    # the rest

    def _tell(self, address: str, fault: BaseException) -> None:
        now = self._loop.time()
        if now - self._told >= TOLD_EVERY:
            self._told = now
            logger.warning("cluster.not_passed", said=f"{address}: {str(fault) or type(fault).__name__}")

    def reading(self) -> Reading:
        """Return the metrics."""
        return {
            "serendip_http_forwarded": {(what, result): self.tally[what, result] for what in WHATS for result in PASSED_RESULTS},
            "serendip_http_passing": len(self._held) + self._busy.total(),
        }  # fmt: skip

    async def close(self) -> None:
        """Pass on no more."""
        self._ticking.cancel()
        tasks = [*self._held, *self._releasing.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._session.close()


def _salt(address: str) -> bytes:
    return blake2b(address.encode(), digest_size=16).digest()


def _fields(request: web.Request, asks: str) -> CIMultiDict[str]:
    """Return the header fields of a request that another host needs."""
    info = request.app[CLIENT_INFO]
    found = CIMultiDict((name, request.headers[name]) for name in FIELDS if name in request.headers)
    found[ADDRESS], found[BASE] = info.address(request), info.base(request)
    if asks:
        found[ASKS] = asks
    return CIMultiDict((name, value.encode(errors="replace").decode()) for name, value in found.items())

"""Hosts in the test's loop that pass requests on to each other: a real door, cluster port and proxy each, and an application of the test's."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
from aiohttp import web

from ext.accept.address_limits import Addresses
from ext.accept.handshake import Judge
from server.fleet.cluster.http_proxy import Proxy
from server.fleet.cluster.membership import SERVING, Host
from server.fleet.rpc.rpc_client import RpcClient
from server.fleet.rpc.rpc_envelope import Kind, Status
from server.fleet.rpc.rpc_seal import Seal
from server.fleet.rpc.rpc_server import Answer, Request, RpcServer
from server.http.request.client_info import CLIENT_INFO, add_client_info
from server.http.request.counted_connections import PASSED_ON
from server.http.request.host_forwarding import OMEGLE, Away, Gone, is_forwarded
from server.http.request.reactor_handoff import Door
from server.http.request.request_migration import pass_on
from server.http.request.site_services import SERVICES
from server.ops.process.listening_sockets import listen_at
from server.ops.security.routable_ids import HostHints
from server.ops.security.secret_keys import Keys
from server.ops.version import VERSION

Answers = Callable[[web.Request, bytes], Awaitable[web.StreamResponse]]


class There:
    """One host. `answers`: what it says to a request that is its own to answer; `hosts`: who it thinks is there."""

    def __init__(self, secret: Keys) -> None:
        self.sock, self.public = listen_at("127.0.0.1", 0), listen_at("127.0.0.1", 0)
        self.address = f"127.0.0.1:{self.sock.getsockname()[1]}"
        self.url = f"http://127.0.0.1:{self.public.getsockname()[1]}"
        self.places = HostHints(secret, self.address)
        self.hosts: list[Host] = []
        self.answers: Answers = self.tells
        self.asked: list[str] = []  # ids that it was asked for
        seal = Seal(secret)
        self.asker = RpcClient(seal, secrets.token_hex(5))
        self.port = RpcServer(self.sock, seal, self.address, {Kind.HTTP: self._http})
        self.arrived = 0
        self.judge = Judge(hosts=[], origins=[], proxies=["127.0.0.1/32"])

    async def open(self) -> None:
        self.proxy = Proxy(self.asker, self.places, lambda: self.hosts, 30.0)
        app = web.Application(middlewares=[pass_on])
        settings = SimpleNamespace(server=SimpleNamespace(origins=()))
        app[SERVICES] = cast(Any, SimpleNamespace(judge=self.judge, settings=settings, passing=self.proxy))
        add_client_info(app)
        app.router.add_route("*", "/{id}", self._answer)
        self.runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self.runner.setup()
        many = Addresses(open_max=5_000, burst=5_000, rate=9, limits=True)
        self.door = Door(cast(Any, self.runner.server), self.judge, many)
        self.port.start()
        self._accepting = asyncio.create_task(self._accept())

    async def close(self) -> None:
        self._accepting.cancel()
        await asyncio.gather(self._accepting, return_exceptions=True)
        await self.port.close()
        await self.runner.cleanup()
        await self.proxy.close()
        self.public.close()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            sock, _ = await loop.sock_accept(self.public)
            self.door.take(sock.detach(), b"", loop.time())

    async def _http(self, _: Request) -> Answer:
        def keep(sock: socket.socket) -> None:
            self.arrived += 1
            self.door.arrive(sock.detach(), PASSED_ON, b"")

        return Answer(Status.TAKEN, keep=keep)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        """As a handler of Omegle's protocol: whose it is answers, and nobody else is asked by who was asked by a host."""
        id, sent = request.match_info["id"], await request.read()
        if not is_forwarded(request) and (host := await self.proxy.of_id(id)) is not None:
            try:
                return await self.proxy.ask(request, host, OMEGLE, sent, held="held" in request.query)
            except Gone:
                return web.Response(status=404)
            except Away:
                return web.Response(status=503)
        self.asked.append(id)
        return await self.answers(request, sent)

    async def tells(self, request: web.Request, sent: bytes) -> web.StreamResponse:
        """What it knows of a request."""
        info = request.app[CLIENT_INFO]
        fields = {name: value for name, value in request.headers.items() if not name.startswith("Serendip")}
        known = {"address": info.address(request), "base": info.base(request), "secure": info.secure(request)}
        return web.json_response({"sent": sent.decode(), "fields": fields, "passed": is_forwarded(request), **known})


def there(*others: There) -> list[Host]:
    """As they are told of."""
    return [Host(secrets.token_hex(5), one.address, VERSION, SERVING, 0, 0.0) for one in others]


@asynccontextmanager
async def hosts(secret: Keys, count: int = 2) -> AsyncIterator[list[There]]:
    """So many that know of each other."""
    made = [There(secret) for _ in range(count)]
    async with contextlib.AsyncExitStack() as stack:
        for one in made:
            await one.open()
            stack.push_async_callback(one.close)
        for one in made:
            one.hosts = there(*[other for other in made if other is not one])
            one.proxy.know()
        yield made


@asynccontextmanager
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    """Who asks."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        yield http

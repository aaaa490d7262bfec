"""Who asks by HTTP: the address, whether the way here was HTTPS, and the identity cookie of a page's visitor.

Rule: what a request says of itself by X-Forwarded-… is believed from the configured proxies only, as for `/ws`.
"""

from collections.abc import Iterable

from aiohttp import web

from ext.accept.handshake import Judge, cookie_value, identity_of
from server.http.request.host_forwarding import ADDRESS, BASE, said
from server.http.request.site_services import SERVICES
from server.ops.security import identity_cookie


class ClientInfo:
    """Reads requests by the rules of one deployment."""

    def __init__(self, judge: Judge, origins: Iterable[str] = ()) -> None:
        """`origins`: where pages of ours are besides."""
        self._judge = judge
        self._origins = frozenset(origin.lower() for origin in origins)

    def address(self, request: web.BaseRequest) -> str:
        """The client's address: the socket's, or what the last proxy that is ours was asked from, here or at the host that passed it on."""
        if (there := said(request, ADDRESS)) is not None:
            return there
        return self._judge.address(request.remote or "", ", ".join(request.headers.getall("X-Forwarded-For", [])))

    def secure(self, request: web.BaseRequest) -> bool:
        """Whether the browser came by HTTPS: TLS ends in front, so a proxy of ours has to say so."""
        if (there := said(request, BASE)) is not None:
            return there.startswith("https:")
        came = request.headers.get("X-Forwarded-Proto", "").strip().lower()
        return came == "https" and self._judge.trusts(request.remote or "")

    def base(self, request: web.BaseRequest) -> str:
        """Where this server is, for a link that goes elsewhere: `https://chat.example`.

        The host was judged before; its port is the client's word, and taken where this server listens or a page of ours is known to be.
        """
        if (there := said(request, BASE)) is not None:
            return there
        scheme = "https" if self.secure(request) else "http"
        place = f"{scheme}://{request.host}"
        name, colon, port = request.host.rpartition(":")
        if not colon or not port.isdigit() or place.lower() in self._origins:
            return place
        ours = request.transport.get_extra_info("sockname") if request.transport is not None else None
        return place if ours is not None and port == str(ours[1]) else f"{scheme}://{name}"

    def cookie(self, request: web.BaseRequest) -> bytes | None:
        """The value of the identity cookie that a request brought, as it came: by HTTPS of `__Host-id` alone, as for `/ws`."""
        return identity_of(_cookie_header(request), self.secure(request))

    async def welcome(self, request: web.Request, response: web.StreamResponse) -> None:
        """`app.on_response_prepare`: the page brings a first visitor's cookie, or renews it. Nothing else sets it."""
        if request.path == "/" and request.method == "GET" and response.status in {200, 304}:
            response.headers.add("Set-Cookie", identity_cookie.answer(self.cookie(request), self.secure(request)))


def cookie_of(request: web.BaseRequest, name: str) -> str:
    """The value of the cookie with exactly this name; "" without one. `request.cookies` also ends a pair at a space, so it finds a name in
    another cookie's value, which any name of the same domain can set."""
    value = cookie_value(_cookie_header(request), name.encode())
    return "" if value is None else value.decode("utf-8", "surrogateescape")


def _cookie_header(request: web.BaseRequest) -> bytes:
    """All Cookie headers as one, as the bytes that came."""
    return "; ".join(request.headers.getall("Cookie", [])).encode("utf-8", "surrogateescape")


CLIENT_INFO = web.AppKey("client_info", ClientInfo)


def add_client_info(app: web.Application) -> None:
    """One part of the application."""
    app[CLIENT_INFO] = ClientInfo(app[SERVICES].judge, app[SERVICES].settings.server.origins)
    app.on_response_prepare.append(app[CLIENT_INFO].welcome)

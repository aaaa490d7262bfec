"""Determine the client of an HTTP request: IP address, whether HTTPS was used, identity cookie.

**Invariant:** X-Forwarded-… headers are trusted only from the configured proxies, as for the WebSocket `/ws`.
"""

from collections.abc import Iterable

from aiohttp import web

from ext.accept.handshake import Judge, cookie_value, identity_of
from server.http.request.host_forwarding import ADDRESS, BASE, forwarded_header
from server.http.request.site_services import SERVICES
from server.ops.security import identity_cookie


class ClientInfo:
    """Reads requests by the rules of one deployment."""

    def __init__(self, judge: Judge, origins: Iterable[str] = ()) -> None:
        """`origins`: further origins of this service's pages."""
        self._judge = judge
        self._origins = frozenset(origin.lower() for origin in origins)

    def address(self, request: web.BaseRequest) -> str:
        """Return the client's address: the socket's, or the one that the last trusted proxy saw, here or at the host that forwarded the request."""
        if (there := forwarded_header(request, ADDRESS)) is not None:
            return there
        return self._judge.address(request.remote or "", ", ".join(request.headers.getall("X-Forwarded-For", [])))

    def port(self, request: web.BaseRequest) -> int:
        """Return the client's source port; 0 if it is unknown."""
        if forwarded_header(request, ADDRESS) is not None:
            return 0  # another host has the connection
        written = ",".join(request.headers.getall(self._judge.port_header, [])) if self._judge.port_header else ""
        port = self._judge.port(request.remote or "", written.encode("utf-8", "surrogateescape"))
        if port >= 0:
            return port
        peer = request.transport.get_extra_info("peername") if request.transport is not None else None
        return int(peer[1]) if isinstance(peer, tuple) else 0

    def secure(self, request: web.BaseRequest) -> bool:
        """Whether the browser came over HTTPS: TLS ends at a proxy, so a trusted proxy has to say so."""
        if (there := forwarded_header(request, BASE)) is not None:
            return there.startswith("https:")
        came = request.headers.get("X-Forwarded-Proto", "").strip().lower()
        return came == "https" and self._judge.trusts(request.remote or "")

    def base(self, request: web.BaseRequest) -> str:
        """Return this server's origin for external links, `https://chat.example`.

        The host was checked before; the port is the client's word, and is accepted if this server listens there or a page of this service is known to
        be there.
        """
        if (there := forwarded_header(request, BASE)) is not None:
            return there
        scheme = "https" if self.secure(request) else "http"
        place = f"{scheme}://{request.host}"
        name, colon, port = request.host.rpartition(":")
        if not colon or not port.isdigit() or place.lower() in self._origins:
            return place
        ours = request.transport.get_extra_info("sockname") if request.transport is not None else None
        return place if ours is not None and port == str(ours[1]) else f"{scheme}://{name}"

    def cookie(self, request: web.BaseRequest) -> bytes | None:
        """Return the value of the request's identity cookie; over HTTPS that of `__Host-id` only, as for `/ws`."""
        return identity_of(_cookie_header(request), self.secure(request))

    async def welcome(self, request: web.Request, response: web.StreamResponse) -> None:
        """Set or renew a visitor's identity cookie with the page (`app.on_response_prepare`). No other response sets it."""
        if request.path == "/" and request.method == "GET" and response.status in {200, 304}:
            response.headers.add("Set-Cookie", identity_cookie.answer(self.cookie(request), self.secure(request)))


def cookie_of(request: web.BaseRequest, name: str) -> str:
    """Return the value of the cookie with exactly this name; "" without one.

    `request.cookies` also ends a pair at a space, so it finds a name in another cookie's value, which any name of the same domain can set.
    """
    value = cookie_value(_cookie_header(request), name.encode())
    return "" if value is None else value.decode("utf-8", "surrogateescape")


def _cookie_header(request: web.BaseRequest) -> bytes:
    """Return all Cookie headers as one, as the received bytes."""
    return "; ".join(request.headers.getall("Cookie", [])).encode("utf-8", "surrogateescape")


CLIENT_INFO = web.AppKey("client_info", ClientInfo)


def add_client_info(app: web.Application) -> None:
    """Add client information to the application, under CLIENT_INFO."""
    app[CLIENT_INFO] = ClientInfo(app[SERVICES].judge, app[SERVICES].settings.server.origins)
    app.on_response_prepare.append(app[CLIENT_INFO].welcome)

"""Who asks by HTTP: the address, whether the way here was HTTPS, and the identity cookie of a page's visitor.

Rule: what a request says of itself by X-Forwarded-… is believed from the configured proxies only, as for `/ws`.
"""

from aiohttp import web

from ext.net.handshake import Judge
from server.http.services import SERVICES
from server.security import identity


class ClientInfo:
    """Reads requests by the rules of one deployment."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge

    def address(self, request: web.BaseRequest) -> str:
        """The client's address: the socket's, or what the last proxy that is ours was asked from."""
        return self._judge.address(request.remote or "", ", ".join(request.headers.getall("X-Forwarded-For", [])))

    def secure(self, request: web.BaseRequest) -> bool:
        """Whether the browser came by HTTPS: TLS ends in front, so a proxy of ours has to say so."""
        said = request.headers.get("X-Forwarded-Proto", "").strip().lower()
        return said == "https" and self._judge.trusts(request.remote or "")

    def cookie(self, request: web.BaseRequest) -> bytes | None:
        """The value of the identity cookie that a request brought, as it came."""
        for name in (identity.SECURE, identity.PLAIN):
            if value := request.cookies.get(name):
                return value.encode("utf-8", "surrogateescape")
        return None

    async def welcome(self, request: web.Request, response: web.StreamResponse) -> None:
        """`app.on_response_prepare`: the page brings a first visitor's cookie, or renews it. Nothing else sets it."""
        if request.path == "/" and request.method == "GET" and response.status in {200, 304}:
            response.headers.add("Set-Cookie", identity.answer(self.cookie(request), self.secure(request)))


CLIENT_INFO = web.AppKey("client_info", ClientInfo)


def add_client_info(app: web.Application) -> None:
    """One part of the application."""
    app[CLIENT_INFO] = ClientInfo(app[SERVICES].judge)
    app.on_response_prepare.append(app[CLIENT_INFO].welcome)

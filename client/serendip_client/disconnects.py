"""Describe why a connection ended, from its close code or HTTP status, and whether another attempt makes sense.

**Invariant:** each reason that keeps a client out has a text that tells the user what to do, and leads to no further attempt.
"""

import asyncio
import base64
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

import aiohttp

from serendip_client.events import Closed
from serendip_client.protocol import COMES_BACK

TRANSIENT: Final = frozenset({408, 425, 429, 500, 502, 503, 504})  # statuses of a refused handshake that may change
BODY_MAX: Final = 2_000  # bytes of a refusal that are read; the server's has one line
BODY_WITHIN: Final = 5.0  # seconds
RETRY_MAX: Final = 3_600.0  # seconds: the longest requested wait that is respected
NO_TLS: Final = frozenset(
    {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}
)  # OpenSSL's message for an answer without TLS
ADVICE: Final[Mapping[int, str]] = {
    200: "a page is there, and no WebSocket: the address ends in /ws",
    400: "something between here and the server broke the request",
    401: "something before the server asks for credentials",
    403: "the server does not take this Origin: send none, or let its operator add it to SERENDIP_SERVER__ORIGINS",
    404: "there is no such path: the address ends in /ws",
    421: "the server does not know this host name: use one that it knows, or let its operator add this one to SERENDIP_SERVER__HOSTS",
    426: "the request to speak WebSocket did not arrive: a proxy between here and the server has to pass on Upgrade and Connection",
    429: "too many connections come from this network",
    502: "the proxy does not reach the server",
    503: "the server is full, or stops",
}


class NoChat(Exception):
    """Raised by `say` outside of a chat."""


class Disconnected(ConnectionError):
    """Raised after the client has ended; `closed` has the reason."""

    def __init__(self, closed: Closed) -> None:
        super().__init__(closed.reason)
        self.closed = closed


@dataclass(frozen=True, slots=True)
class Ending:
    """End of an attempt or connection. `code`: the close code, 1006 if there was none; `after`: seconds that the server requests; `status`:

    HTTP status.
    """

    code: int
    reason: str
    final: bool
    after: float | None = None
    status: int | None = None
    body: str = ""

    def given_up(self, patience: float | None) -> "Ending":
        """Return this ending as final: no further attempt follows."""
        return replace(self, reason=f"{self.reason}; gave up after {patience or 0:g} s", final=True)


FOREIGN: Final = Ending(1002, "a WebSocket is there, and it does not speak serendip.v1", True)
SILENT: Final = Ending(1006, "a WebSocket is there, and it says nothing", False)
UNANSWERED: Final = Ending(1006, "the connection was silent, and did not answer a ping", False)


def closed(code: int | None, said: str, after: float | None) -> Ending:
    """Describe a connection that was closed with `code`; `said`: the server's error message before it."""
    code = code or 1006
    return Ending(code, said or f"the connection ended ({code})", code not in COMES_BACK, after)


def unreachable(error: Exception) -> Ending:
    """Describe an attempt without an answer. An invalid address, a wrong certificate and a port without TLS are final."""
    bad_address = isinstance(error, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError)
    no_tls = isinstance(error, aiohttp.ClientConnectorSSLError) and getattr(error.os_error, "reason", "") in NO_TLS
    final = bad_address or no_tls or isinstance(error, aiohttp.ClientConnectorCertificateError)
    if bad_address:
        words = f"{error} is not an address of a WebSocket: it begins with ws:// or wss://, and ends in /ws"
    elif no_tls:
        words = "no TLS is spoken on this port: use ws://, or the port of the proxy that has the certificate"
    elif isinstance(error, TimeoutError):
        words = "no answer in time"
    else:
        words = f"no server answers there: {error}" if str(error) else f"no server answers there: {error!r}"
    return Ending(1006, words, final)


async def refused(
    http: aiohttp.ClientSession, url: str, headers: Mapping[str, str] | None, error: aiohttp.WSServerHandshakeError
) -> Ending:
    """Describe a refused handshake: its status, its body, what to do. If it is final, the body is requested again."""
    final = error.status not in TRANSIENT
    body = await _body(http, url, headers) if final else ""
    words = f"refused with {error.status}" + (f" ({body})" if body else "")
    if error.status in ADVICE:
        words += f": {ADVICE[error.status]}"
    after = None if final else retry_after(error.headers.get("Retry-After") if error.headers else None)
    return Ending(1006, words, final, after, error.status, body)


def retry_after(value: str | None) -> float | None:
    """Return the seconds of a Retry-After header; None for a date or an invalid value."""
    with suppress(TypeError, ValueError):
        seconds = float(value)  # type: ignore[arg-type] # None is invalid too
        return min(seconds, RETRY_MAX) if seconds >= 0 else None
    return None


async def _body(http: aiohttp.ClientSession, url: str, headers: Mapping[str, str] | None) -> str:
    """Repeat the handshake as a request to read the server's explanation, because aiohttp drops the body of a refusal."""
    asked = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(secrets.token_bytes(16)).decode(),
        **(headers or {}),
    }
    with suppress(aiohttp.ClientError, OSError, TimeoutError):
        async with asyncio.timeout(BODY_WITHIN), http.get("http" + url.removeprefix("ws"), headers=asked) as answer:
            if answer.status != 101 and answer.content_type == "text/plain":
                return " ".join((await answer.content.read(BODY_MAX)).decode(errors="replace").split())
    return ""

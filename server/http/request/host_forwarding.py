"""Define how an HTTP request is forwarded to the host of the cluster that has the requested object in memory.

The implementation is `server.fleet.cluster.http_proxy`; a single host has none.
**Invariant:** a request is forwarded at most once, and the receiving host trusts the client's address and the origin that the forwarding host
states in its own headers.
"""

from __future__ import annotations

from typing import Final, Protocol

from aiohttp import web

from server.http.request.request_end_detector import BoundaryHandler

ADDRESS: Final = "Serendip-Address"  # the client's address
BASE: Final = "Serendip-Base"  # `https://chat.example`, as the forwarding host determined it
ASKS: Final = "Serendip-Asks"  # what the forwarding host wants beside the request itself
RELEASE: Final = "release"  # that a held poll is answered now
LATEST: Final = "latest"  # the age of the latest chat

# kinds of forwarded requests, for the metrics
OMEGLE, LOG, PICTURE, COLLEGE, PAGE, POLL = "omegle", "log", "picture", "college", "page", "poll"
WHATS: Final = (OMEGLE, LOG, PICTURE, COLLEGE, PAGE, POLL)


class Gone(Exception):
    """The host is gone, and the objects in its memory with it."""


class Away(Exception):
    """The host does not answer now, or has too many requests."""


class HostForwarding(Protocol):
    """Forwarding to other hosts (`server.fleet.cluster.http_proxy`)."""

    async def of_id(self, letters: str) -> str | None:
        """Return the other host that has the object with this name of letters; None: this host, or no host."""

    async def of_token(self, token: str) -> str | None:
        """Return the other host that has the object with this token; None: this host, or no host."""

    def of_page(self, version: str) -> str | None:
        """Return another host that may have the files of a page version that this one lacks."""

    def unknown_page(self, version: str) -> None:
        """Note that the host does not have the files of this version."""

    def chosen(self, key: bytes) -> str | None:
        """Return the host that all hosts choose for this key, if all know the same hosts; None: this one."""

    @property
    def others(self) -> list[str]:
        """Other hosts that are connected, or were a moment ago."""

    async def ask(
        self, request: web.Request, address: str, what: str, body: bytes = b"", *, asks: str = "", held: bool = False
    ) -> web.Response:
        """Return a host's response to this request, whose body is `body`. `held`: it may take as long as a poll. Raises Gone, Away."""


def is_forwarded(request: web.BaseRequest) -> bool:
    """Whether another host forwarded the request: it must be answered here."""
    protocol = request.protocol
    return isinstance(protocol, BoundaryHandler) and protocol.passed


def forwarded_header(request: web.BaseRequest, field: str) -> str | None:
    """Return a header that the forwarding host added; None if it did not, or the request was not forwarded."""
    return request.headers.get(field) if is_forwarded(request) else None

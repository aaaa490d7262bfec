"""Requests for what another host of this service has in its memory. Rule: each is passed on once, and what is said of who asked, a host is believed.

The other half is `server.fleet.cluster.http_proxy`; where this host is alone there is none. A request that came from another host has the address
of who
asked and the place of this service, as the browser knows it, in fields of its own: nothing else of its connection is theirs.
"""

from __future__ import annotations

from typing import Final, Protocol

from aiohttp import web

from server.http.request.request_boundary import Bounded

ADDRESS: Final = "Serendip-Address"  # of who asked
BASE: Final = "Serendip-Base"  # `https://chat.example`, as the asked host judged it
ASKS: Final = "Serendip-Asks"  # what the other host wants beside the request itself
RELEASE: Final = "release"  # that a held poll is answered now
LATEST: Final = "latest"  # how old the latest chat is

# what is passed on, for the metrics
OMEGLE, LOG, PICTURE, COLLEGE, PAGE = "omegle", "log", "picture", "college", "page"
WHATS: Final = (OMEGLE, LOG, PICTURE, COLLEGE, PAGE)


class Gone(Exception):
    """The host is not there any more, and what it had in its memory is not either."""


class Away(Exception):
    """The host does not answer now, or too much is asked of it."""


class Passing(Protocol):
    """The way to other hosts (`server.fleet.cluster.http_proxy`)."""

    async def of_id(self, letters: str) -> str | None:
        """The other host that has it; None: this one, or nobody."""

    async def of_token(self, token: str) -> str | None:
        """The same."""

    def of_page(self, version: str) -> str | None:
        """Another host that may have the files of a version of the page that this one has not."""

    def unknown_page(self, version: str) -> None:
        """That host has not."""

    def chosen(self, key: bytes) -> str | None:
        """The host that all hosts choose for this key, None: this one; where all know of the same hosts."""

    @property
    def others(self) -> list[str]:
        """Other hosts that are there, or were a moment ago."""

    async def ask(
        self, request: web.Request, address: str, what: str, body: bytes = b"", *, asks: str = "", held: bool = False
    ) -> web.Response:
        """What a host answers to this request, whose body is `body`. `held`: it may take a poll's time. Raises Gone, Away."""


def passed(request: web.BaseRequest) -> bool:
    """Whether another host passed it on: it is answered here, whatever it asks for."""
    protocol = request.protocol
    return isinstance(protocol, Bounded) and protocol.passed


def said(request: web.BaseRequest, field: str) -> str | None:
    """What another host says of a request that it passed on; None: nothing, or it came by itself."""
    return request.headers.get(field) if passed(request) else None

"""What is common to the pages about one's own data. Rule: nothing is cached, framed, indexed or kept in a cookie, and whatever is wrong about a
proof is answered with the same page.

An act comes by POST, from a page of ours that this browser was shown in the last ten minutes.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from server.data.errors import Crowded, ObjectsAway, StoreAway
from server.data.privacy.registry import REGISTRY
from server.data.statement.term_translations import SAID
from server.http.pages import PAGES
from server.http.request.client_info import CLIENT_INFO
from server.http.request.forms import BadForm, Form, form
from server.http.request.same_origin import from_own_page
from server.http.request.site_services import Services
from server.trust.data_requests import page_token
from server.trust.data_requests.proof import WHOLE, Proved
from server.trust.data_requests.rights_limits import Limits
from server.trust.data_requests.rights_ports import Rights
from server.trust.rights.rights_language import Language, language

PRIVATE = {
    "Cache-Control": "private, no-store",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept-Language, Cookie",
}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Refused(Exception):
    """Nothing was done. `why`: wrong, wait, away, origin, late, unread; `wait`: seconds."""

    def __init__(self, why: str, status: int, wait: float = 0.0) -> None:
        super().__init__(why)
        self.why = why
        self.status = status
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Page:
    """What a page's forms carry on. `proof`: what was shown in place of a cookie."""

    token: str
    query: str
    proof: str = ""


@dataclass(slots=True)
class Visit:
    """One request to one of these pages: who, by what, in which language."""

    request: web.Request
    tongue: Language
    identity: int  # of the cookie; 0: none
    fields: Form = field(default_factory=lambda: Form([]))

    @property
    def proof(self) -> str:
        """What was shown in place of the cookie."""
        return self.fields.get("proof").strip()


class Gate:
    """What every request to these pages passes: the bounds, the page's token, the proof."""

    def __init__(self, services: Services, rights: Rights) -> None:
        self.rights = rights
        self.limits = Limits(services.spent, on=services.settings.limits.enabled)
        self._identities = services.identities

    def visit(self, request: web.Request) -> Visit:
        """Who comes."""
        identity = self._identities.of(request.app[CLIENT_INFO].cookie(request))
        return Visit(request, language(request), identity)

    async def act(self, request: web.Request, step: bytes = page_token.ACT) -> Visit:
        """A form of ours that was sent. Raises Refused, BadForm."""
        visit = self.visit(request)
        if not from_own_page(request):
            raise Refused("origin", 403)
        visit.fields = await form(request)
        if not self.rights.tokens.fits(visit.fields.get("token"), step, visit.identity, self.rights.now):
            raise Refused("late", 409)
        return visit

    async def proved(self, visit: Visit) -> Proved:
        """Whom the visit is about: by what it shows, else by the cookie. Raises Refused, StoreAway."""
        if not visit.proof:
            if not visit.identity:
                raise Refused("wrong", 403)
            return Proved(visit.identity, 3, WHOLE)
        self.guess(visit.request)
        found = await self.rights.prove(visit.proof)
        if found is None:
            raise self.miss(visit.request)
        return found

    async def may(self, visit: Visit, scope: str) -> Proved:
        """The same, where it opens `scope`; the act is counted. Raises Refused, StoreAway."""
        proved = await self.proved(visit)
        if not proved.may(scope):
            raise self.miss(visit.request)
        self.counted(visit)
        return proved

    def counted(self, visit: Visit) -> None:
        """Count an act. Raises Refused for a network that did too many."""
        if wait := self.limits.act(self.address(visit.request), time.monotonic()):
            raise Refused("wait", 429, wait)

    def guess(self, request: web.Request) -> None:
        """Before a proof is looked at. Raises Refused for a network that showed too many wrong ones."""
        if wait := self.limits.guessing(self.address(request), time.monotonic()):
            raise Refused("wait", 429, wait)

    def miss(self, request: web.Request) -> Refused:
        """Counts a proof that opens nothing, and gives what to raise."""
        self.limits.missed(self.address(request), time.monotonic())
        return Refused("wrong", 403)

    @staticmethod
    def address(request: web.Request) -> str:
        """The client's."""
        return request.app[CLIENT_INFO].address(request)

    def page(self, visit: Visit, step: bytes = page_token.ACT) -> Page:
        """A fresh page's token, and the proof that goes on with it."""
        token = self.rights.tokens.make(step, visit.identity, self.rights.now)
        return Page(token, visit.tongue.query, visit.proof)

    def guarded(self, handler: Handler) -> Handler:
        """The handler, with a page for each way in which nothing is done."""

        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                return await handler(request)
            except Refused as refused:
                return self._refusal(request, refused)
            except (StoreAway, ObjectsAway, Crowded):
                return self._refusal(request, Refused("away", 503))
            except BadForm as bad:
                answer = self._refusal(request, Refused("unread", bad.status))
                answer.force_close()
                return answer

        return answer

    def _refusal(self, request: web.Request, refused: Refused) -> web.Response:
        tongue = language(request)
        page = Page("", tongue.query)
        title, line = (
            tongue.t.text(f"rights.refused.{refused.why}.title"),
            tongue.t.text(f"rights.refused.{refused.why}"),
        )
        answer = said(request, tongue, page, title, [line], status=refused.status)
        if refused.wait:
            answer.headers["Retry-After"] = str(int(refused.wait) + 1)
        return answer


def shown(
    request: web.Request, tongue: Language, template: str, page: Page, status: int = 200, **values: Any
) -> web.Response:
    """One of the documents, in a language."""
    t = tongue.t
    answer = request.app[PAGES].answer(
        template,
        status=status,
        t=t,
        query=page.query,
        say=SAID[t.language],
        heading=REGISTRY.heading,
        page=page,
        **values,
    )
    answer.headers.update(PRIVATE)
    return answer


def said(
    request: web.Request,
    tongue: Language,
    page: Page,
    title: str,
    lines: list[str],
    *,
    status: int = 200,
    once: tuple[tuple[str, str], ...] = (),
    key: str = "",
    links: tuple[tuple[str, str], ...] = (),
    log: dict[str, Any] | None = None,
) -> web.Response:
    """A page of a few words. `once`: what is shown this once, with its label; `key`: it is a rights key, to be saved; `log`: a saved chat."""
    return shown(
        request,
        tongue,
        "rights-said.html",
        page,
        status,
        title=title,
        lines=lines,
        shown=once,
        key=key,
        links=links,
        log=log,
    )


async def send(request: web.Request, pieces: AsyncIterator[bytes]) -> web.StreamResponse:
    """A ZIP as it is made. Where it cannot be made to its end the connection breaks, so that no half of it passes for the whole."""
    answer = web.StreamResponse(headers={**PRIVATE, "Content-Disposition": 'attachment; filename="your-data.zip"'})
    answer.content_type = "application/zip"
    await answer.prepare(request)
    try:
        async for piece in pieces:
            await answer.write(piece)
    except BaseException:
        if request.transport is not None:
            request.transport.abort()
        raise
    await answer.write_eof()
    return answer

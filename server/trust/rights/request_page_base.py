"""Provide what all data request pages share: language, rate limits, form tokens, check of the proof, and rendering.

**Invariant:** nothing is cached, framed, indexed or stored in a cookie, and every invalid proof gets the same page.
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
from server.http.pages.page_language import language_of
from server.http.request.client_info import CLIENT_INFO
from server.http.request.forms import BadForm, Form, form
from server.http.request.origins import from_own_page
from server.http.request.site_services import Services
from server.http.words.sentence_formatter import Said
from server.http.words.sentence_formatter import said as spoken
from server.trust.data_requests import form_tokens
from server.trust.data_requests.identity_proof import WHOLE, Proof
from server.trust.data_requests.request_rate_limit import Limits
from server.trust.data_requests.rights_ports import Rights

PRIVATE = {
    "Cache-Control": "private, no-store",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept-Language, Cookie",
}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Refused(Exception):
    """A refusal, after which nothing was done. `why`: wrong, wait, away, origin, late, unread; `wait`: seconds."""

    def __init__(self, why: str, status: int, wait: float = 0.0) -> None:
        super().__init__(why)
        self.why = why
        self.status = status
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Language:
    """A chosen language. `t`: its sentences; `query`: keeps an explicit choice in addresses."""

    t: Said
    query: str


def language(request: web.BaseRequest) -> Language:
    """Return the language for a request: by `?lang=`, else by the browser's languages, else English."""
    name, chosen = language_of(request, spoken())
    return Language(spoken()[name], f"?lang={name}" if chosen else "")


@dataclass(frozen=True, slots=True)
class Page:
    """Values that a page's forms carry on. `proof`: the written proof that replaces a cookie."""

    token: str
    query: str
    proof: str = ""


@dataclass(slots=True)
class Visit:
    """A request to one of these pages, with its language, identity and form."""

    request: web.Request
    tongue: Language
    identity: int  # of the cookie; 0: none
    fields: Form = field(default_factory=lambda: Form([]))

    @property
    def proof(self) -> str:
        """The written proof that replaces the cookie."""
        return self.fields.get("proof").strip()


class Gate:
    """Checks that every request to these pages passes: limits, the page's token, the proof.

    An act is a POST from a page of this server that this browser got within the last ten minutes.
    """

    def __init__(self, services: Services, rights: Rights) -> None:
        self.rights = rights
        self.limits = Limits(services.spent, on=services.settings.limits.enabled)
        self._identities = services.identities

    def visit(self, request: web.Request) -> Visit:
        """Return the visit of a request."""
        identity = self._identities.of(request.app[CLIENT_INFO].cookie(request))
        return Visit(request, language(request), identity)

    async def act(self, request: web.Request, step: bytes = form_tokens.ACT) -> Visit:
        """Read a sent form of this server. Raises Refused, BadForm."""
        visit = self.visit(request)
        if not from_own_page(request):
            raise Refused("origin", 403)
        visit.fields = await form(request)
        if not self.rights.tokens.fits(visit.fields.get("token"), step, visit.identity, self.rights.now):
            raise Refused("late", 409)
        return visit

    async def proved(self, visit: Visit) -> Proof:
        """Return the visit's proof: the written one, else the cookie. Raises Refused, StoreAway."""
        if not visit.proof:
            if not visit.identity:
                raise Refused("wrong", 403)
            return Proof(visit.identity, 3, WHOLE)
        self.guess(visit.request)
        found = await self.rights.prove(visit.proof)
        if found is None:
            raise self.miss(visit.request)
        return found

    async def may(self, visit: Visit, scope: str) -> Proof:
        """Return the visit's proof if it opens `scope`, and count the act. Raises Refused, StoreAway."""
        proved = await self.proved(visit)
        if not proved.may(scope):
            raise self.miss(visit.request)
        self.counted(visit)
        return proved

    def counted(self, visit: Visit) -> None:
        """Count an act. Raises Refused for a network with too many."""
        if wait := self.limits.act(self.address(visit.request), time.monotonic()):
            raise Refused("wait", 429, wait)

    def guess(self, request: web.Request) -> None:
        """Check, before a proof is read, the network's count of wrong ones. Raises Refused."""
        if wait := self.limits.guessing(self.address(request), time.monotonic()):
            raise Refused("wait", 429, wait)

    def miss(self, request: web.Request) -> Refused:
        """Count a wrong proof, and return the exception to raise."""
        self.limits.missed(self.address(request), time.monotonic())
        return Refused("wrong", 403)

    @staticmethod
    def address(request: web.Request) -> str:
        """Return the client's address."""
        return request.app[CLIENT_INFO].address(request)

    def page(self, visit: Visit, step: bytes = form_tokens.ACT) -> Page:
        """Return a fresh token, with the proof to carry on."""
        token = self.rights.tokens.make(step, visit.identity, self.rights.now)
        return Page(token, visit.tongue.query, visit.proof)

    def guarded(self, handler: Handler) -> Handler:
        """Wrap a handler so that each refusal becomes a page."""

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
    """Return one of the documents, in a language."""
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
    """Return a page of a few words. `once`: (label, value) pairs shown this once; `key`: a rights key to be saved; `log`: a saved chat."""
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
    """Stream a ZIP. If it cannot be completed the connection is aborted, so that a part is not taken for the whole."""
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

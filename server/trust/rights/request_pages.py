"""Serve `/privacy/request`, the web pages on which users read, download or delete their own data.

**Invariant:** everything works without a script, and no GET changes anything. Proofs of identity (other than the cookie) are in forms, never in
URLs; the link in the receipt of a mail proves that the mail arrived, and nothing else.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Mapping
from typing import Final, TypeVar

from aiohttp import web

from server.data.chat_logs.chat_log_rendering import context
from server.data.privacy.registry import REGISTRY
from server.data.statement.statement_document import said as statement
from server.http.request.client_info import CLIENT_INFO
from server.http.request.site_services import SERVICES, Services
from server.http.words.sentence_formatter import Said
from server.ops.security import reference_numbers
from server.trust.challenge.form_puzzle import FormPuzzle
from server.trust.data_export.export_parts import PARTS
from server.trust.data_requests import form_tokens, request_states
from server.trust.data_requests.identity_proof import AGENT, DELETE, KNOW, MANAGE, WHOLE, Proof
from server.trust.data_requests.rights_key import CODE_DAYS
from server.trust.data_requests.rights_ports import DeletionState, QueueFull, Request, Rights, Used
from server.trust.rights.deletion_receipt_text import when
from server.trust.rights.incident_routes import add_incidents
from server.trust.rights.request_page_base import PRIVATE, Gate, Refused, Visit, said, send, shown
from server.trust.rights.rights_api import Api

Found = TypeVar("Found")
RIGHTS: web.AppKey[Rights] = web.AppKey("rights")
# kinds of requests that need no proof
TICKETS = ("know", "delete", "correct", "object", "shine", "child", "complaint", "other")
SHINE = "shine"
DISPUTES = ("restrict", "object")  # while one is open, the person's data is hidden
PLACE = "/privacy/request"
USUAL_BURST, USUAL_RATE = (
    30.0,
    1 / 60,
)  # requests without a proof at once, and a second after that; beyond it each needs a puzzle
PUZZLE_NUMBER = 2  # of their form (`FormPuzzle`)
NOTHING: Final = {"kind": "", "text": "", "contact": ""}  # fields of the form of a request without a proof
FIELDS = {part.name: part.fields for part in PARTS}  # columns of the tables


class RightsRoutes:
    """Handlers of one server."""

    def __init__(self, services: Services, rights: Rights) -> None:
        self._services = services
        self._rights = rights
        self._puzzle = FormPuzzle(services, PUZZLE_NUMBER, USUAL_BURST, USUAL_RATE)
        self.gate = Gate(services, rights)

    async def home(self, request: web.Request) -> web.Response:
        """`GET /privacy/request`"""
        visit = self.gate.visit(request)
        return await self._home(visit, _by_cookie(visit))

    async def enter(self, request: web.Request) -> web.Response:
        """`POST /privacy/request`: the same page, by a key, a code or a saved log's delete address."""
        visit = await self.gate.act(request)
        proved = await self.gate.proved(visit)
        if proved.level == 2:
            t = visit.tongue.t
            address = f"/log/delete/{visit.proof.rpartition('/')[2]}"
            self.gate.counted(visit)
            text = await self._rights.log(visit.proof, lambda log: context(log, t))
            page = self.gate.page(Visit(request, visit.tongue, visit.identity))
            return said(
                request,
                visit.tongue,
                page,
                t.text("rights.log.title"),
                [t.text("rights.log.text")],
                links=((address, t.text("rights.log.go")),),
                log=text,
            )
        if proved.number:
            raise self.gate.miss(request)
        return await self._home(visit, proved)

    async def _home(
        self, visit: Visit, proved: Proof | None, written: Mapping[str, str] = NOTHING, problem: str = ""
    ) -> web.Response:
        """Return the page. `written`, `problem`: of a request without a proof that could not be accepted."""
        requests, deleting = [], None
        if proved is not None and proved.may(MANAGE):
            requests = [
                {"number": ident, "shown": reference_numbers.shown(ident), "kind": kind, "state": state}
                for ident, kind, state in await self._rights.open_of(proved.identity)
            ]
            deleting = await self._rights.deletion.state(proved.identity, int(self._rights.now))
        level = "" if proved is None else "agent" if proved.code else "key" if visit.proof else "cookie"
        return shown(
            visit.request, visit.tongue, "rights.html", self.gate.page(visit), 400 if problem else 200,
            restricted=any(one["kind"] in DISPUTES for one in requests),
            level=level, may=proved.scope if proved else frozenset(), requests=requests, deleting=deleting,
            kinds=TICKETS, operator=self._services.settings.operator, parents=_has(visit.request, "/parents"),
            puzzle=await self._puzzle.make(), written=written, problem=problem,
        )  # fmt: skip

    async def see(self, request: web.Request) -> web.Response:
        """`POST …/see`"""
        visit = await self.gate.act(request)
        proved = await self.gate.may(visit, KNOW)
        _, found = await self._once(request, self._rights.know(proved, _by(proved)))
        return shown(
            request,
            visit.tongue,
            "rights-know.html",
            self.gate.page(visit),
            know=found,
            fields=FIELDS,
        )

    async def download(self, request: web.Request) -> web.StreamResponse:
        """`POST …/download`: the ZIP, streamed; a read error before its first byte is an error page."""
        visit = await self.gate.act(request)
        proved = await self.gate.may(visit, KNOW)
        return await send(request, await self._once(request, self._export(proved)))

    async def _export(self, proved: Proof) -> AsyncIterator[bytes]:
        if wait := self.gate.limits.export(proved.identity, time.monotonic()):
            raise Refused("wait", 429, wait)
        return await self._rights.export(proved, _by(proved))

    async def delete(self, request: web.Request) -> web.Response:
        """`POST …/delete`: the confirmation page."""
        visit = await self.gate.act(request)
        await self.gate.may(visit, DELETE)
        return self._confirm(visit, empty=False)

    def _confirm(self, visit: Visit, *, empty: bool) -> web.Response:
        page = self.gate.page(visit, form_tokens.CONFIRM)
        return shown(visit.request, visit.tongue, "rights-confirm.html", page, empty=empty)

    async def confirmed(self, request: web.Request) -> web.Response:
        """`POST …/delete/confirm`: hide the data from now on."""
        visit = await self.gate.act(request, form_tokens.CONFIRM)
        proved = await self.gate.may(visit, DELETE)
        records, logs = visit.fields.flag("records"), visit.fields.flag("logs")
        if not records and not logs:
            return self._confirm(visit, empty=True)
        begun = self._rights.erase(proved, _by(proved), records=records, logs=logs)
        deleting = await self._once(request, begun)
        return self._deleting(visit, deleting)

    def _deleting(self, visit: Visit, deleting: DeletionState) -> web.Response:
        return shown(
            visit.request, visit.tongue, "rights-delete.html", self.gate.page(visit),
            deleting=deleting, number=reference_numbers.shown(deleting.number), when=when,
        )  # fmt: skip

    async def deletion(self, request: web.Request) -> web.Response:
        """`POST …/deletion`: the state of a deletion."""
        visit = await self.gate.act(request)
        proved = await self.gate.may(visit, MANAGE)
        deleting = await self._rights.deletion.state(proved.identity, int(self._rights.now))
        if deleting is None:
            return self._said(visit, "rights.delete.state", visit.tongue.t.text("rights.cancelled.none"))
        return self._deleting(visit, deleting)

    async def cancel(self, request: web.Request) -> web.Response:
        """`POST …/delete/cancel`"""
        visit = await self.gate.act(request)
        proved = await self.gate.may(visit, MANAGE)
        done = await self._rights.cancel(proved.identity)
        return self._said(
            visit, "rights.cancel", visit.tongue.t.text("rights.cancelled" if done else "rights.cancelled.none")
        )

    async def restrict(self, request: web.Request) -> web.Response:
        """`POST …/restrict`"""
        visit = await self.gate.act(request)
        proved = await self.gate.may(visit, MANAGE)
        ident = await self._rights.restrict(proved.identity)
        return self._said(
            visit, "rights.restrict", visit.tongue.t.text("rights.restricted"), ("", reference_numbers.shown(ident))
        )

    async def object(self, request: web.Request) -> web.Response:
        """`POST …/object`"""
        visit = await self.gate.act(request)
        proved = await self.gate.may(visit, MANAGE)
        text = visit.fields.get("text").strip()
        if not text:
            return self._said(visit, "rights.object", visit.tongue.t.text("rights.ticket.empty"))
        ident = await self._rights.object(proved.identity, text)
        return self._said(
            visit, "rights.object", visit.tongue.t.text("rights.objected"), ("", reference_numbers.shown(ident))
        )

    async def release(self, request: web.Request) -> web.Response:
        """`POST …/release`"""
        visit = await self.gate.act(request)
        proved = await self.gate.may(visit, MANAGE)
        await self._rights.release(proved.identity)
        return self._said(visit, "rights.release", visit.tongue.t.text("rights.released"))

    async def key(self, request: web.Request) -> web.Response:
        """`POST …/key`: a rights key, shown once."""
        visit = await self.gate.act(request)
        proved = await self.gate.may(visit, MANAGE)
        revoke = visit.fields.flag("revoke")
        key = await self._rights.key(proved.identity, revoke=revoke)
        t = visit.tongue.t
        lines = [t.text("rights.key.once"), *([t.text("rights.key.revoked")] if revoke else [])]
        page = self.gate.page(visit)
        if visit.proof and revoke:  # the old key is invalid now
            page = self.gate.page(Visit(request, visit.tongue, visit.identity))
        return said(request, visit.tongue, page, t.text("rights.key.title"), lines, once=(("", key),), key=key)

    async def file(self, request: web.Request) -> web.Response:
        """`POST …/key/file`: the new key as a file."""
        visit = await self.gate.act(request)
        await self.gate.may(visit, MANAGE)
        base = request.app[CLIENT_INFO].base(request)
        words = visit.tongue.t.text("rights.key.file.text", host=request.host, place=base + PLACE)
        headers = {**PRIVATE, "Content-Disposition": 'attachment; filename="rights-key.txt"'}
        return web.Response(text=f"{words}\n\n{visit.proof}\n", headers=headers)

    async def agent(self, request: web.Request) -> web.Response:
        """`POST …/agent`: a code, shown once."""
        visit = await self.gate.act(request)
        proved = await self.gate.may(visit, MANAGE)
        scope = frozenset(name for name in AGENT if visit.fields.flag(name))
        t = visit.tongue.t
        if not scope:
            return self._said(visit, "rights.agent", t.text("rights.agent.none"))
        until = t.day(self._rights.now + CODE_DAYS * request_states.DAY)
        line = t.text("rights.agent.once", date=until)
        return self._said(visit, "rights.agent.title", line, ("", self._rights.code(proved.identity, scope)))

    async def ticket(self, request: web.Request) -> web.Response:
        """`POST …/ticket`: a request without a proof."""
        visit = await self.gate.act(request)
        kind, text, contact = (visit.fields.get(name).strip() for name in ("kind", "text", "contact"))
        t = visit.tongue.t
        if kind == SHINE:  # the answer is the same for all, so it is given at once
            answer = statement(REGISTRY.text("marketing"), self._services.settings, visit.tongue.t.language)
            page = self.gate.page(visit)
            return said(visit.request, visit.tongue, page, answer["title"], [answer["body"]])
        if not text:
            return self._said(visit, "rights.ticket", t.text("rights.ticket.empty"))
        if kind not in TICKETS:
            raise Refused("unread", 400)
        if not self._puzzle.accepts(visit.fields.get("solution")):
            written = {"kind": kind, "text": text, "contact": contact}
            return await self._home(visit, _by_cookie(visit), written, t.text("puzzle.again"))
        if wait := self.gate.limits.ticket(self.gate.address(request), time.monotonic()):
            raise Refused("wait", 429, wait)
        try:
            ident, secret = await self._rights.ticket(kind, text, contact)
        except QueueFull:
            return self._said(visit, "rights.ticket", t.text("rights.ticket.full"), status=503)
        self._puzzle.count()
        now = self._rights.now
        line = t.text(
            "rights.ticket.done", due=t.day(now + request_states.due_in(kind)), outer=t.day(now + request_states.OUTER)
        )
        shown_once = ((t.text("rights.number"), reference_numbers.shown(ident)), (t.text("rights.secret"), secret))
        return self._said(visit, "rights.ticket.title", line, *shown_once)

    async def state(self, request: web.Request) -> web.Response:
        """`POST …/state`: the state of a request, by its number and a proof."""
        visit = await self.gate.act(request)
        return await self._state(visit, visit.fields.get("number"))

    async def stands(self, request: web.Request) -> web.Response:
        """`GET …/<number>`: the state of a request, by the browser's cookie."""
        return await self._state(self.gate.visit(request), request.match_info["number"])

    async def linked(self, request: web.Request) -> web.Response:
        """`GET …/<number>/<secret>`: the link in the receipt of a mail. In the browser of the chats its button proves them."""
        visit = self.gate.visit(request)
        return await self._state(visit, request.match_info["number"], request.match_info["secret"])

    async def claim(self, request: web.Request) -> web.Response:
        """`POST …/claim`: the request of a mail becomes one of the person who proved themselves, by cookie or rights key."""
        visit = await self.gate.act(request)
        proved = await self.gate.may(visit, MANAGE)
        try:
            found = await self._rights.claim(visit.fields.get("number"), visit.fields.get("secret"), proved.identity)
        except request_states.NotAllowed:
            found = None
        if found is None:
            raise self.gate.miss(request)
        line = visit.tongue.t.text("rights.claimed")
        return self._said(visit, "rights.state", line, ("", reference_numbers.shown(found)))

    async def _state(self, visit: Visit, ident: str, secret: str = "") -> web.Response:
        self.gate.guess(visit.request)
        found = await self._rights.find(ident, secret or visit.proof, 0 if secret else visit.identity)
        if found is None:
            raise self.gate.miss(visit.request)
        waits = found.standing.reason == request_states.VERIFY
        return shown(
            visit.request,
            visit.tongue,
            "rights-request.html",
            self.gate.page(visit),
            asked=_as_shown(found, visit.tongue.t),
            secret=secret if waits else "",
            here=bool(visit.identity),
        )

    async def _once(self, request: web.Request, deed: Awaitable[Found]) -> Found:
        """Await an act that an agent's code may do once."""
        try:
            return await deed
        except Used:
            raise self.gate.miss(request) from None

    def _said(self, visit: Visit, title: str, line: str, *once: tuple[str, str], status: int = 200) -> web.Response:
        page, title = self.gate.page(visit), visit.tongue.t.text(title)
        return said(visit.request, visit.tongue, page, title, [line], once=once, status=status)


def _by_cookie(visit: Visit) -> Proof | None:
    return Proof(visit.identity, 3, WHOLE) if visit.identity else None


def _by(proved: Proof) -> str:
    return "agent" if proved.code else "page"


def _has(request: web.Request, path: str) -> bool:
    """Whether this server has a page at a path."""
    return any(resource.canonical == path for resource in request.app.router.resources())


def _as_shown(found: Request, t: Said) -> dict[str, object]:
    """Return a request in words, for its page."""
    standing = found.standing
    return {
        "number": reference_numbers.shown(found.number),
        "kind": found.kind,
        "state": standing.state,
        "reason": standing.reason,
        "why": standing.why,
        **{name: _day(getattr(standing, name), t) for name in ("received", "due", "outer", "answered", "closed")},
        "answer": found.answer,
        "steps": [{"recipient": step.recipient, "state": step.state, "at": t.day(step.at)} for step in found.steps],
    }


def _day(at: int | None, t: Said) -> str:
    return "" if at is None else t.day(at)


def add_requests(app: web.Application) -> None:
    """Add the routes, if there is a store."""
    rights = app.get(RIGHTS)
    if rights is None:
        return
    services = app[SERVICES]
    services.offers["rights"] = True
    add_incidents(app, rights)
    routes = RightsRoutes(services, rights)
    guarded, router, api = routes.gate.guarded, app.router, Api(routes.gate)
    router.add_get(PLACE, guarded(routes.home))
    router.add_post(PLACE, guarded(routes.enter))
    acts = {
        "see": routes.see,
        "download": routes.download,
        "delete": routes.delete,
        "delete/confirm": routes.confirmed,
        "delete/cancel": routes.cancel,
        "deletion": routes.deletion,
        "restrict": routes.restrict,
        "object": routes.object,
        "release": routes.release,
        "key": routes.key,
        "key/file": routes.file,
        "agent": routes.agent,
        "ticket": routes.ticket,
        "claim": routes.claim,
        "state": routes.state,
    }
    # not the acts' own paths: there GET is no method, and a 405 must not name it
    router.add_get(f"{PLACE}/{{number:(?!(?:{'|'.join(acts)})$)[^/]+}}", guarded(routes.stands))
    router.add_get(f"{PLACE}/{{number:[0-9A-Za-z-]{{13,16}}}}/{{secret:[0-9A-Za-z_-]{{22}}}}", guarded(routes.linked))
    for path, act in acts.items():
        router.add_post(f"{PLACE}/{path}", guarded(act))
    router.add_post("/api/rights", api.guarded(api.ask))
    router.add_get("/api/rights/{number}", api.guarded(api.stands))

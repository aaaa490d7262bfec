"""Serve `/requests` (clerks read and answer people's requests about their own data) and `/logs` (they remove a saved log by its link).

**Invariant:** a request is shown only after the clerk states a reason, which is in the audit log first; the list has no text and no contact.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from aiohttp import web

from server.data.chat_logs import log_removal
from server.data.errors import ObjectsAway
from server.data.store.store_runner import Parts
from server.http.words.sentence_formatter import Said
from server.ops.process.mail_relay import RelayAway
from server.ops.security import reference_numbers
from server.trust.console.console_gate import Gate, sent
from server.trust.console.console_pages import Pages
from server.trust.data_requests import request_states
from server.trust.data_requests.request_states import DENIED, FULFILLED, REFUSALS, REVOKED
from server.trust.data_requests.request_store import TEXT
from server.trust.data_requests.rights_ports import NoSuchRequest, Request
from server.trust.moderators.roles import Action, Operator
from server.trust.rights.request_work import RequestWork
from server.trust.sanctions.sanction_scale import Refused

SHOWN = 200  # requests on the list: a flood of unproved ones must not make a page of megabytes
OUTCOMES = (FULFILLED, DENIED, REVOKED)
SAID = {  # of `log_removal.remove`
    log_removal.MISSING: "console.logs.missing",
    log_removal.REMOVED: "console.logs.removed",
    log_removal.HELD: "console.logs.held",
}


class RequestRoutes:
    """Handlers. `clock`: Unix seconds."""

    def __init__(self, pages: Pages, work: RequestWork, clock: Callable[[], float] = time.time) -> None:
        self._pages = pages
        self._work = work
        self._clock = clock

    async def listed(self, request: web.Request, operator: Operator) -> web.Response:
        """`GET /requests`"""
        return self._list(request, operator, await self._work.listed(operator.name))

    async def show(self, request: web.Request, operator: Operator) -> web.Response:
        """`POST /requests/show`: `number`, `why`. By POST: a look is a line of the audit log."""
        form = sent(request)
        try:
            return await self._one(request, operator, form.get("number"), _why(form.get("why")))
        except (Refused, NoSuchRequest) as problem:
            return await self._refused(request, operator, problem)

    async def close(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /requests/close`: `number`, `why`, `outcome`, `reason` (of a refusal), `words` (which the person reads)."""
        form = sent(request)
        outcome, words = form.get("outcome"), form.get("words").replace("\r\n", "\n").strip()
        try:
            why = _why(form.get("why"))
            if outcome not in OUTCOMES or (outcome == DENIED and form.get("reason") not in REFUSALS):
                raise Refused("refused.request.outcome")
            if outcome == FULFILLED and not words:
                raise Refused("refused.request.words")
            if len(words) > TEXT:
                raise Refused("refused.answer", most=TEXT)
            await self._work.close(
                operator.name, form.get("number"), why, outcome, int(self._clock()),
                reason=form.get("reason") if outcome == DENIED else "", words="" if outcome == REVOKED else words,
            )  # fmt: skip
        except RelayAway:
            return await self._refused(request, operator, Refused("refused.request.mail"))
        except request_states.NotAllowed:
            return await self._refused(request, operator, Refused("refused.request.closed"))
        except (Refused, NoSuchRequest) as problem:
            return await self._refused(request, operator, problem)
        return web.Response(status=303, headers={"Location": "/requests"})

    async def extend(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /requests/extend`: `number`, `why`, which the person reads."""
        form = sent(request)
        try:
            await self._work.extend(operator.name, form.get("number"), _why(form.get("why")), int(self._clock()))
        except request_states.NotAllowed:
            return await self._refused(request, operator, Refused("refused.request.extend"))
        except (Refused, NoSuchRequest) as problem:
            return await self._refused(request, operator, problem)
        return web.Response(status=303, headers={"Location": "/requests"})

    async def _refused(self, request: web.Request, operator: Operator, problem: Exception) -> web.Response:
        shown = problem if isinstance(problem, Refused) else Refused("refused.request.missing")
        return self._list(request, operator, await self._work.listed(operator.name), shown)

    def _list(
        self, request: web.Request, operator: Operator, found: Sequence[Request], problem: Refused | None = None
    ) -> web.Response:
        t, now = self._pages.spoken(request), self._clock()
        waiting = [(_heading(one, t), one.standing.due < now) for one in found[:SHOWN]]
        of = "" if len(found) <= SHOWN else f"{t.number(SHOWN)} / {t.number(len(found))}"
        return self._pages.answer(
            "requests.html", request, operator, status=409 if problem else 200, problem=problem, waiting=waiting, of=of
        )

    async def _one(self, request: web.Request, operator: Operator, number: str, why: str) -> web.Response:
        found = await self._work.show(operator.name, number, why)
        t, standing = self._pages.spoken(request), found.standing
        return self._pages.answer(
            "request.html", request, operator, asked=_heading(found, t), text=found.text, contact=found.contact,
            answer=found.answer, extended=standing.why, open=standing.state in request_states.RUNNING,
            extendable=standing.extended is None, outer=t.day(standing.outer), refusals=REFUSALS, most=TEXT,
            recipients=[(one, t.day(one.at)) for one in found.steps],
        )  # fmt: skip


class LogRoutes:
    """Handlers of saved logs."""

    def __init__(self, pages: Pages, parts: Parts) -> None:
        self._pages = pages
        self._parts = parts

    async def form(self, request: web.Request, operator: Operator) -> web.Response:
        """`GET /logs`"""
        return self._pages.answer("logs.html", request, operator, problem=None, outcome="")

    async def remove(self, request: web.Request, operator: Operator) -> web.Response:
        """`POST /logs/remove`: `url`, `why`."""
        form = sent(request)
        try:
            done = await log_removal.remove(
                self._parts.database, self._parts.logs, operator.name, form.get("url"), _why(form.get("why"))
            )
        except Refused as problem:
            return self._pages.answer("logs.html", request, operator, status=409, problem=problem, outcome="")
        except ObjectsAway:
            away = Refused("refused.logs.away")
            return self._pages.answer("logs.html", request, operator, status=503, problem=away, outcome="")
        return self._pages.answer("logs.html", request, operator, problem=None, outcome=SAID[done])


def _heading(one: Request, t: Said) -> dict[str, object]:
    """Return what the list says of a request, too."""
    return {
        "number": one.number, "shown": reference_numbers.shown(one.number), "kind": one.kind, "by": one.by,
        "proved": one.level >= 3, "state": one.standing.state, "reason": one.standing.reason,
        "received": t.day(one.standing.received), "due": t.day(one.standing.due),
    }  # fmt: skip


def _why(text: str) -> str:
    """Return the reason for the audit log. Raises Refused for an empty one."""
    if not text.strip():
        raise Refused("refused.why")
    return text.strip()


def add_requests(gate: Gate, pages: Pages, parts: Parts, work: RequestWork, clock: Callable[[], float]) -> None:
    """Add the routes."""
    requests, logs = RequestRoutes(pages, work, clock), LogRoutes(pages, parts)
    pages.offer("/requests", "console.requests", Action.REQUESTS)
    pages.offer("/logs", "console.logs", Action.REQUESTS)
    gate.add("GET", "/requests", Action.REQUESTS, requests.listed)
    gate.add("POST", "/requests/show", Action.REQUESTS, requests.show)
    gate.add("POST", "/requests/close", Action.REQUESTS, requests.close)
    gate.add("POST", "/requests/extend", Action.REQUESTS, requests.extend)
    gate.add("GET", "/logs", Action.REQUESTS, logs.form)
    gate.add("POST", "/logs/remove", Action.REQUESTS, logs.remove)

"""Serve `/api/rights`, the HTTP API of data requests for programs and authorised agents; answers are status objects of the Data Rights Protocol.

**Invariant:** only `Authorization: Bearer` proves an identity, never a cookie, and every invalid proof gets the same answer. An agent's code is
good for one request; afterwards it can only read that request.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from aiohttp import web

from server.data.errors import Crowded, ObjectsAway, StoreAway
from server.http.request.forms import BadForm, body
from server.trust.data_requests.identity_proof import DELETE, KNOW, Proof
from server.trust.data_requests.rights_ports import Request, Used
from server.trust.rights.request_page_base import PRIVATE, Gate, Refused, send

MOST = 4_096  # bytes of a body
BEARER = "bearer "
SAID = {
    "wrong": "This proof opens nothing.",
    "wait": "Too often; see Retry-After.",
    "unread": "That could not be read.",
    "away": "Not now. Nothing was changed.",
}
NEEDS = {"know": KNOW, "export": KNOW, "delete": DELETE}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Api:
    """Handlers behind the pages' own gate, so that wrong proofs are counted together."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._rights = gate.rights

    async def ask(self, request: web.Request) -> web.StreamResponse:
        """`POST /api/rights`: `{"kind": "know" | "export" | "delete", "records": true, "logs": true}`."""
        wanted = await _wanted(request)
        kind = wanted.get("kind")
        if not isinstance(kind, str) or kind not in NEEDS:
            raise Refused("unread", 400)
        proved = await self._proved(request)
        if not proved.may(NEEDS[kind]):
            raise self._gate.miss(request)
        if wait := self._gate.limits.act(self._gate.address(request), time.monotonic()):
            raise Refused("wait", 429, wait)
        by = "agent" if proved.code else "page"
        try:
            if kind == "export":
                return await self._export(request, proved, by)
            if kind == "know":
                ident, more = await self._rights.know(proved, by)
                return await self._answer(request, ident, {"know": more})
            return await self._delete(request, proved, by, wanted)
        except Used:
            raise self._gate.miss(request) from None

    async def _export(self, request: web.Request, proved: Proof, by: str) -> web.StreamResponse:
        if wait := self._gate.limits.export(proved.identity, time.monotonic()):
            raise Refused("wait", 429, wait)
        return await send(request, await self._rights.export(proved, by))

    async def _delete(self, request: web.Request, proved: Proof, by: str, wanted: dict[str, Any]) -> web.Response:
        chosen = {name: wanted.get(name, True) is True for name in ("records", "logs")}
        if not any(chosen.values()):
            raise Refused("unread", 400)
        deleting = await self._rights.erase(proved, by, **chosen)
        return await self._answer(request, deleting.number, {"removed_by": moment(deleting.due)})

    async def stands(self, request: web.Request) -> web.Response:
        """`GET /api/rights/<number>`"""
        return await self._answer(request, request.match_info["number"], {})

    async def _answer(self, request: web.Request, ident: str, more: dict[str, Any]) -> web.Response:
        self._gate.guess(request)
        found = await self._rights.find(ident, bearer(request), 0)
        if found is None:
            raise self._gate.miss(request)
        return _json({**status(found), **more})

    async def _proved(self, request: web.Request) -> Proof:
        self._gate.guess(request)
        found = await self._rights.prove(bearer(request))
        if found is None:
            raise self._gate.miss(request)
        return found

    def guarded(self, handler: Handler) -> Handler:
        """Wrap a handler so that each refusal becomes an answer."""

        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                return await handler(request)
            except Refused as refused:
                return _refusal(refused)
            except (StoreAway, ObjectsAway, Crowded):
                return _refusal(Refused("away", 503))
            except BadForm as bad:
                answer = _refusal(Refused("unread", bad.status))
                answer.force_close()
                return answer

        return answer


def bearer(request: web.BaseRequest) -> str:
    """Return the token of `Authorization: Bearer`, or ""."""
    said = request.headers.get("Authorization", "")
    return said[len(BEARER) :].strip() if said.lower().startswith(BEARER) else ""


def status(found: Request) -> dict[str, Any]:
    """Return a request as the Data Rights Protocol has it; `kind` and `answer` are additions."""
    standing = found.standing
    return {
        "request_id": found.number,
        "kind": found.kind,
        "received_at": moment(standing.received),
        "expected_by": moment(standing.due),
        "status": standing.state,
        "reason": standing.reason or None,
        "processing_details": standing.why or None,
        "answer": found.answer or None,
    }


def moment(at: int) -> str:
    """Return a time in ISO 8601, UTC."""
    return datetime.datetime.fromtimestamp(at, datetime.UTC).isoformat()


async def _wanted(request: web.Request) -> dict[str, Any]:
    """Parse the body. Raises Refused, BadForm."""
    try:
        found = orjson.loads(await body(request, MOST))
    except orjson.JSONDecodeError:
        raise Refused("unread", 400) from None
    if not isinstance(found, dict):
        raise Refused("unread", 400)
    return found


def _json(value: dict[str, Any]) -> web.Response:
    return web.Response(body=orjson.dumps(value), content_type="application/json", headers=PRIVATE)


def _refusal(refused: Refused) -> web.Response:
    answer = web.json_response({"error": SAID[refused.why]}, status=refused.status, headers=PRIVATE)
    if refused.wait:
        answer.headers["Retry-After"] = str(int(refused.wait) + 1)
    return answer

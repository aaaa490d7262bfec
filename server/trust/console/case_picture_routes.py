"""Serve the pictures of a case one by one, and the form that marks apparent child abuse material.

**Invariant:** a picture is sent only at a moderator's request, which is in the audit log first, and only as an image within the console's page.
"""

from __future__ import annotations

from aiohttp import web

from server.data.errors import ObjectsAway
from server.trust.console.case_access import CASE, CasePages
from server.trust.console.console_gate import Gate, sent
from server.trust.decisions.case_work import CaseWork
from server.trust.moderators.roles import Action, Operator
from server.trust.sanctions.sanction_scale import Refused

PICTURE = CASE + "/picture/{piece:[0-9a-f]{32}}"
WHY = "work in the console"
REASON = 300  # characters kept of a reason


class CasePictureRoutes:
    """Handlers."""

    def __init__(self, pages: CasePages, desk: CaseWork) -> None:
        self._pages = pages
        self._desk = desk

    async def picture(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`GET /case/ID/picture/ID?why=…`: `why` is required for material of the role child."""
        if not of_our_page(request):
            return self._pages.missing(request, operator)
        role = operator.may(Action.CHILD)
        given = " ".join(request.query.get("why", "").split())[:REASON]
        ident, piece = request.match_info["case"], request.match_info["piece"]
        try:
            grave = await self._desk.child(ident)
            body = await self._desk.look(ident, piece, operator.name, given if grave else WHY, role=role)
        except Refused:
            return self._pages.missing(request, operator)
        except ObjectsAway:
            return web.Response(status=503)
        self._pages.looked(operator)
        return web.Response(body=body, content_type="image/jpeg")

    async def mark(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /case/ID/child`: `why`."""
        ident, why = request.match_info["case"], sent(request).get("why").strip()
        try:
            await self._desk.mark(ident, operator.name, why)
        except Refused as problem:
            return self._pages.refused(request, operator, problem)
        except ObjectsAway:  # it is marked and kept; the rest is moved when the case is opened
            pass
        return web.Response(status=303, headers={"Location": f"/case/{ident}"})


def of_our_page(request: web.Request) -> bool:
    """Whether the request is for an image of the console's own page; a program without these headers may too."""
    told = request.headers
    return told.get("Sec-Fetch-Site", "same-origin") == "same-origin" and told.get("Sec-Fetch-Dest", "image") == "image"


def add_pictures(gate: Gate, cases: CasePages, desk: CaseWork) -> None:
    """Add the routes."""
    pictures = CasePictureRoutes(cases, desk)
    gate.add("GET", PICTURE, Action.WORK, cases.of_a_case(pictures.picture))
    gate.add("POST", CASE + "/child", Action.CHILD, cases.of_a_case(pictures.mark))

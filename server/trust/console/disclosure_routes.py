"""Serve the disclosures of a case (the IP address of its subject, the case as a file), and the form of a legal hold on it.

**Invariant:** only for the role `officer`, with a freshly verified passkey; the disclosures need a second moderator too.
"""

from __future__ import annotations

from aiohttp import web

from server.data.retention.legal_holds import BadHold
from server.trust.console.case_access import CASE, CasePages
from server.trust.console.console_gate import Gate, sent
from server.trust.decisions.case_work import CaseWork
from server.trust.moderators import moderator_accounts
from server.trust.moderators.approvals import Approvals, State
from server.trust.moderators.roles import Action, Operator
from server.trust.sanctions.sanction_scale import Refused

ASKED = (State.ASKED, State.WAITING)


class DisclosureRoutes:
    """Handlers."""

    def __init__(self, pages: CasePages, desk: CaseWork, approvals: Approvals) -> None:
        self._pages = pages
        self._desk = desk
        self._approvals = approvals

    async def reveal(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /case/ID/reveal`: `why`, `emergency`. The first call requests a second moderator's approval, the next one shows the address."""
        ident, why = request.match_info["case"], await self._reason(request, operator, Action.REVEAL)
        if not isinstance(why, str):
            return why
        address = await self._desk.address(ident, operator.name, why)
        return self._pages.answer("address.html", request, operator, case=ident, address=address)

    async def export(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /case/ID/export`: `why`. As `reveal`, with the file."""
        ident, why = request.match_info["case"], await self._reason(request, operator, Action.EXPORT)
        if not isinstance(why, str):
            return why
        return web.Response(
            body=await self._desk.export(ident, operator.name, why),
            content_type="application/json",
            headers={"Content-Disposition": f'attachment; filename="case-{ident[:12]}.json"'},
        )

    async def hold(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /case/ID/hold`: `authority`, `days`, `why`."""
        ident, form = request.match_info["case"], sent(request)
        days = form.get("days")
        try:
            if not (days.isascii() and days.isdigit() and len(days) <= 5):
                raise BadHold("refused.number")
            await self._desk.hold(ident, operator.name, form.get("why"), form.get("authority"), int(days))
        except (BadHold, Refused) as why:
            return self._pages.refused(request, operator, why)
        return web.Response(status=303, headers={"Location": f"/case/{ident}"})

    async def _reason(self, request: web.Request, operator: Operator, action: Action) -> str | web.StreamResponse:
        """Return the approved reason, whatever this form says; without approval request it, and return the page that shows the state."""
        form, subject = sent(request), bytes.fromhex(request.match_info["case"])
        why = form.get("why").strip()
        if not why:
            return self._pages.refused(request, operator, Refused("refused.why"))
        found = await self._approvals.newest(action, subject, operator)
        if found is not None and found.state.may:
            return found.words
        try:
            if found is None or found.state not in ASKED:
                emergency = action is Action.REVEAL and form.flag("emergency")
                await self._approvals.ask(operator, action, subject, why, emergency=emergency)
                if emergency:
                    return why
        except moderator_accounts.Refused as problem:
            return self._pages.refused(request, operator, problem)
        return web.Response(status=303, headers={"Location": "/approvals"})


def add_disclosures(gate: Gate, cases: CasePages, desk: CaseWork, approvals: Approvals) -> None:
    """Add the routes."""
    disclosures = DisclosureRoutes(cases, desk, approvals)
    gate.add("POST", CASE + "/reveal", Action.REVEAL, cases.of_a_case(disclosures.reveal))
    gate.add("POST", CASE + "/export", Action.EXPORT, cases.of_a_case(disclosures.export))
    gate.add("POST", CASE + "/hold", Action.HOLD, cases.of_a_case(disclosures.hold))

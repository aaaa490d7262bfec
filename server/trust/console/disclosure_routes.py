"""Serve the disclosures of a case (the IP address of its subject, the case as a file, the package of a report about the abuse of a child), and the
forms of a legal hold on it and of a report that was sent.

**Invariant:** only for the role `officer`, the package for the role `child`, with a freshly verified passkey; the disclosures need a second
moderator too.
"""

from __future__ import annotations

import datetime

from aiohttp import web

from server.data.errors import ObjectsAway
from server.data.retention.legal_holds import BadHold
from server.trust.cases.case_disclosure import NAMED, named_reason
from server.trust.child_protection import referral_package
from server.trust.console.case_access import CASE, CasePages
from server.trust.console.console_gate import Gate, sent
from server.trust.decisions.case_work import CaseWork
from server.trust.moderators import moderator_accounts
from server.trust.moderators.approvals import Approvals
from server.trust.moderators.roles import Action, Operator
from server.trust.sanctions.sanction_scale import Refused

HURRIED = frozenset((Action.REVEAL, Action.REFER))  # at once where a life is in danger, marked


class DisclosureRoutes:
    """Handlers."""

    def __init__(self, pages: CasePages, desk: CaseWork, approvals: Approvals) -> None:
        self._pages = pages
        self._desk = desk
        self._approvals = approvals

    async def reveal(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /case/ID/reveal`: `recipient`, `why`, `emergency`. The first call requests an approval, the next one shows the address."""
        ident, words = request.match_info["case"], await self._reason(request, operator, Action.REVEAL, named=True)
        if not isinstance(words, str):
            return words
        recipient, _, why = words.partition(NAMED)
        source = await self._desk.address(ident, operator.name, why, recipient)
        at = f"{datetime.datetime.fromtimestamp(source.at, datetime.UTC):%Y-%m-%d %H:%M:%S}" if source.at else ""
        return self._pages.answer("address.html", request, operator, case=ident, source=source, at=at)

    async def export(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /case/ID/export`: `recipient`, `why`. As `reveal`, with the file."""
        ident, words = request.match_info["case"], await self._reason(request, operator, Action.EXPORT, named=True)
        if not isinstance(words, str):
            return words
        recipient, _, why = words.partition(NAMED)
        return web.Response(
            body=await self._desk.export(ident, operator.name, why, recipient),
            content_type="application/json",
            headers={"Content-Disposition": f'attachment; filename="case-{ident[:12]}.json"'},
        )

    async def refer(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /case/ID/refer`: `why`, `type`, `name`, `mail`. As `reveal`, with the package as a ZIP file."""
        ident, form = request.match_info["case"], sent(request)
        kind = form.get("type")
        if kind not in referral_package.TYPES:
            return self._pages.missing(request, operator)
        why = await self._reason(request, operator, Action.REFER)
        if not isinstance(why, str):
            return why
        try:
            found = await self._desk.gather(ident, operator.name, why)
        except Refused as problem:
            return self._pages.refused(request, operator, problem)
        except ObjectsAway:
            return web.Response(status=503)
        reporter = referral_package.Reporter(form.get("name").strip() or operator.name, form.get("mail").strip())
        name = f"referral-{ident[:12]}"
        return web.Response(
            body=referral_package.zipped(referral_package.build(found, reporter, kind), name),
            content_type="application/zip",
            headers={"Content-Disposition": f'attachment; filename="{name}.zip"'},
        )

    async def referred(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /case/ID/referred`: `number`, `why`: a report was sent, by whatever way."""
        ident, form = request.match_info["case"], sent(request)
        number, why = form.get("number").strip(), form.get("why").strip()
        try:
            if not why:
                raise Refused("refused.why")
            if not number:
                raise Refused("refused.referral.number")
            await self._desk.referred(ident, operator.name, why, number)
        except Refused as problem:
            return self._pages.refused(request, operator, problem)
        return web.Response(status=303, headers={"Location": f"/case/{ident}"})

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

    async def _reason(
        self, request: web.Request, operator: Operator, action: Action, *, named: bool = False
    ) -> str | web.StreamResponse:
        """Return the approved reason, whatever this form says; without approval request it, and return the page that shows the state.

        `named`: the reason begins with the recipient, so that both are approved.
        """
        form, subject = sent(request), bytes.fromhex(request.match_info["case"])
        try:
            why = named_reason(form.get("recipient"), form.get("why")) if named else form.get("why").strip()
            if not why:
                raise Refused("refused.why")
            emergency = action in HURRIED and form.flag("emergency")
            approved, _ = await self._approvals.obtain(
                operator, action, subject, why, emergency=emergency, mark=NAMED if named else ""
            )
        except (Refused, moderator_accounts.Refused) as problem:
            return self._pages.refused(request, operator, problem)
        return approved or web.Response(status=303, headers={"Location": "/approvals"})


def add_disclosures(gate: Gate, cases: CasePages, desk: CaseWork, approvals: Approvals) -> None:
    """Add the routes."""
    disclosures = DisclosureRoutes(cases, desk, approvals)
    gate.add("POST", CASE + "/reveal", Action.REVEAL, cases.of_a_case(disclosures.reveal))
    gate.add("POST", CASE + "/export", Action.EXPORT, cases.of_a_case(disclosures.export))
    gate.add("POST", CASE + "/refer", Action.REFER, cases.of_a_case(disclosures.refer))
    gate.add("POST", CASE + "/referred", Action.CHILD, cases.of_a_case(disclosures.referred))
    gate.add("POST", CASE + "/hold", Action.HOLD, cases.of_a_case(disclosures.hold))

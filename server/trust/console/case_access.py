"""Provide what all handlers of cases share: access checks, the moderator's language, refusal pages.

**Invariant:** only moderators with the role `child` can see a case of the urgent queue (apparent child abuse material), or learn that it exists.
"""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from server.http.words.sentence_formatter import Said
from server.http.words.worded_errors import Worded
from server.trust.console.console_gate import Gate, Handler
from server.trust.console.console_pages import Pages
from server.trust.console.console_ports import Translator
from server.trust.console.detection_explanations import DetectionWords
from server.trust.decisions.case_batches import CaseBatches
from server.trust.decisions.case_work import CaseWork
from server.trust.moderators.answer_templates import AnswerTemplates
from server.trust.moderators.approvals import Approvals
from server.trust.moderators.break_reminders import Shifts
from server.trust.moderators.moderator_accounts import Accounts
from server.trust.moderators.roles import OPENED_BY, Operator
from server.trust.sanctions.sanction_scale import Refused

CASE = "/case/{case:[0-9a-f]{32}}"


@dataclass(frozen=True, slots=True)
class CaseParts:
    """The collaborators of the work on cases. `translator`: None if the service has no translation server."""

    desk: CaseBatches
    approvals: Approvals
    accounts: Accounts
    answers: AnswerTemplates
    words: DetectionWords
    translator: Translator | None = None


def may_see(queue: str, operator: Operator) -> bool:
    """Whether a moderator may see cases of a queue; empty: the case is deleted, and a ban is left."""
    return not queue or operator.may(OPENED_BY[queue])


class CasePages:
    """Helpers of all handlers of cases."""

    def __init__(self, gate: Gate, pages: Pages, desk: CaseWork, shifts: Shifts) -> None:
        self._gate = gate
        self._pages = pages
        self._desk = desk
        self._shifts = shifts

    def of_a_case(self, handler: Handler) -> Handler:
        """Wrap a handler for moderators who may see the case of the path."""

        async def guarded(request: web.Request, operator: Operator) -> web.StreamResponse:
            try:
                queue = await self._desk.queue_of(request.match_info["case"])
            except Refused:
                return self.missing(request, operator)
            return await handler(request, operator) if may_see(queue, operator) else self.missing(request, operator)

        return guarded

    def spoken(self, request: web.Request) -> Said:
        """Return the reader's language."""
        return self._pages.spoken(request)

    def missing(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """Return the page for a case that is missing or not visible."""
        return self._gate.missing(request, operator)

    def answer(
        self, template: str, request: web.Request, operator: Operator, *, status: int = 200, **values: object
    ) -> web.Response:
        """Return a page, with a proposed break after long work."""
        worked, left = self._shifts.minutes(operator.name), self._shifts.left(operator.name)
        return self._pages.answer(template, request, operator, status=status, worked=worked, looks_left=left, **values)

    def looked(self, operator: Operator) -> None:
        """Count a viewed picture."""
        self._shifts.looked(operator.name)

    def refused(self, request: web.Request, operator: Operator, why: Worded, queue: str = "") -> web.Response:
        """Return the page that says why nothing was done."""
        return self.answer("case-refused.html", request, operator, status=409, why=why, queue=queue)

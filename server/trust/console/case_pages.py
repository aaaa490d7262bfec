"""Pages about a case. Rule: of a case in the urgent queue nobody learns who is not of role child, not even that it is there."""

from __future__ import annotations

from aiohttp import web

from server.http.words.sentences import Said
from server.http.words.worded_errors import Worded
from server.trust.console.console_gate import Gate, Handler
from server.trust.console.console_pages import Pages
from server.trust.desk.case_desk import Desk
from server.trust.operators.moderator_shifts import Shifts
from server.trust.operators.roles import OPENED_BY, Operator
from server.trust.sanctions.sanction_table import Refused

CASE = "/case/{case:[0-9a-f]{32}}"


def seen(queue: str, operator: Operator) -> bool:
    """Whether an operator sees the cases of a queue; empty: the case is gone, what is left of it is a ban."""
    return not queue or operator.may(OPENED_BY[queue])


class CasePages:
    """What the parts of the work on cases share."""

    def __init__(self, gate: Gate, pages: Pages, desk: Desk, shifts: Shifts) -> None:
        self._gate = gate
        self._pages = pages
        self._desk = desk
        self._shifts = shifts

    def of_a_case(self, handler: Handler) -> Handler:
        """The handler, for those who may see the case of the path."""

        async def guarded(request: web.Request, operator: Operator) -> web.StreamResponse:
            try:
                queue = await self._desk.queue_of(request.match_info["case"])
            except Refused:
                return self.missing(request, operator)
            return await handler(request, operator) if seen(queue, operator) else self.missing(request, operator)

        return guarded

    def spoken(self, request: web.Request) -> Said:
        """The language of whoever asks."""
        return self._pages.spoken(request)

    def missing(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """What is not there, and what somebody may not see."""
        return self._gate.missing(request, operator)

    def answer(
        self, template: str, request: web.Request, operator: Operator, *, status: int = 200, **values: object
    ) -> web.Response:
        """A page, which proposes a break to who worked long."""
        worked, left = self._shifts.minutes(operator.name), self._shifts.left(operator.name)
        return self._pages.answer(template, request, operator, status=status, worked=worked, looks_left=left, **values)

    def looked(self, operator: Operator) -> None:
        """Somebody was given a picture."""
        self._shifts.looked(operator.name)

    def refused(self, request: web.Request, operator: Operator, why: Worded, queue: str = "") -> web.Response:
        """That nothing was done, and why."""
        return self.answer("case-refused.html", request, operator, status=409, why=why, queue=queue)

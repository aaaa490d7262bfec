"""Serve `/audit`, where administrators read the audit log: the actions of operators in the last 30 days, at most 1,000 lines.

**Invariant:** nothing here changes a line, and no line names the person concerned.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from aiohttp import web

from server.data.database.database import Database
from server.data.privacy import audit_log
from server.trust.console.console_gate import Gate
from server.trust.console.console_pages import Pages
from server.trust.moderators.roles import Action, Operator

DAYS = 30


def add_audit(gate: Gate, pages: Pages, database: Database, clock: Callable[[], float] = time.time) -> None:
    """Add the route."""

    async def listed(request: web.Request, operator: Operator) -> web.Response:
        found = await audit_log.recent_entries(database, int(clock()) - DAYS * 86_400)
        t = pages.spoken(request)
        lines = [(one, t.moment(one.time)) for one in found]
        return pages.answer("audit.html", request, operator, lines=lines, days=DAYS)

    pages.offer("/audit", "console.audit", Action.AUDIT)
    gate.add("GET", "/audit", Action.AUDIT, listed)

"""Keep incidents (breaches of personal data): publish them to users who cannot be written to, and run the 72 hours to notify the authority.

**Invariant:** an incident is a line of the disclosure ledger when it is opened, and a second one when it is closed. Its page stays.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlalchemy import insert, select, update

from server.data.database.database import Database
from server.data.privacy import audit_log
from server.data.privacy.disclosure_ledger import Disclosure, DisclosureLedger
from server.data.privacy.registry_model import Category, What
from server.data.schema.incident_schema import incident
from server.ops.security import reference_numbers
from server.trust.data_requests.rights_ports import Incident

SHOWN: Final = 30 * 86_400  # seconds that the page's banner stays after an incident is closed
LONGEST: Final = 2_000  # characters of the published text


class NoIncident(ValueError):
    """The incident is incomplete, unknown or closed."""


class Incidents:
    """The incidents of one store. `clock`: Unix seconds. All methods raise StoreAway."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        self._ledger = DisclosureLedger(database, clock)

    async def new(
        self, operator: str, aware: int, authority: str, categories: Sequence[Category], people: int, words: str
    ) -> str:
        """Publish an incident, and return its number. Raises NoIncident."""
        now = int(self._clock())
        if not words.strip() or len(words) > LONGEST or not authority.strip():
            raise NoIncident(f"an incident has an authority, and a text of at most {LONGEST} characters")
        if aware > now:
            raise NoIncident("the 72 hours run from a time that has been")
        number = reference_numbers.number()
        async with audit_log.act(self._database, operator=operator, action="incident new", why=number) as act:
            async with self._database.write(durable=True) as connection:
                (line,) = await self._ledger.intent_within(
                    connection, Disclosure(What.INCIDENT, authority.strip(), "GDPR 33, 34", tuple(categories), people)
                )
                row = {
                    "number": number, "aware": aware, "opened": now, "notified": None, "closed": None, "line": line, "people": people,
                    "authority": authority.strip()[:120], "categories": ", ".join(one.name for one in categories), "words": words.strip(),
                    "why": "",
                }  # fmt: skip
                await connection.execute(insert(incident).values(row))
            act.outcome = "published"
        return number

    async def close(self, operator: str, text: str, notified: int | None, why: str) -> None:
        """Close an incident: the authority was notified, or need not be, and `why`. Raises NoIncident."""
        number = reference_numbers.read(text)
        if (notified is None) == (not why.strip()):
            raise NoIncident("say when the authority was notified, or why it was not")
        async with self._database.read() as connection:
            row = (await connection.execute(select(incident).where(incident.c.number == number))).first()
        if row is None or row.closed is not None:
            raise NoIncident("no open incident has this number")
        if notified is not None and notified > int(self._clock()):
            raise NoIncident("the authority was notified at a time that has been")
        async with audit_log.act(
            self._database, operator=operator, action="incident close", why=why or "notified"
        ) as act:
            if row.line in await self._ledger.unfinished([row.line]):  # else a call before this one was killed after it
                await (self._ledger.failed([row.line]) if notified is None else self._ledger.done([row.line]))
            values = {"notified": notified, "why": why.strip()[:500], "closed": int(self._clock())}
            async with self._database.write() as connection:
                await connection.execute(update(incident).where(incident.c.number == number).values(values))
            act.outcome = f"incident {number} closed"

    async def listed(self) -> Sequence[Incident]:
        """Return all incidents, newest first."""
        async with self._database.read() as connection:
            rows = (await connection.execute(select(incident).order_by(incident.c.aware.desc()))).all()
        return [_incident(row) for row in rows]

    async def current(self) -> tuple[dict[str, Any] | None, int | None]:
        """Return what the page's banner says (`since`), None without a recent incident; and when the first notification is due."""
        now, found = int(self._clock()), await self.listed()
        recent = [one for one in found if one.closed is None or one.closed > now - SHOWN]
        due = [one.due for one in found if one.closed is None]
        return ({"since": max(one.opened for one in recent)} if recent else None), min(due, default=None)


def _incident(row: Any) -> Incident:
    return Incident(
        row.number, row.aware, row.opened, row.notified, row.closed, row.authority, row.categories, row.people, row.words, row.why,
    )  # fmt: skip

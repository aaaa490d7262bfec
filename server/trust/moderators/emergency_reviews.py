"""Review disclosures that were made because a life was in danger, within 48 hours of each.

A review is due for each order of the kind `emergency` that was produced, and for each action of the console that was marked as an emergency.

**Invariant:** the row is written in the transaction that lets the data leave or records that it left. An operator who asked for the disclosure,
confirmed it or made it does not review it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.data.database.database import Database
from server.data.privacy import audit_log
from server.data.schema.console_schema import approval
from server.data.schema.emergency_review_schema import emergency_review
from server.ops.security import reference_numbers
from server.trust.moderators.moderator_accounts import Refused
from server.trust.moderators.roles import Action

WITHIN_S: Final = 48 * 3600
WAITING, LAWFUL, UNLAWFUL = "waiting", "lawful", "unlawful"
VERDICTS: Final = (LAWFUL, UNLAWFUL)
STATES: Final = (WAITING, *VERDICTS)
WORDS: Final = 500  # characters of a finding
SHOWN: Final = 100  # newest reviews that were made, on a list


@dataclass(frozen=True, slots=True)
class EmergencyReview:
    """A review that is due or was made. `subject`: as shown; `verdict`: empty before; `parties`: operators who had a part in the disclosure."""

    number: str
    what: Action
    subject: str
    at: int
    by: str
    reviewed: int | None
    reviewed_by: str
    verdict: str
    finding: str
    parties: frozenset[str]

    @property
    def due(self) -> int:
        """The end of the 48 hours, in Unix seconds."""
        return self.at + WITHIN_S

    def may_review(self, operator: str) -> bool:
        """Whether an operator had no part in it."""
        return operator.casefold() not in {name.casefold() for name in self.parties}


async def begin(connection: AsyncConnection, what: Action, subject: bytes, by: str, now: int) -> None:
    """Write that a disclosure is to be reviewed, within the transaction of that disclosure."""
    row = {
        "number": reference_numbers.number(), "subject": subject, "what": what.value, "at": now, "by": by[:64], "reviewed": None,
        "reviewed_by": None, "verdict": None, "finding": "",
    }  # fmt: skip
    await connection.execute(insert(emergency_review).values(row))


class EmergencyReviews:
    """The reviews of one store. `clock`: Unix seconds. All methods raise StoreAway."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    @property
    def now(self) -> int:
        """Unix seconds."""
        return int(self._clock())

    async def listed(self, every: bool = False) -> Sequence[EmergencyReview]:
        """Return the reviews that are due, the first one first; `every`: then the newest ones that were made."""
        waits = emergency_review.c.reviewed.is_(None)
        due = select(emergency_review).where(waits).order_by(emergency_review.c.at)
        made = select(emergency_review).where(~waits).order_by(emergency_review.c.reviewed.desc()).limit(SHOWN)
        async with self._database.read() as connection:
            rows = list((await connection.execute(due)).all())
            if every:
                rows += (await connection.execute(made)).all()
            return [await _read(connection, row) for row in rows]

    async def review(self, text: str, operator: str, verdict: str, finding: str) -> EmergencyReview:
        """Write a review. Raises Refused."""
        number = reference_numbers.read(text)
        async with self._database.read() as connection:
            row = (
                await connection.execute(select(emergency_review).where(emergency_review.c.number == number))
            ).first()
            found = None if row is None else await _read(connection, row)
        if found is None or found.reviewed is not None:
            raise Refused("refused.review.missing")
        if not found.may_review(operator):
            raise Refused("refused.review.own")
        if verdict not in VERDICTS:
            raise Refused("refused.review.verdict")
        if not finding.strip() or len(finding) > WORDS:
            raise Refused("refused.why.long", most=WORDS)
        async with audit_log.act(
            self._database, operator=operator, action="emergency review", why=finding.strip()
        ) as act:
            undone = update(emergency_review).where(
                emergency_review.c.number == number, emergency_review.c.reviewed.is_(None)
            )
            values = {
                "reviewed": self.now,
                "reviewed_by": operator[:64],
                "verdict": verdict,
                "finding": finding.strip(),
            }
            async with self._database.write() as connection:
                if not (await connection.execute(undone.values(values))).rowcount:
                    raise Refused("refused.review.missing")  # another operator was faster
            act.outcome = f"review {found.number}: {verdict}"
        return found

    async def counts(self) -> tuple[dict[str, int], int | None]:
        """Return the number of reviews by state, and until when the first one is due; None if none is."""
        made = select(emergency_review.c.verdict, func.count(), func.min(emergency_review.c.at))
        async with self._database.read() as connection:
            rows = (await connection.execute(made.group_by(emergency_review.c.verdict))).all()
        first = next((row[2] for row in rows if row[0] is None), None)
        return {row[0] or WAITING: row[1] for row in rows}, None if first is None else first + WITHIN_S


async def _read(connection: AsyncConnection, row: Any) -> EmergencyReview:
    what = Action(row.what)
    theirs = select(approval.c.asked_by, approval.c.confirmed_by).where(
        approval.c.subject == row.subject, approval.c.action == row.what
    )
    asked = (await connection.execute(theirs)).all()
    parties = frozenset({row.by, *(name for one in asked for name in one if name)})
    subject = reference_numbers.shown(row.subject.decode()) if what is Action.PRODUCE else row.subject.hex()[:12]
    return EmergencyReview(
        reference_numbers.shown(row.number), what, subject, row.at, row.by, row.reviewed, row.reviewed_by or "", row.verdict or "",
        row.finding, parties,
    )  # fmt: skip

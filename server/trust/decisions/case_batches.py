"""Decide several cases that began alike (whose reported users sent similar first lines) with one decision, and undo it as a whole.

**Invariant:** each case is decided separately, with its own lines in the audit log and its own step on the ladder of measures; a case that another
moderator has opened or decided meanwhile is left out, and counted as left out.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from server.data.retention.stale_cases import UNDO
from server.data.schema.moderation_schema import case
from server.ops.config.moderation_policy import AGE, FOR_GOOD, WARNED
from server.trust.cases.case_base import NAME
from server.trust.decisions.case_work import CaseWork
from server.trust.sanctions.sanction_scale import Decision, Grade, Refused

BATCH_MOST = 100  # cases of one batch


@dataclass(frozen=True, slots=True)
class BatchResult:
    """Outcome of a batch. `id`: hexadecimal digits by which it is undone; `done`: cases; `left`: cases that could not be decided or undone."""

    id: str
    done: int
    left: int


class CaseBatches(CaseWork):
    """Work on cases, with batches."""

    async def decide_batch(self, cases: Sequence[str], operator: str, why: str, decision: Decision) -> BatchResult:
        """Decide these cases, BATCH_MOST at most, with a moderator's own grade. Raises Refused if the decision is not one, StoreAway."""
        if decision.measure == AGE or decision.seconds == FOR_GOOD:
            raise Refused("refused.batch.measure")
        decision.checked()
        batch, done, left = secrets.token_bytes(16), 0, 0
        for ident in cases[:BATCH_MOST]:
            try:
                await self.decide(ident, operator, why, await self.stepped(ident, decision), Grade.OPERATOR, batch)
                done += 1
            except Refused:
                left += 1
        return BatchResult(batch.hex(), done, left + len(cases[BATCH_MOST:]))

    async def undo_batch(self, batch: str, operator: str) -> BatchResult:
        """Undo a batch of this moderator while UNDO seconds have not passed since its first decision. Raises Refused, StoreAway."""
        found = await self.batch(batch, operator)
        if not found:
            raise Refused("refused.undo", most=UNDO)
        done, asked = 0, self.now
        for ident in found:
            try:
                await self.undo(ident, operator, asked)
                await self.release(ident, operator)
                done += 1
            except Refused:  # appealed within seconds: that one stays
                continue
        return BatchResult(batch, done, len(found) - done)

    async def batch(self, batch: str, operator: str) -> Sequence[str]:
        """Return the ids of a batch of this moderator that can still be undone, or nothing. Raises StoreAway."""
        if len(batch) != 32 or not set(batch) <= set("0123456789abcdef"):
            return ()
        mine = select(case.c.id, case.c.closed).where(
            case.c.batch == bytes.fromhex(batch), case.c.decided_by == operator[:NAME], case.c.state == "decided"
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(mine.order_by(case.c.closed))).all()
        if not rows or min(row.closed for row in rows) + UNDO < self.now:
            return ()
        return tuple(row.id.hex() for row in rows)

    async def stepped(self, ident: str, decision: Decision) -> Decision:
        """Return the decision; of a ban without a length, the next step of its rule's ladder for this case. Raises Refused, StoreAway."""
        if decision.measure != "ban" or decision.seconds is not None:
            return decision
        seconds = await self.step(ident, decision.rule)
        if seconds == WARNED:
            return Decision("warning", decision.rule, None, decision.words)
        return Decision("ban", decision.rule, seconds, decision.words)

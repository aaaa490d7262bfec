"""Manage requests for actions that a second moderator must confirm.

**Invariant:** no moderator confirms their own request. If no other account may confirm it, a waiting time replaces the confirmation.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Row, insert, select, update

from server.data.database.database import Database
from server.data.privacy import audit_log
from server.data.schema.console_schema import approval
from server.data.schema.law_order_schema import law_order
from server.trust.moderators import emergency_reviews
from server.trust.moderators.moderator_accounts import Accounts, Refused
from server.trust.moderators.roles import Action, Operator

HOUR = 3600
CONFIRM = 72 * HOUR  # seconds for another moderator to confirm
GOOD = 24 * HOUR  # seconds in which it may then be done
WORDS = 500  # characters of the reason


class State(StrEnum):
    """State of a request."""

    NONE = "none"  # not requested
    ASKED = "asked"  # waits for another moderator
    WAITING = "waiting"  # no other account could confirm: waits for its time
    CONFIRMED = "confirmed"  # by another moderator
    READY = "ready"  # its time is over, or it is an emergency
    REFUSED = "refused"  # withdrawn, or refused by another
    LATE = "late"  # not confirmed, or not used, in time

    @property
    def may(self) -> bool:
        """Whether the action may be done now."""
        return self in (State.CONFIRMED, State.READY)


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """A request. `ready`: from when it may be done, None until another moderator confirms; times in Unix seconds."""

    id: str
    action: Action
    subject: bytes
    words: str
    asked_by: str
    asked: int
    ready: int | None
    confirmed_by: str
    alone: bool
    emergency: bool
    state: State


class Approvals:
    """Requests in one store. `pairs`: a second moderator is needed if one exists; `wait`: seconds that replace one; `clock`: Unix seconds.

        asked ─► another confirms within 72 h ─► confirmed, good for a day (of an account whose passkey and roles are a day old)
              └► no other account may           ─► after console.wait_hours: ready, good for a day (marked alone)
              └► a life is in danger            ─► ready at once (marked emergency, and reviewed: `emergency_reviews`)

    Until a request is used, its author can withdraw it, and another moderator with the same permission can refuse it.
    """

    def __init__(
        self,
        database: Database,
        accounts: Accounts,
        *,
        pairs: bool = True,
        wait: int = 24 * HOUR,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._accounts = accounts
        self._pairs = pairs
        self._wait = wait
        self._clock = clock

    async def ask(
        self, operator: Operator, action: Action, subject: bytes, words: str, *, emergency: bool = False
    ) -> str:
        """Request an action. Return the request's id. `words`: the reason, for the confirming moderator. Raises Refused, StoreAway."""
        if not operator.may(action):
            raise Refused("refused.approval.ask")
        if not words.strip() or len(words) > WORDS:
            raise Refused("refused.why.long", most=WORDS)
        if (await self.find(action, subject, operator)) in (State.ASKED, State.WAITING, State.CONFIRMED, State.READY):
            raise Refused("refused.approval.twice")
        alone = not (self._pairs and await self._accounts.others(action, operator.name))
        now, ident = int(self._clock()), secrets.token_bytes(16)
        ready = now if emergency else now + self._wait if alone else None
        marks = [word for word, on in (("alone", alone), ("emergency", emergency)) if on]
        await self._note("approval ask", operator, words, f"{action} {' '.join(marks)}".strip(), ident)
        async with self._database.write() as connection:
            await connection.execute(
                insert(approval).values(
                    id=ident, action=action.value, subject=subject, words=words, asked_by=operator.name, asked=now,
                    ready=ready, confirmed_by=None, refused_by=None, alone=alone, emergency=emergency,
                )
            )  # fmt: skip
            if emergency and action is not Action.PRODUCE:  # an order is reviewed once it is produced
                await emergency_reviews.begin(connection, action, subject, operator.name, now)
        return ident.hex()

    async def obtain(
        self, operator: Operator, action: Action, subject: bytes, words: str, *, emergency: bool = False, mark: str = ""
    ) -> tuple[str, State]:
        """Return the approved words, whatever `words` are now; without approval request it, and return no words and the state.

        `mark`: approved words without it do not count. Raises Refused, StoreAway.
        """
        found = await self.newest(action, subject, operator)
        if found is not None and found.state.may and mark in found.words:
            return found.words, found.state
        if found is None or found.state not in (State.ASKED, State.WAITING):
            await self.ask(operator, action, subject, words, emergency=emergency)
            if emergency:
                return words, State.READY
            found = await self.newest(action, subject, operator)
        return "", State.ASKED if found is None else found.state

    async def confirm(self, ident: str, operator: Operator) -> None:
        """Confirm another moderator's request. Raises Refused, StoreAway."""
        found = await self._open(ident, operator)
        if found.asked_by == operator.name:
            raise Refused("refused.approval.other")
        if found.state is not State.ASKED:
            raise Refused("refused.approval.still")
        if not await self._accounts.is_settled(operator.name):
            raise Refused("refused.approval.new")
        await self._note("approval confirm", operator, found.words, found.action, bytes.fromhex(ident))
        await self._decide(ident, confirmed_by=operator.name, ready=int(self._clock()))

    async def refuse(self, ident: str, operator: Operator) -> None:
        """Withdraw one's own request, or refuse another's. Raises Refused, StoreAway."""
        found = await self._open(ident, operator)
        await self._note("approval refuse", operator, found.words, found.action, bytes.fromhex(ident))
        await self._decide(ident, refused_by=operator.name)

    async def find(self, action: Action, subject: bytes, operator: Operator) -> State:
        """Return the state of this moderator's newest request for this. Raises StoreAway."""
        found = await self.newest(action, subject, operator)
        return State.NONE if found is None else found.state

    async def newest(self, action: Action, subject: bytes, operator: Operator) -> ApprovalRequest | None:
        """Return this moderator's newest request for this, an open one first, or None. The action is done for its `words`. Raises StoreAway."""
        wanted = (
            select(approval)
            .where(
                approval.c.subject == subject, approval.c.action == action.value, approval.c.asked_by == operator.name
            )
            .order_by(approval.c.asked.desc())
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(wanted)).all()
        found = [self._shown(row) for row in rows]
        return next((one for one in found if one.state not in (State.REFUSED, State.LATE)), found[0] if found else None)

    async def waiting(self, operator: Operator) -> Sequence[ApprovalRequest]:
        """Return the open requests that this moderator may confirm, oldest first, but none for an order that is closed. Raises StoreAway."""
        since = int(self._clock()) - CONFIRM - max(self._wait, 0) - GOOD
        wanted = select(approval).where(approval.c.asked > since).order_by(approval.c.asked)
        async with self._database.read() as connection:
            found = [self._shown(row) for row in (await connection.execute(wanted)).all()]
            orders = [one.subject.decode() for one in found if one.action is Action.PRODUCE]
            closed = select(law_order.c.number).where(law_order.c.number.in_(orders), law_order.c.decided.is_not(None))
            answered = {number.encode() for number in (await connection.execute(closed)).scalars()} if orders else set()
        return [
            one
            for one in found
            if operator.may(one.action)
            and one.state not in (State.REFUSED, State.LATE)
            and not (one.action is Action.PRODUCE and one.subject in answered)
        ]

    async def _open(self, ident: str, operator: Operator) -> ApprovalRequest:
        """Return an open request that this moderator may confirm. Raises Refused."""
        try:
            key = bytes.fromhex(ident)
        except ValueError:
            key = b""
        async with self._database.read() as connection:
            row = (await connection.execute(select(approval).where(approval.c.id == key))).first()
        found = None if row is None else self._shown(row)
        if found is None or not operator.may(found.action):
            raise Refused("refused.approval.missing")
        if found.state in (State.REFUSED, State.LATE):
            raise Refused("refused.approval.refused" if found.state is State.REFUSED else "refused.approval.late")
        return found

    async def _decide(self, ident: str, **values: object) -> None:
        """Write a decision unless another moderator was faster. Raises Refused."""
        undecided = update(approval).where(approval.c.id == bytes.fromhex(ident), approval.c.refused_by.is_(None))
        if "confirmed_by" in values:
            undecided = undecided.where(approval.c.confirmed_by.is_(None), approval.c.ready.is_(None))
        async with self._database.write() as connection:
            if not (await connection.execute(undecided.values(**values))).rowcount:
                raise Refused("refused.approval.faster")

    def _shown(self, row: Row[tuple[object, ...]]) -> ApprovalRequest:
        return ApprovalRequest(
            row.id.hex(), Action(row.action), row.subject, row.words, row.asked_by, row.asked, row.ready,
            row.confirmed_by or "", row.alone, row.emergency, self._state(row),
        )  # fmt: skip

    def _state(self, row: Row[tuple[object, ...]]) -> State:
        now = self._clock()
        if row.refused_by is not None:
            return State.REFUSED
        if row.ready is None:
            return State.ASKED if now < row.asked + CONFIRM else State.LATE
        if now >= row.ready + GOOD:
            return State.LATE
        if now < row.ready:
            return State.WAITING
        return State.CONFIRMED if row.confirmed_by is not None else State.READY

    async def _note(self, action: str, operator: Operator, why: str, outcome: str, ident: bytes) -> None:
        await audit_log.write_entry(
            self._database, now=int(self._clock()), operator=operator.name, action=action, why=why,
            outcome=f"approval {ident.hex()}: {outcome}",
        )  # fmt: skip

"""What an operator does with cases: list, claim, read, decide. Rule: the look is written down before anything is shown, the deed before it is done.

Whoever speaks to operators (the command line) calls this module and nothing below it.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Row, func, insert, not_, select, update
from sqlalchemy import case as choice
from sqlalchemy.ext.asyncio import AsyncConnection

from server.privacy import audit
from server.safety.appeals import ANSWER, WORDS
from server.safety.bans import hash_of
from server.safety.cases import NOTE, ORDER
from server.safety.evidence import Evidence, Unreadable, unpack
from server.store import case_life
from server.store.case_life import OPEN
from server.store.database import Database
from server.store.epochs import KeyGone
from server.store.erased import erased_row, shown_case
from server.store.pseudonyms import Pseudonyms
from server.store.safety_schema import appeal, ban, case, case_subject, evidence, report
from server.store.schema import party
from server.store.sealed import Sealed

DAY = 86_400
SHORTEST = 8  # digits of a case that an operator types
RULES = ("R1", "R2", "R3", "R4", "R5", "R6", "R7")  # as /rules numbers them
MEASURES = ("none", "ban")
LADDER = {
    "R2": (1, 7, 30),
    "R3": (7, 90),
    "R4": (1, 7, 30),
    "R5": (1, 7, 30),
    "R6": (1, 7, 30),
    "R1": (1, 7, 30),
    "R7": (90,),
}
LONGEST = 90  # days of a ban that one operator decides
SHARED = 5  # identities of one address in a day: then it is many people's, and no door
EVIDENCE_AFTER = {"none": 3 * DAY}  # seconds that evidence stays after the decision
EVIDENCE_DAYS = 30  # for every measure but none
FRESH = 90 * DAY  # a reporter's weight is made from their own last 90 days


class Refused(ValueError):
    """It cannot be done as asked; the text says why."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A case in its queue. `weight`: of its reporters together; `points`: what it is ordered by, highest first."""

    id: str
    queue: str
    state: str
    mode: str
    opened: int
    reasons: tuple[str, ...]
    reports: int
    weight: float
    points: float
    claimed_by: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A case as it is read. `notes`: what reporters wrote (reason, note); `texts`: the server's own; `earlier`: (day, measure, rule)."""

    listed: Listed
    notes: tuple[tuple[str, str], ...]
    texts: tuple[Evidence, ...]
    country: str
    earlier: tuple[tuple[int, str, str], ...]


@dataclass(frozen=True, slots=True)
class Appeal:
    """An appeal that waits. `decided_by`: who may not answer it."""

    case: str
    at: int
    text: str
    rule: str
    decided_by: str


class Desk:
    """Over one store. `clock`: Unix seconds."""

    def __init__(
        self, database: Database, sealed: Sealed, pseudonyms: Pseudonyms, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._sealed = sealed
        self._pseudonyms = pseudonyms
        self._clock = clock

    async def cases(self, queue: str = "", most: int = 200) -> Sequence[Listed]:
        """The open cases, those first that cannot wait; all queues where none is named. Raises StoreAway."""
        rank = choice({name: place for place, name in enumerate(ORDER)}, value=case.c.queue, else_=0)
        wanted = select(case).where(case.c.state.in_(OPEN)).order_by(rank.desc(), case.c.priority.desc(), case.c.opened)
        if queue:
            wanted = wanted.where(case.c.queue == queue)
        async with self._database.read() as connection:
            rows = (await connection.execute(wanted.limit(most))).all()
            weights = await self._weights(connection, [row.id for row in rows])
        found = [self._listed(row, weights.get(row.id, [])) for row in rows]
        return sorted(found, key=lambda one: (-ORDER.index(one.queue), -one.points, one.opened))

    async def show(self, text: str, operator: str, why: str) -> Opened:
        """Read a case, with the server's own text of each reported chat. Raises Refused, StoreAway, ObjectsAway."""
        ident = await self._ident(text)
        await self._note("safety show", operator, why, ident, "asked")
        async with self._database.read() as connection:
            row = (await connection.execute(select(case).where(case.c.id == ident))).first()
            if row is None:
                raise Refused("there is no such case")
            reports = (
                await connection.execute(select(report).where(report.c.case == ident).order_by(report.c.at))
            ).all()
            pieces = (
                await connection.execute(select(evidence).where(evidence.c.case == ident).order_by(evidence.c.made))
            ).all()
            subject = (await connection.execute(select(case_subject).where(case_subject.c.case == ident))).one()
            weights = await self._weights(connection, [ident])
            earlier = await self._earlier(connection, ident, subject)
        notes = tuple((one.reason, self._opened(one.note)) for one in reports)
        texts = [await self._read(piece) for piece in pieces]
        await self._note("safety show", operator, why, ident, "shown")
        return Opened(
            self._listed(row, weights.get(ident, [])),
            notes,
            tuple(piece for piece in texts if piece is not None),
            subject.country or "",
            earlier,
        )

    async def decide(
        self, text: str, operator: str, why: str, measure: str, rule: str = "", days: int | None = None
    ) -> str:
        """Close a case; what follows, in words. `rule`: R1 to R7, of a ban; `days`: None for the next step of its ladder.

        Raises Refused, StoreAway.
        """
        ident = await self._ident(text)
        if measure not in MEASURES or (measure == "ban") != (rule in RULES):
            raise Refused("a measure is none, or ban with one of the rules R1 to R7")
        if days is not None and not 1 <= days <= LONGEST:
            raise Refused(f"a ban lasts 1 to {LONGEST} days")
        now = int(self._clock())
        outcome = "none" if measure == "none" else "acted"
        await self._note("safety decide", operator, why, ident, f"asked: {measure} {rule}".strip())
        until = now + EVIDENCE_AFTER.get(measure, EVIDENCE_DAYS * DAY)
        async with self._database.write() as connection:
            await self._database.guard(connection)
            row = (await connection.execute(select(case.c.state).where(case.c.id == ident))).first()
            if row is None or row.state not in OPEN:
                raise Refused("there is no such case" if row is None else "this case is decided already")
            decided = update(case).where(case.c.id == ident)
            await connection.execute(
                decided.values(
                    state="decided", decided_by=operator[:64], measure=measure, rule=rule or None, closed=now
                )
            )
            await connection.execute(update(case_subject).where(case_subject.c.case == ident).values(closed=now))
            await connection.execute(
                update(report).where(report.c.case == ident).values(outcome=outcome, closed=now, note=None)
            )
            told = "nothing follows"
            if measure == "ban":
                told, until = await self._ban(connection, ident, rule, days, now)
            await connection.execute(update(evidence).where(evidence.c.case == ident).values(until=until))
        await self._note("safety decide", operator, why, ident, f"{measure} {rule}: {told}")
        return told

    async def _ban(
        self, connection: AsyncConnection, ident: bytes, rule: str, days: int | None, now: int
    ) -> tuple[str, int]:
        """The rows of a ban: identity for the whole length, network for a day or a week, unless it is many people's. (words, its end)."""
        subject = (await connection.execute(select(case_subject).where(case_subject.c.case == ident))).one()
        earlier = await self._steps(connection, subject, rule, now)
        if days is None:
            ladder = LADDER[rule]
            days = ladder[min(len(earlier), len(ladder) - 1)]
        until = now + days * DAY
        rows = [("identity", subject.identity, until)] if subject.identity is not None else []
        recent = sum(1 for since in earlier if since > now - 30 * DAY)
        if subject.network is not None and not await self._shared(connection, subject.address, now):
            rows.append(("network", subject.network, min(until, now + (7 if recent else 1) * DAY)))
        if not rows:
            raise Refused("neither an identity nor a network of their own is known: nobody could be told apart")
        for kind, mac, end in rows:
            await connection.execute(
                insert(ban).values(
                    id=secrets.token_bytes(16), kind=kind, mac=mac, since=now, until=end, rule=rule, case=ident,
                    appeal=hash_of(self._pseudonyms, ident), lifted=None, changed=now,
                )
            )  # fmt: skip
        return ", ".join(f"{kind} for {_days((end - now) // DAY)}" for kind, _, end in rows), until

    async def _steps(
        self, connection: AsyncConnection, subject: Row[tuple[object, ...]], rule: str, now: int
    ) -> list[int]:
        """When this person was banned by the same rule in the last 120 days, what was taken back apart."""
        macs = [mac for mac in (subject.identity, subject.network) if mac is not None]
        wanted = (
            select(ban.c.case, func.min(ban.c.since).label("since"))
            .where(ban.c.mac.in_(macs), ban.c.rule == rule, ban.c.since > now - 120 * DAY, ban.c.lifted.is_(None))
            .group_by(ban.c.case)
        )
        return [row.since for row in (await connection.execute(wanted)).all()]

    async def _shared(self, connection: AsyncConnection, sealed: bytes | None, now: int) -> bool:
        """Whether many people came from this address in the last day."""
        if sealed is None:
            return False
        try:
            macs = self._pseudonyms.live_addresses(self._pseudonyms.safety_address(sealed))
        except KeyGone:
            return False
        people = select(func.count(party.c.identity.distinct())).where(
            party.c.address_mac.in_(macs), party.c.ended > now - DAY, not_(erased_row(party.c.identity, party.c.ended))
        )
        return bool((await connection.execute(people)).scalar_one() >= SHARED)

    async def appeals(self) -> Sequence[Appeal]:
        """The appeals that wait, oldest first. Raises StoreAway."""
        wanted = (
            select(appeal.c.case, appeal.c.at, appeal.c.text, case.c.rule, case.c.decided_by)
            .join(case, case.c.id == appeal.c.case)
            .where(appeal.c.state == "open")
            .order_by(appeal.c.at)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(wanted)).all()
        return [
            Appeal(row.case.hex(), row.at, self._opened(row.text, WORDS), row.rule or "", row.decided_by or "")
            for row in rows
        ]

    async def answer(self, text: str, operator: str, why: str, *, uphold: bool, words: str) -> None:
        """Decide an appeal; `words`: what its writer reads. By another operator than who banned. Raises Refused, StoreAway."""
        ident = await self._ident(text)
        if len(words) > ANSWER:
            raise Refused(f"an answer has {ANSWER} characters at most")
        outcome = "upheld" if uphold else "reversed"
        await self._note("safety answer", operator, why, ident, f"asked: {outcome}")
        now = int(self._clock())
        async with self._database.write() as connection:
            await self._database.guard(connection)
            decided = (await connection.execute(select(case.c.decided_by).where(case.c.id == ident))).scalar()
            if decided == operator[:64]:
                raise Refused("somebody else than who decided the case answers its appeal")
            waiting = update(appeal).where(appeal.c.case == ident, appeal.c.state == "open")
            sealed = self._pseudonyms.seal_text(WORDS, words) if words else None
            done = await connection.execute(
                waiting.values(state=outcome, decided_by=operator[:64], answer=sealed, closed=now)
            )
            if not done.rowcount:
                raise Refused("no appeal of this case waits")
            if not uphold:
                await case_life.free(connection, [ident], now)
                await connection.execute(update(case).where(case.c.id == ident).values(state="reversed"))
                await connection.execute(update(report).where(report.c.case == ident).values(outcome="reversed"))
        await self._note("safety answer", operator, why, ident, outcome)

    async def _ident(self, text: str) -> bytes:
        """The id of a case from its first hexadecimal digits, SHORTEST at least, where one case alone begins so. Raises Refused, StoreAway."""
        digits = text.strip().lower()
        if not SHORTEST <= len(digits) <= 32 or not set(digits) <= set("0123456789abcdef"):
            raise Refused(f"a case has 32 hexadecimal digits, of which the first {SHORTEST} will do")
        first, last = bytes.fromhex(digits.ljust(32, "0")), bytes.fromhex(digits.ljust(32, "f"))
        within = select(case.c.id).where(case.c.id >= first, case.c.id <= last).limit(2)
        async with self._database.read() as connection:
            found = (await connection.execute(within)).scalars().all()
        if len(found) != 1:
            raise Refused("more than one case begins so" if found else "there is no such case")
        return bytes(found[0])

    def _listed(self, row: Row[tuple[object, ...]], weights: list[float]) -> Listed:
        weight = sum(weights)
        age = max(0.0, self._clock() - row.opened)
        points = row.priority + max(0.0, min(45.0, 15.0 * (weight - 1))) + age / 600
        claimed = row.claimed_by if row.claimed_until and row.claimed_until > self._clock() else ""
        return Listed(
            row.id.hex(), row.queue, row.state, row.mode, row.opened, tuple(row.reasons.split(",")), len(weights),
            round(weight, 2), round(points, 1), claimed or "",
        )  # fmt: skip

    async def _weights(self, connection: AsyncConnection, cases: list[bytes]) -> dict[bytes, list[float]]:
        """The weight of each report: how often the reporter was right in the last 90 days, 0.2 to 1.5; without a cookie 0.5."""
        reports = (
            await connection.execute(select(report.c.case, report.c.identity).where(report.c.case.in_(cases)))
        ).all()
        people = {row.identity for row in reports if row.identity is not None}
        since = int(self._clock()) - FRESH
        tallied = select(report.c.identity, report.c.outcome, func.count().label("n")).where(
            report.c.identity.in_(people), report.c.closed > since, report.c.outcome.in_(("acted", "none"))
        )
        decided: dict[bytes, dict[str, int]] = {}
        for row in (await connection.execute(tallied.group_by(report.c.identity, report.c.outcome))).all():
            decided.setdefault(row.identity, {})[row.outcome] = row.n
        found: dict[bytes, list[float]] = {}
        for row in reports:
            known = decided.get(row.identity, {})
            agreed, all_of = known.get("acted", 0), sum(known.values())
            weight = 0.5 if row.identity is None else min(1.5, max(0.2, (agreed + 1) / (all_of + 2) * 2))
            found.setdefault(row.case, []).append(weight)
        return found

    async def _earlier(
        self, connection: AsyncConnection, ident: bytes, subject: Row[tuple[object, ...]]
    ) -> tuple[tuple[int, str, str], ...]:
        """What was decided about the same person before, while it is kept."""
        if subject.identity is None:
            return ()
        wanted = (
            select(case.c.closed, case.c.measure, case.c.rule)
            .join(case_subject, case_subject.c.case == case.c.id)
            .where(
                case_subject.c.identity == subject.identity,
                case.c.id != ident,
                case.c.closed.is_not(None),
                shown_case(int(self._clock()), case_subject.c.identity, case.c.opened, case.c.id),
            )
            .order_by(case.c.closed.desc())
        )
        return tuple(
            (row.closed, row.measure or "", row.rule or "") for row in (await connection.execute(wanted)).all()
        )

    def _opened(self, note: bytes | None, domain: bytes = NOTE) -> str:
        if note is None:
            return ""
        try:
            return self._pseudonyms.open_text(domain, note)
        except KeyGone:
            return ""

    async def _read(self, piece: Row[tuple[object, ...]]) -> Evidence | None:
        body = await self._sealed.get(piece.object, piece.object_key)
        try:
            return None if body is None else unpack(body)
        except Unreadable:
            return None

    async def _note(self, action: str, operator: str, why: str, ident: bytes, outcome: str) -> None:
        await audit.note(
            self._database, now=int(self._clock()), operator=operator, action=action, why=why,
            outcome=f"case {ident.hex()}: {outcome}",
            subject=await audit.of_case(self._database, self._pseudonyms, ident),
        )  # fmt: skip


def _days(number: int) -> str:
    """`1 day`, `7 days`."""
    return f"{number} day" if number == 1 else f"{number} days"

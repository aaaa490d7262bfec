"""Let moderators list, read and answer public notices: reports of illegal content that anyone can send without a chat.

**Invariant:** a view is in the audit log before the notice is returned, an action before it is done. The console and the command line both call
this module.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Row, func, select, update

from server.data.database.database import Database
from server.data.keys.pseudonyms import Pseudonyms
from server.data.privacy import audit_log
from server.data.schema.transparency_schema import law_notice
from server.trust.moderation_protocol import CHILD_KINDS, KINDS
from server.trust.reports.illegal_content_notices import ABOUT, ANSWER, CONTACT, OPEN, WORDS, opened
from server.trust.sanctions.sanction_scale import Refused

SHORTEST = 8  # least digits of a notice that a moderator types
LONGEST = 1_000  # characters of an answer
# something was done · nothing to do, or nothing found · passed on to an authority
OUTCOMES = ("acted", "none", "passed")


@dataclass(frozen=True, slots=True)
class WaitingNotice:
    """An open notice in the list. `kind`: one of KINDS; `at`: Unix seconds."""

    id: str
    at: int
    kind: str


@dataclass(frozen=True, slots=True)
class PublicNotice:
    """A notice as a moderator reads it. `contact`: empty if the writer gave none; the answer is at the receipt in either case."""

    id: str
    at: int
    kind: str
    about: str
    words: str
    contact: str
    state: str
    answer: str


class PublicNoticeWork:
    """Work on public notices over one store, for a moderator who may read these kinds; others are missing. `clock`: Unix seconds."""

    def __init__(
        self,
        database: Database,
        pseudonyms: Pseudonyms,
        clock: Callable[[], float] = time.time,
        kinds: Collection[str] = KINDS,
    ) -> None:
        self._kinds = kinds
        self._database = database
        self._pseudonyms = pseudonyms
        self._clock = clock

    def of_kinds(self, kinds: Collection[str]) -> PublicNoticeWork:
        """Return the same work, narrowed to these kinds."""
        return PublicNoticeWork(self._database, self._pseudonyms, self._clock, kinds)

    async def waiting(self, most: int = 200) -> Sequence[WaitingNotice]:
        """Return the open notices: children in danger, then others about children, then the oldest. Raises StoreAway."""
        first = [(law_notice.c.kind == kind).desc() for kind in CHILD_KINDS]
        wanted = select(law_notice.c.id, law_notice.c.at, law_notice.c.kind)
        wanted = wanted.where(law_notice.c.state == OPEN, law_notice.c.kind.in_(self._kinds))
        async with self._database.read() as connection:
            rows = (await connection.execute(wanted.order_by(*first, law_notice.c.at).limit(most))).all()
        return [WaitingNotice(row.id.hex(), row.at, row.kind) for row in rows]

    async def show(self, text: str, operator: str, why: str) -> PublicNotice:
        """Read a notice. Raises Refused, StoreAway."""
        row = await self._row(text)
        await self._note("safety notices show", operator, why, row.id, "asked")
        pseudonyms = self._pseudonyms
        return PublicNotice(
            row.id.hex(), row.at, row.kind, about=opened(pseudonyms, ABOUT, row.about), words=opened(pseudonyms, WORDS, row.text),
            contact=opened(pseudonyms, CONTACT, row.contact), state=row.state, answer=opened(pseudonyms, ANSWER, row.answer),
        )  # fmt: skip

    async def answer(self, text: str, operator: str, why: str, outcome: str, words: str = "") -> None:
        """Decide a notice. `words`: shown to its writer at the receipt. Raises Refused, StoreAway."""
        if outcome not in OUTCOMES:
            raise Refused("refused.outcome")
        if len(words) > LONGEST:
            raise Refused("refused.answer", most=LONGEST)
        ident = (await self._row(text)).id
        await self._note("safety notices answer", operator, why, ident, f"asked: {outcome}")
        sealed = self._pseudonyms.seal_text(ANSWER, words) if words else None
        decided = update(law_notice).where(law_notice.c.id == ident, law_notice.c.state == OPEN)
        async with self._database.write() as connection:
            done = await connection.execute(
                decided.values(state=outcome, decided_by=operator[:64], answer=sealed, closed=int(self._clock()))
            )
            if not done.rowcount:
                raise Refused("refused.notice.answered")
        await self._note("safety notices answer", operator, why, ident, outcome)

    async def clear(
        self, operator: str, why: str, kinds: Collection[str], since: int, until: int, *, dry: bool = False
    ) -> int:
        """Close with "nothing to do" all open notices of these kinds that came in `since <= Unix seconds < until`. Return their number.

        They are not read; their writers find the outcome at their receipts. `dry`: count only. Raises StoreAway.
        """
        chosen = (
            law_notice.c.state == OPEN,
            law_notice.c.kind.in_(kinds),
            law_notice.c.at >= since,
            law_notice.c.at < until,
        )
        async with audit_log.act(
            self._database, operator=operator, action="safety notices clear", why=why, dry=dry
        ) as act:
            if dry:
                async with self._database.read() as connection:
                    wanted = select(func.count()).select_from(law_notice).where(*chosen)
                    done = int((await connection.execute(wanted)).scalar_one())
            else:
                decided = update(law_notice).where(*chosen)
                values = {"state": "none", "decided_by": operator[:64], "closed": int(self._clock())}
                async with self._database.write() as connection:
                    done = (await connection.execute(decided.values(values))).rowcount
            act.outcome = f"{done} notices from {since} to {until}: {','.join(sorted(kinds))}"
        return done

    async def _row(self, text: str) -> Row[tuple[object, ...]]:
        """Return the one notice that begins with these hexadecimal digits, SHORTEST at least. Raises Refused, StoreAway."""
        digits = text.strip().lower()
        if not SHORTEST <= len(digits) <= 32 or not set(digits) <= set("0123456789abcdef"):
            raise Refused("refused.notice.digits", digits=SHORTEST)
        first, last = bytes.fromhex(digits.ljust(32, "0")), bytes.fromhex(digits.ljust(32, "f"))
        within = select(law_notice).where(law_notice.c.id >= first, law_notice.c.id <= last)
        within = within.where(law_notice.c.kind.in_(self._kinds)).limit(2)
        async with self._database.read() as connection:
            found = (await connection.execute(within)).all()
        if len(found) != 1:
            raise Refused("refused.notice.several" if found else "refused.notice.missing")
        return found[0]

    async def _note(self, action: str, operator: str, why: str, ident: bytes, outcome: str) -> None:
        await audit_log.write_entry(
            self._database, now=int(self._clock()), operator=operator, action=action, why=why,
            outcome=f"notice {ident.hex()}: {outcome}",
        )  # fmt: skip

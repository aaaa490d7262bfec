"""Find open cases whose reported users began their chats alike, as a swarm of advertisers does, and the words that describe a case in a list.

First lines are compared as the screening process compares them (`ext.net.similarity`): folded letters, at least half of 16 MinHash bins equal. Two
cases that are both alike to a third count as alike.

**Invariant:** at most ALIKE_MOST open cases of a queue are compared, and nothing of the comparison is kept.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ext.net.similarity import Shingles
from server.data.schema.moderation_schema import OPEN, case, evidence
from server.trust.cases.case_base import Found
from server.trust.cases.case_queues import ListedCase, Queues
from server.trust.evidence.case_preview import DOMAIN, LETTERS, Excerpt, folded, unpack_excerpt

_KEY = os.urandom(16)  # one of the process, so that a list and the page of a group agree
ALIKE_MOST = 500  # open cases of a queue whose openers are compared, those due first


@dataclass(frozen=True, slots=True)
class CaseExcerpt:
    """Words of a case in a list. `about`: the line that it is about, or empty; `alike`: number of other open cases that began alike; `first`: the
    case is the first listed one of them, or has none.
    """

    about: str = ""
    alike: int = 0
    first: bool = True


class AlikeCases(Queues):
    """Queues of cases with their words, and the open cases that began alike."""

    async def excerpts(
        self, queue: str, listed: Sequence[ListedCase], operator: str, why: str
    ) -> Mapping[str, CaseExcerpt]:
        """Return the words of the listed cases of a queue, by the cases' ids. A line of the audit log names them first. Raises StoreAway."""
        names = " ".join(one.id[:8] for one in listed)
        await self._log("safety list", operator, why, f"{queue}: {len(listed)} cases shown: {names}")
        async with self._database.read() as connection:
            found = await self._excerpts(connection, _first(queue))
        groups, seen = _groups(found), set[bytes]()
        words: dict[str, CaseExcerpt] = {}
        for one in listed:
            ident = bytes.fromhex(one.id)
            group = groups.get(ident, (ident,))
            words[one.id] = CaseExcerpt(found.get(ident, Excerpt()).about, len(group) - 1, seen.isdisjoint(group))
            seen.update(group)
        return words

    async def alike_cases(self, text: str) -> Sequence[bytes]:
        """Return the ids of the open cases of its queue that began as this one did, this one first. Raises Refused, StoreAway."""
        ident = await self._ident(text)
        async with self._database.read() as connection:
            return await self._alike(connection, await self._row(connection, ident))

    async def _alike(self, connection: AsyncConnection, row: Found) -> Sequence[bytes]:
        found = await self._excerpts(connection, _first(row.queue))
        group = _groups(found).get(row.id, (row.id,))
        return (row.id, *(one for one in group if one != row.id))

    async def _excerpts(self, connection: AsyncConnection, cases: Select[tuple[bytes]]) -> dict[bytes, Excerpt]:
        """Return the excerpt of each case's newest text, in the order in which the cases are due. `cases`: a query of case ids."""
        newest = (
            select(evidence.c.case, func.max(evidence.c.made).label("made"))
            .where(evidence.c.case.in_(cases), evidence.c.excerpt.is_not(None))
            .group_by(evidence.c.case)
            .subquery()
        )
        wanted = (
            select(evidence.c.case, evidence.c.excerpt)
            .join(newest, and_(newest.c.case == evidence.c.case, newest.c.made == evidence.c.made))
            .join(case, case.c.id == evidence.c.case)
            .where(evidence.c.excerpt.is_not(None))
            .order_by(case.c.due, case.c.id, evidence.c.id)
        )
        rows = (await connection.execute(wanted)).all()
        return {ident: unpack_excerpt(self._opened(sealed, DOMAIN)) for ident, sealed in rows}


def _first(queue: str) -> Select[tuple[bytes]]:
    return select(case.c.id).where(case.c.state == OPEN, case.c.queue == queue).order_by(case.c.due).limit(ALIKE_MOST)


def _groups(excerpts: Mapping[bytes, Excerpt]) -> dict[bytes, tuple[bytes, ...]]:
    """Return, by case, the cases that began alike, itself among them, in the order of `excerpts`; only of cases with an opener."""
    table, idents = Shingles(_KEY, max(1, len(excerpts))), list(excerpts)
    group: dict[int, list[int]] = {}
    for place, found in enumerate(excerpts.values()):
        letters = folded(found.opener).encode("utf-8", "replace")
        if len(letters) < LETTERS:
            continue
        mine = group[place] = [place]
        for _, other, _, _ in table.put(letters, place, 0, 0.0, 0.0)[1]:
            theirs = group[other]
            if theirs is not mine:
                few, mine = sorted((mine, theirs), key=len)
                mine.extend(few)
                group.update(dict.fromkeys(few, mine))
    return {idents[place]: tuple(idents[one] for one in sorted(members)) for place, members in group.items()}

"""Count the events of moderation per month (reports, decisions, appeals, lifted bans …), in figures that outlive the counted rows.

**Invariant:** each event is counted once, on the day after it ended and before the purge deletes its row; a killed purge counts nothing twice.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, insert, not_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.data.retention.legal_holds import THEMSELVES
from server.data.schema.data_request_schema import request
from server.data.schema.disclosure_schema import disclosure
from server.data.schema.law_order_schema import law_order
from server.data.schema.moderation_schema import appeal, ban, evidence, report
from server.data.schema.moderation_schema import case as cases
from server.data.schema.record_schema import audit, hold
from server.data.schema.second_look_queries import results
from server.data.schema.transparency_schema import CHATS, law_notice, month_figure

DAY = 86_400
FIRST = 120 * DAY  # seconds that the first count looks back: older rows are deleted
UPTO = ("", "upto")
COUNTED = "counted"  # of each month: without it a month in which nothing ended would not be published, which tells that nothing did
# Seconds within which a decision was made; longer ones are counted as 0.
WITHIN = (3_600, 4 * 3_600, 12 * 3_600, DAY, 2 * DAY, 3 * DAY, 7 * DAY, 14 * DAY, 30 * DAY)
LENGTHS = ((1, "a day"), (7, "7 days"), (30, "30 days"), (90, "90 days"))  # of bans, at most
LONGER, NO_BAN, ENDED_EARLY = "longer", "no ban", "ended early"
SEEN, REFERRED = "safety look", "safety referred"  # actions in the audit log, one line each time
PICTURES = ("strip", "own", "sent")  # kinds of evidence
DEEDS = (
    "safety decide",
    "safety answer",
    "safety second",
    "safety notices answer",
    "safety notices clear",
)  # actions that make their author an operator of that month
Window = tuple[int, int]


async def count(connection: AsyncConnection, now: int, _most: int = 0) -> int:
    """Add all events that ended before the last midnight; return how many figures changed. Call within a transaction under the guard.

    Events between the last count and the last midnight are added to their month; `upto` records that midnight in the same transaction. Names of
    figures are words of fixed lists with slashes between: `report/acted/spam`, `decision/person/R5/7 days`, `decided/86400`,
    `appeal/reversed/person`, `lifted`, `notice/acted/child`, `operators`, `pictures` (kept), `looks` (at a picture by an operator), `referrals`,
    `second/agreed`; `request/fulfilled/know`, `denial/no_match`, `replied/86400`, `order/produced/warrant`, `order_country/NO`, `hold`,
    `disclosure/told`.
    """
    upto = await counted_upto(connection)
    end = now - now % DAY
    changed = 0
    for month, window in _months(upto or end - FIRST, end):
        found = await _ended(connection, window)
        changed += len(found)
        for name, number in sorted(found.items()):
            await add(connection, month, name, number)
        if operators := await _operators(connection, month):
            await _set(connection, month, "operators", operators)
        if upto:
            await _set(connection, month, COUNTED, 0)
    if end > upto:
        await _set(connection, *UPTO, end)
    return changed


async def counted_upto(connection: AsyncConnection) -> int:
    """Return the Unix time until which everything is counted; 0: nothing yet."""
    return await _get(connection, *UPTO) or 0


async def published(connection: AsyncConnection, most: int) -> dict[str, dict[str, int]]:
    """Return the figures of the newest completely counted months, by month."""
    upto = await counted_upto(connection)
    months = (
        select(month_figure.c.month)
        .where(
            month_figure.c.month > "",
            month_figure.c.month < month_of(upto),
            not_(month_figure.c.name.startswith(CHATS)),
        )
        .distinct()
        .order_by(month_figure.c.month.desc())
        .limit(most)
    )
    newest = (await connection.execute(months)).scalars().all()
    figures = select(month_figure.c.month, month_figure.c.name, month_figure.c.count).where(
        not_(month_figure.c.name.startswith(CHATS)), month_figure.c.name != COUNTED
    )
    found: dict[str, dict[str, int]] = {month: {} for month in newest}
    for month, name, number in (await connection.execute(figures.where(month_figure.c.month.in_(newest)))).all():
        found[month][name] = number
    return found


async def add(connection: AsyncConnection, month: str, name: str, number: int) -> None:
    """Add a number to a figure of a month, such as `2026-11`."""
    await _set(connection, month, name, (await _get(connection, month, name) or 0) + number)


def month_of(at: int) -> str:
    """Return the month of a Unix time, UTC: `2026-11`."""
    return f"{datetime.datetime.fromtimestamp(at, datetime.UTC):%Y-%m}"


def _bounds(month: str) -> Window:
    begin = datetime.datetime.fromisoformat(f"{month}-01T00:00:00Z")
    after = (begin + datetime.timedelta(days=31)).replace(day=1)
    return int(begin.timestamp()), int(after.timestamp())


def _months(begin: int, end: int) -> Iterator[tuple[str, Window]]:
    """Yield the months between two times, each with its part of that time."""
    while begin < end:
        month = month_of(begin)
        last = min(end, _bounds(month)[1])
        yield month, (begin, last)
        begin = last


async def _get(connection: AsyncConnection, month: str, name: str) -> int | None:
    wanted = select(month_figure.c.count).where(month_figure.c.month == month, month_figure.c.name == name)
    return (await connection.execute(wanted)).scalar()


async def _set(connection: AsyncConnection, month: str, name: str, number: int) -> None:
    there = update(month_figure).where(month_figure.c.month == month, month_figure.c.name == name)
    if not (await connection.execute(there.values(count=number))).rowcount:
        await connection.execute(insert(month_figure).values(month=month, name=name, count=number))


async def _operators(connection: AsyncConnection, month: str) -> int:
    begin, end = _bounds(month)
    people = select(func.count(audit.c.operator.distinct())).where(
        audit.c.time >= begin, audit.c.time < end, audit.c.action.in_(DEEDS)
    )
    return int((await connection.execute(people)).scalar_one())


async def _ended(connection: AsyncConnection, window: Window) -> Counter[str]:
    """Return the number of events that ended in a window, by name."""
    found: Counter[str] = Counter()
    closed, begin, end = report.c.closed, *window
    reports = select(report.c.outcome, report.c.reason).where(closed >= begin, closed < end)
    for outcome, reason, number in await _tallied(connection, reports):
        found[f"report/{'acted' if outcome == 'reversed' else outcome}/{reason}"] += number
    closed = law_notice.c.closed
    notices = select(law_notice.c.state, law_notice.c.kind).where(closed >= begin, closed < end)
    for state, kind, number in await _tallied(connection, notices):
        found[f"notice/{state}/{kind}"] += number
    await _decisions(connection, window, found)
    await _appeals(connection, window, found)
    await _pictures(connection, window, found)
    await _requests(connection, window, found)
    await _orders(connection, window, found)
    for result, number in await _tallied(connection, results(*window)):
        found[f"second/{result}"] += number
    return found


async def _pictures(connection: AsyncConnection, window: Window, found: Counter[str]) -> None:
    """Count the camera pictures kept, operators' looks at a picture, and reports to a child protection body."""
    begin, end = window
    kept = select(func.count()).where(evidence.c.kind.in_(PICTURES), evidence.c.made >= begin, evidence.c.made < end)
    acts = select(func.count()).where(audit.c.time >= begin, audit.c.time < end)
    for name, wanted in (
        ("pictures", kept),
        ("looks", acts.where(audit.c.action == SEEN)),
        ("referrals", acts.where(audit.c.action == REFERRED)),
    ):
        if number := int((await connection.execute(wanted)).scalar_one()):
            found[name] += number


async def _requests(connection: AsyncConnection, window: Window, found: Counter[str]) -> None:
    """Count the closed requests of people about their data, the reasons of refusals, and the time until the answer."""
    begin, end = window
    wanted = select(request.c.kind, request.c.state, request.c.reason, _took(request.c.received, request.c.closed))
    rows = await _tallied(connection, wanted.where(request.c.closed >= begin, request.c.closed < end))
    for kind, state, reason, within, number in rows:
        found[f"request/{state}/{kind}"] += number
        if state == "denied":
            found[f"denial/{reason}"] += number
        if state in ("fulfilled", "denied"):
            found[f"replied/{within}"] += number


async def _orders(connection: AsyncConnection, window: Window, found: Counter[str]) -> None:
    """Count the answered orders by kind and by country, the placed holds, and the disclosures of the ledger.

    An order is narrowed if fewer categories were disclosed than it names.
    """
    begin, end = window
    given = select(disclosure.c.categories).where(
        disclosure.c.law_order == law_order.c.number, disclosure.c.phase == "done"
    )
    less = given.where(disclosure.c.categories != law_order.c.asked).exists()
    outcome = case((and_(law_order.c.state == "produced", less), "narrowed"), else_=law_order.c.state).label("outcome")
    orders = select(outcome, law_order.c.kind, law_order.c.country)
    for state, kind, country, number in await _tallied(
        connection, orders.where(law_order.c.decided >= begin, law_order.c.decided < end)
    ):
        found[f"order/{state}/{kind}"] += number
        found[f"order_country/{country}"] += number
    placed = select(hold.c.kind).where(hold.c.placed >= begin, hold.c.placed < end, hold.c.authority != THEMSELVES)
    for _, number in await _tallied(connection, placed):
        found["hold"] += number
    done = select(disclosure.c.what).where(
        disclosure.c.at >= begin, disclosure.c.at < end, disclosure.c.phase == "done"
    )
    for what, number in await _tallied(connection, done):
        found[f"disclosure/{what}"] += number


async def _decisions(connection: AsyncConnection, window: Window, found: Counter[str]) -> None:
    """Count decisions of moderators and measures of programs; a program's measure counts when its case is closed."""
    lasted = ban.c.until - ban.c.since
    # one that was reversed after its end (`lifted` > `until`) has lasted as long as was decided
    held = case((or_(ban.c.lifted.is_(None), ban.c.lifted > ban.c.until), 1), else_=0)
    judged = ban.c.decided_by.is_not(
        None
    )  # after a moderator's decision, an earlier measure of a program is not counted
    length = func.coalesce(func.max(case((judged, lasted))), func.max(lasted))
    whole = func.coalesce(func.max(case((judged, held))), func.max(held))  # the ban of its network may be lifted alone
    judge = func.max(ban.c.decided_by)
    ends = (
        select(ban.c.case, length.label("length"), whole.label("whole"), judge.label("judge"))
        .group_by(ban.c.case)
        .subquery()
    )
    label = case(
        (or_(ends.c.case.is_(None), cases.c.measure == "warning"), NO_BAN),
        (ends.c.whole == 0, ENDED_EARLY),
        *((ends.c.length <= days * DAY, words) for days, words in LENGTHS),
        else_=LONGER,
    )
    decided = case((cases.c.decided_by.is_(None), 0), else_=1)
    who = case(
        (and_(cases.c.machine, ends.c.judge.is_(None), cases.c.measure != "warning"), "program"), else_="person"
    ).label("who")
    wanted = (
        select(who, cases.c.measure, cases.c.rule, label.label("length"), _took(cases.c.opened, cases.c.closed), decided.label("decided"))
        .outerjoin(ends, ends.c.case == cases.c.id)
        .where(cases.c.closed >= window[0], cases.c.closed < window[1], cases.c.measure.is_not(None))
    )  # fmt: skip
    for who, measure, rule, words, within, judged, number in await _tallied(connection, wanted):
        what = "nothing" if measure == "none" or rule is None else f"{rule}/{words}"
        found[f"decision/{who}/{what}"] += number
        if judged:
            found[f"decided/{within}"] += number


async def _appeals(connection: AsyncConnection, window: Window, found: Counter[str]) -> None:
    wanted = (
        select(appeal.c.state, _by(), _took(appeal.c.at, appeal.c.closed))
        .join(cases, cases.c.id == appeal.c.case)
        .where(appeal.c.closed >= window[0], appeal.c.closed < window[1])
    )
    for state, who, within, number in await _tallied(connection, wanted):
        found[f"appeal/{state}/{who}"] += number
        if state != "lapsed":
            found[f"answered/{within}"] += number


def _by() -> ColumnElement[str]:
    return case((cases.c.machine, "program"), else_="person").label("who")


def _took(begun: ColumnElement[int], ended: ColumnElement[int | None]) -> ColumnElement[int]:
    """Return, as SQL, the smallest of WITHIN in which an event ended, 0 if it ended later."""
    passed = ended - begun
    return case(*((passed <= most, most) for most in WITHIN), else_=0).label("took")


async def _tallied(connection: AsyncConnection, rows: Select[Any]) -> list[tuple[Any, ...]]:
    """Return the distinct rows, each followed by its number."""
    inner = rows.subquery()
    wanted = select(*inner.c, func.count()).group_by(*inner.c)
    return [tuple(row) for row in (await connection.execute(wanted)).all()]

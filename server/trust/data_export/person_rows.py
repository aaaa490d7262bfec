"""Read all database rows about one person for an export.

**Invariant:** every query selects by the person's own keyed values, within the caller's transaction, and reads nothing about other people: not the
chat partner, the reporter, or the moderator's name.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Row, Select, Table, and_, func, not_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.data.connection_source import SourceEndpoint
from server.data.keys.epoch_keys import KeyGone
from server.data.keys.pseudonyms import Pseudonyms
from server.data.privacy import registry_history
from server.data.privacy.registry import REGISTRY
from server.data.retention import purge
from server.data.schema.chat_id_format import DAY
from server.data.schema.hidden_row_conditions import erased_row, shown_case, shown_log
from server.data.schema.moderation_schema import appeal, ban, case, case_comment, case_subject, evidence, notice, report
from server.data.schema.record_schema import audit, chat, held_chat, held_party, hold, hold_match, log, log_party, party
from server.ops.config.moderation_policy import FOR_GOOD
from server.ops.config.settings import Retention
from server.trust.cases.report_cases import NOTE
from server.trust.cases.user_appeals import WORDS
from server.trust.data_export.export_parts import Row as Piece
from server.trust.data_export.person_row_keys import Person
from server.trust.evidence.picture_evidence import PICTURE
from server.trust.sanctions.ban_rows import TOLD
from server.trust.sanctions.notice_loader import PERSON

Rows = Sequence[Row[Any]]
Content = TypeVar("Content")
HOLDS, ORDERS = "hold", "order"  # prefixes of actions about holds and legal orders in the audit log


@dataclass(frozen=True, slots=True)
class View:
    """A person's view of the store. `now`: Unix seconds.

    Never read: the partner's row, address or number; the reporter, and the reported chat; the moderator's name; a secret legal hold, and data kept
    by it alone; expired rows, even before the purge; any secret. Numbers of chats and logs are made for the export and differ for each side, so
    that two persons' exports cannot be matched.
    """

    connection: AsyncConnection
    pseudonyms: Pseudonyms
    person: Person
    retention: Retention
    now: int

    async def rows(self, wanted: Select[Any]) -> Rows:
        """Return the rows of a query."""
        found: Rows = (await self.connection.execute(wanted)).all()
        return found

    def number(self, what: bytes, *ident: bytes) -> str:
        """Return a number for the export, 32 digits, which only this service can relate to a row."""
        return self.pseudonyms.secret_hash(b"export." + what, b"".join(ident)).hex()

    def goes(self, item: str, at: int | None) -> str | None:
        """Return the day of a row's deletion, by the registry; None if its time has not begun."""
        return None if at is None else day(at + registry_history.days_of(REGISTRY.item(item), self.retention) * DAY)

    def kept(self, item: str, clock: ColumnElement[int]) -> ColumnElement[bool]:
        """Return the condition that a row has not expired."""
        cut = self.now - registry_history.days_of(REGISTRY.item(item), self.retention) * DAY
        return or_(clock.is_(None), clock > cut)


def time_of(at: int | None) -> str | None:
    """Return a time as `2026-11-24T16:05:09Z`."""
    return None if at is None else f"{datetime.datetime.fromtimestamp(at, datetime.UTC).isoformat()[:19]}Z"


def day(at: int) -> str:
    """Return a UTC day as `2026-11-24`."""
    return datetime.datetime.fromtimestamp(at, datetime.UTC).isoformat()[:10]


def day_of(at: int | None) -> str | None:
    """Return the day of an act of others about a person: the hour would reveal the reporter."""
    return None if at is None else day(at)


def month(at: int) -> str:
    """Return a UTC month as `2026-11`."""
    return day(at)[:7]


def opened(open_: Callable[[bytes], Content], sealed: bytes | None) -> Content | None:
    """Return the content of sealed bytes; None for None, or if the key is destroyed."""
    try:
        return None if sealed is None else open_(sealed)
    except KeyGone:
        return None


def source_of(open_: Callable[[bytes], SourceEndpoint], sealed: bytes | None) -> Piece:
    """Return a sealed address and its source port, as fields of a row."""
    found = opened(open_, sealed)
    return {"address": found and found.address, "port": found and (found.port or None)}


def words_of(view: View, domain: bytes, sealed: bytes | None) -> str | None:
    """Return the words in a sealed column."""
    return opened(lambda some: view.pseudonyms.open_text(domain, some), sealed)


# chats


def _chats(people: Table, chats: Table) -> Select[Any]:
    own = (people.c.chat, people.c.side, people.c.ended, people.c.address, people.c.country)
    return select(*own, chats.c.mode, chats.c.started, chats.c.how).join_from(
        people, chats, chats.c.id == people.c.chat
    )


async def chats(view: View, after: tuple[bytes, int], most: int) -> Rows:
    """Return the `most` oldest rows after (chat, side), oldest first."""
    ident, side = after
    behind = or_(party.c.chat > ident, and_(party.c.chat == ident, party.c.side > side))
    wanted = _chats(party, chat).where(party.c.chat >= ident, behind).order_by(party.c.chat, party.c.side)
    return await _by_epoch(view, wanted, view.person.live, most)


async def newest_chats(view: View, most: int) -> Rows:
    """Return the `most` newest rows, oldest first."""
    wanted = _chats(party, chat).order_by(party.c.chat.desc(), party.c.side.desc())
    return (await _by_epoch(view, wanted, view.person.live[::-1], most))[::-1]


async def _by_epoch(view: View, wanted: Select[Any], values: Sequence[bytes], most: int) -> list[Row[Any]]:
    """Return the first `most` rows. Epochs are in the order of chats, and each epoch's rows are in index order, so nothing is sorted.

    Expired rows are left out, though they may still be in the table.
    """
    found: list[Row[Any]] = []
    visible = purge.visible(view.now, view.retention)
    for value in values:
        theirs = wanted.where(party.c.identity == value, visible)
        found += await view.rows(theirs.limit(most - len(found)))
        if len(found) == most:
            break
    return found


async def chats_by_mode(view: View) -> Counter[str]:
    """Count a person's chats by mode."""
    wanted = select(chat.c.mode, func.count().label("n")).join_from(party, chat, chat.c.id == party.c.chat)
    theirs = wanted.where(party.c.identity.in_(view.person.live), purge.visible(view.now, view.retention))
    return Counter({row.mode: row.n for row in await view.rows(theirs.group_by(chat.c.mode))})


async def held_chats(view: View) -> Rows:
    """Return rows that only an open legal hold still keeps; rows kept by a secret hold are left out."""
    known = select(hold_match.c.value).join(hold, hold.c.id == hold_match.c.hold)
    openly = known.where(*_in_force(view), hold.c.secret.is_(False), hold_match.c.value == held_party.c.identity)
    wanted = _chats(held_party, held_chat).where(
        held_party.c.identity.in_(view.person.live),
        openly.exists(),
        not_(erased_row(held_party.c.identity, held_party.c.ended)),
    )
    return await view.rows(wanted.order_by(held_party.c.chat, held_party.c.side))


def as_chat(view: View, row: Row[Any], *, held: bool = False) -> Piece:
    """Return a row for the export. `held`: it is from the twin table, sealed under the kept key."""
    open_ = view.pseudonyms.kept_address if held else view.pseudonyms.live_address
    return {
        "number": view.number(b"chat", row.chat, bytes((row.side,))),
        "mode": row.mode,
        "started": time_of(row.started),
        "ended": time_of(row.ended),
        "how": row.how,
        **source_of(open_, row.address),
        "country": row.country,
        "goes": None if held else view.goes("chat", row.ended),
    }


# saved logs


async def saved_logs(view: View) -> Rows:
    """Return the logs that include this person, with their own private row; removed logs that a hold keeps are left out."""
    own = (log_party.c.log, log_party.c.side, log_party.c.address, log.c.saved, log.c.object, log.c.object_key)
    wanted = select(*own).join(log, log.c.id == log_party.c.log)
    theirs = wanted.where(log_party.c.identity == view.person.kept, shown_log())
    return await view.rows(theirs.order_by(log.c.saved, log_party.c.log, log_party.c.side))


def as_log(view: View, row: Row[Any]) -> Piece:
    """Return a row for the export; its text is in a file of its own."""
    number = view.number(b"log", row.log, bytes((row.side,)))
    return {
        "number": number,
        "saved": time_of(row.saved),
        "you": row.side + 1,
        **source_of(view.pseudonyms.kept_address, row.address),
        "file": f"saved_logs/{number}.json",
    }


# moderation


async def reports_made(view: View) -> list[Piece]:
    """Return this person's reports, with their own note until the decision: later only a hold keeps it. Nothing about the subject or the case."""
    wanted = select(report.c.id, report.c.at, report.c.reason, report.c.note, report.c.outcome, report.c.closed)
    shown = shown_case(view.now, report.c.identity, report.c.at, report.c.case)
    theirs = wanted.where(report.c.identity == view.person.safety, view.kept("report", report.c.closed), shown)
    return [
        {
            "number": view.number(b"report", row.id),
            "at": time_of(row.at),
            "reason": row.reason,
            "note": None if row.closed is not None else words_of(view, NOTE, row.note),
            "outcome": row.outcome,
            "decided": day_of(row.closed),
            "goes": view.goes("report", row.closed),
        }
        for row in await view.rows(theirs.order_by(report.c.at, report.c.id))
    ]


async def moderation(view: View) -> dict[str, list[Piece]]:
    """Return reports and decisions about this person, and their appeals: five parts."""
    about, banned, warned = await cases_about(view), await _bans(view), await _notices(view)
    idents = [row.id for row in about]
    texts = {row.case: row for row in await _texts(view, idents)}
    comments = await _comments(view, idents)
    return {
        "reports_received": await _reports_received(view, idents),
        "cases": [_as_case(view, row, texts.get(row.id), comments.get(row.id, 0)) for row in about],
        "bans": [_as_ban(view, row) for row in banned],
        "notices": [_as_notice(view, row) for row in warned],
        "appeals": await _appeals(view, sorted({*idents, *(row.case for row in (*banned, *warned))})),
    }


async def cases_about(view: View) -> Rows:
    """Return the cases about this person."""
    own = (
        case.c.id, case.c.opened, case.c.state, case.c.measure, case.c.rule, case.c.machine, case.c.decided_by, case.c.closed, case.c.child,
    )  # fmt: skip
    wanted = select(*own, case_subject.c.address, case_subject.c.country).join(case, case.c.id == case_subject.c.case)
    unexpired = view.kept("case_subject", case_subject.c.closed)
    shown = shown_case(view.now, case_subject.c.identity, case.c.opened, case.c.id)
    theirs = wanted.where(case_subject.c.identity == view.person.safety, unexpired, shown)
    return await view.rows(theirs.order_by(case.c.opened, case.c.id))


async def _texts(view: View, cases: list[bytes]) -> Rows:
    """Count the kept texts of each case, with their expiry."""
    if not cases:
        return ()
    pieces = select(evidence.c.case, func.count().label("n"), func.max(evidence.c.until).label("until"))
    unexpired = or_(evidence.c.until.is_(None), evidence.c.until > view.now)
    theirs = pieces.where(evidence.c.case.in_(cases), unexpired, not_(PICTURE))
    return await view.rows(theirs.group_by(evidence.c.case))


async def _reports_received(view: View, cases: list[bytes]) -> list[Piece]:
    """Count reports by month and reason, and no more: the time or the chat would reveal the reporter."""
    if not cases:
        return []
    wanted = select(report.c.at, report.c.reason).where(report.c.case.in_(cases))
    rows = await view.rows(wanted.where(view.kept("report", report.c.closed)))
    counted = Counter((month(row.at), row.reason) for row in rows)
    return [{"month": at, "reason": reason, "reports": n} for (at, reason), n in sorted(counted.items())]


async def _comments(view: View, cases: list[bytes]) -> dict[bytes, int]:
    """Count the moderators' comments on each case: their words would reveal how others are protected."""
    if not cases:
        return {}
    wanted = select(case_comment.c.case, func.count().label("n")).where(case_comment.c.case.in_(cases))
    unexpired = view.kept("case_comment", case_comment.c.at)
    return {row.case: row.n for row in await view.rows(wanted.where(unexpired).group_by(case_comment.c.case))}


def _as_case(view: View, row: Row[Any], texts: Row[Any] | None, comments: int) -> Piece:
    decided = row.closed is not None and row.state != "aged"
    return {
        "number": view.number(b"case", row.id),
        "month": month(row.opened),
        "state": row.state,
        "measure": row.measure,
        "rule": None
        if row.child is not None and row.closed is None
        else row.rule,  # until a person decides, the pause is neutral
        "decided": day_of(row.closed),
        "by": _by(row) if decided else None,
        **source_of(view.pseudonyms.safety_address, row.address),
        "country": row.country,
        "goes": view.goes("case_subject", row.closed),
        "texts": 0 if texts is None else texts.n,
        "texts_go": None if texts is None or texts.until is None else day(texts.until),
        "comments": comments,
    }


async def _bans(view: View) -> Rows:
    """Return bans of this person's identity, and of the networks banned with it."""
    shown = shown_case(view.now, case_subject.c.identity, case.c.opened, case.c.id)
    theirs = select(case_subject.c.case).join_from(case_subject, case, case.c.id == case_subject.c.case)
    theirs = theirs.where(case_subject.c.identity == view.person.safety, shown)
    wanted = select(ban, case.c.machine).outerjoin(case, case.c.id == ban.c.case)
    own = and_(ban.c.mac == view.person.safety, shown_case(view.now, ban.c.mac, ban.c.since, ban.c.case))
    mine = or_(own, ban.c.case.in_(theirs))
    return await view.rows(wanted.where(mine, view.kept("ban", ban.c.until)).order_by(ban.c.since, ban.c.id))


def _as_ban(view: View, row: Row[Any]) -> Piece:
    ends = None if row.until >= FOR_GOOD else row.until
    return {
        "number": view.number(b"ban", row.id),
        "case": view.number(b"case", row.case),
        "measure": row.measure,
        "kind": row.kind,
        "rule": row.rule or None,
        "words": words_of(view, TOLD, row.words),
        "since": day(row.since),
        "until": day_of(ends),
        "lifted": day_of(row.lifted),
        "by": _by(row) if row.rule else None,  # a neutral pause has neither cause nor author
        "goes": view.goes("ban", ends),
    }


async def _notices(view: View) -> Rows:
    """Return warnings of this person."""
    shown = shown_case(view.now, notice.c.mac, notice.c.since, notice.c.case)
    theirs = select(notice).where(notice.c.mac == view.person.safety, view.kept("notice", notice.c.since), shown)
    return await view.rows(theirs.order_by(notice.c.since, notice.c.id))


def _as_notice(view: View, row: Row[Any]) -> Piece:
    return {
        "number": view.number(b"notice", row.id),
        "case": view.number(b"case", row.case),
        "kind": row.kind,
        "rule": row.rule,
        "words": words_of(view, TOLD, row.words),
        "since": day(row.since),
        "seen": time_of(row.seen),
        "lifted": day_of(row.lifted),
        "by": "a machine" if row.by != PERSON else "a person",
        "goes": view.goes("notice", row.since),
    }


def _by(row: Row[Any]) -> str | None:
    """Return whether a person or a program decided; None if the case is deleted. A person's decision about a program's case is the person's."""
    return None if row.machine is None else "a machine" if row.machine and row.decided_by is None else "a person"


async def _appeals(view: View, cases: list[bytes]) -> list[Piece]:
    """Return this person's appeals and their answers, without the moderators."""
    if not cases:
        return []
    # the writer of a network's appeal may be another person
    own = (appeal.c.case.in_(cases), appeal.c.network.is_(False))
    wanted = select(appeal).where(*own, view.kept("appeal", appeal.c.closed))
    return [
        {
            "number": view.number(b"appeal", row.id),
            "case": view.number(b"case", row.case),
            "at": time_of(row.at),
            "text": words_of(view, WORDS, row.text),
            "state": row.state,
            "answer": words_of(view, WORDS, row.answer),
            "decided": day_of(row.closed),
            "goes": view.goes("appeal", row.closed),
        }
        for row in await view.rows(wanted.order_by(appeal.c.at, appeal.c.id))
    ]


# acts of operators and moderators


def _in_force(view: View) -> tuple[ColumnElement[bool], ...]:
    return hold.c.released.is_(None), hold.c.until > view.now


async def holds(view: View) -> list[Piece]:
    """Return legal holds on this person's identity that are not secret."""
    matched = select(hold_match.c.hold).where(hold_match.c.value.in_(view.person.values))
    wanted = select(hold).where(hold.c.id.in_(matched), hold.c.secret.is_(False), *_in_force(view))
    return [
        {"authority": row.authority, "since": time_of(row.placed), "until": time_of(row.until)}
        for row in await view.rows(wanted.order_by(hold.c.placed, hold.c.id))
    ]


async def looks(view: View) -> list[Piece]:
    """Return the days on which operators or moderators looked at this person's data, with action and reason, each once a day.

    Nothing about holds, and nothing since a secret hold began. Nothing about legal orders, which may be secret: what an order opened is among the
    disclosures once the person may learn of it.
    """
    subjects = [view.pseudonyms.audit_subject(value) for value in view.person.values]
    untold = or_(*(audit.c.action.like(f"{prefix} %") for prefix in (HOLDS, ORDERS)))
    wanted = select(audit.c.time, audit.c.action, audit.c.why).where(
        audit.c.subject.in_(subjects), not_(untold), view.kept("audit", audit.c.time)
    )
    told = wanted.where(audit.c.time < func.coalesce(_secret_since(view).scalar_subquery(), view.now + 1))
    rows = await view.rows(told.order_by(audit.c.id))
    acts = dict.fromkeys((day(row.time), row.action, row.why, view.goes("audit", row.time)) for row in rows)
    return [{"day": at, "action": action, "why": why, "goes": goes} for at, action, why, goes in acts]


def _secret_since(view: View) -> Select[Any]:
    """Return the query for the start of the first secret hold on this person, their addresses or their logs."""
    theirs = (
        select(party.c.address_mac).where(party.c.identity.in_(view.person.live)),
        select(log_party.c.address_mac).where(log_party.c.identity == view.person.kept),
        select(log_party.c.log).where(log_party.c.identity == view.person.kept),
    )
    matched = select(hold_match.c.hold).where(
        or_(hold_match.c.value.in_(view.person.values), *(hold_match.c.value.in_(some) for some in theirs))
    )
    return select(func.min(hold.c.placed)).where(hold.c.id.in_(matched), hold.c.secret.is_(True), *_in_force(view))

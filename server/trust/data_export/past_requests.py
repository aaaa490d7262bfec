"""Read a person's earlier data requests (access, deletion, restriction) for an export.

**Invariant:** requests are found by keyed values that only data requests use, so they cannot be joined with any other table.
"""

from __future__ import annotations

from sqlalchemy import case, func, select

from server.data.schema.data_request_schema import (
    request,
    request_answer,
    request_contact,
    request_text,
    rights_key,
)
from server.data.schema.deletion_schema import deletion, deletion_notice
from server.data.schema.disclosure_schema import disclosure, disclosure_subject
from server.data.schema.law_order_schema import law_order
from server.trust.data_export.export_parts import Row as Piece
from server.trust.data_export.person_rows import View, day, time_of, words_of
from server.trust.data_requests.request_store import ANSWER, WHERE, WORDS


async def asked(view: View) -> dict[str, list[Piece]]:
    """Return five parts: requests, recipients told of deletions, deletions and restrictions, invalidated keys, and disclosures to others."""
    return {
        "requests": await _requests(view),
        "deletion_notices": await _notices(view),
        "deletions": await _deletions(view),
        "rights_keys": await _rights_keys(view),
        "disclosures": await _disclosures(view),
    }


async def _requests(view: View) -> list[Piece]:
    wanted = (
        select(request, request_text.c.text, request_contact.c.contact, request_answer.c.answer)
        .outerjoin(request_text, request_text.c.request == request.c.number)
        .outerjoin(request_contact, request_contact.c.request == request.c.number)
        .outerjoin(request_answer, request_answer.c.request == request.c.number)
        .where(request.c.who == view.person.requests, view.kept("request", request.c.closed))
    )
    return [
        {
            "number": row.number,
            "kind": row.kind,
            "way": row.by,
            "received": time_of(row.received),
            "due": day(row.due),
            "state": row.state,
            "reason": row.reason or None,
            "extension": row.why or None,
            "text": words_of(view, WORDS, row.text),
            "contact": words_of(view, WHERE, row.contact),
            "answer": words_of(view, ANSWER, row.answer),
            "closed": time_of(row.closed),
            "goes": view.goes("request", row.closed),
        }
        for row in await view.rows(wanted.order_by(request.c.received, request.c.number))
    ]


async def _notices(view: View) -> list[Piece]:
    wanted = select(deletion_notice).join(deletion, deletion.c.number == deletion_notice.c.number)
    kept = view.kept("deletion_notice", deletion_notice.c.at)
    theirs = wanted.where(deletion.c.who == view.person.deletions, kept)
    return [
        {
            "request": row.number,
            "recipient": row.recipient,
            "state": row.state,
            "at": time_of(row.at),
            "goes": view.goes("deletion_notice", row.at),
        }
        for row in await view.rows(theirs.order_by(deletion_notice.c.number, deletion_notice.c.recipient))
    ]


async def _deletions(view: View) -> list[Piece]:
    theirs = select(deletion).where(deletion.c.who == view.person.deletions, view.kept("deletion", deletion.c.asked))
    return [
        {
            "number": row.number,
            "kind": row.kind,
            "what": ", ".join(name for name in ("records", "logs") if row._mapping[name]),
            "asked": time_of(row.asked),
            "due": time_of(row.due),
            "done": time_of(row.done),
            "goes": view.goes("deletion", row.asked),
        }
        for row in await view.rows(theirs.order_by(deletion.c.asked, deletion.c.number))
    ]


async def _disclosures(view: View) -> list[Piece]:
    """Return the disclosures that the person may learn of, with the newest phase of each.

    An order that names an address finds a person by each keyed value under which their records are stored: several lines of the ledger, and one
    disclosure.
    """
    outcome = disclosure.alias()
    # a court may have made the secrecy of its order longer or shorter
    of_order = (law_order.c.number.is_not(None), func.coalesce(law_order.c.gag_until, 0))
    secret_until = case(of_order, else_=disclosure.c.reveal_after)
    records = func.coalesce(outcome.c["count"], disclosure.c["count"])
    wanted = (
        select(
            disclosure,
            disclosure_subject.c.since,
            outcome.c.phase.label("state"),
            records.label("records"),
        )
        .join(disclosure_subject, disclosure_subject.c.line == disclosure.c.number)
        .outerjoin(outcome, outcome.c.intent == disclosure.c.number)
        .outerjoin(law_order, law_order.c.number == disclosure.c.law_order)
        .where(
            disclosure_subject.c.who.in_(view.person.disclosures(view.pseudonyms)),
            secret_until <= view.now,
            view.kept("disclosure_subject", disclosure_subject.c.since),
        )
    )
    rows = await view.rows(wanted.order_by(disclosure.c.number))
    once = {(row.law_order, row.at, row.state) if row.law_order else row.number: row for row in reversed(rows)}
    return [
        {
            "at": time_of(row.at),
            "kind": row.what,
            "recipient": row.recipient,
            "basis": row.basis,
            "categories": row.categories.replace(",", ", "),
            "records": row.records,
            "state": row.state or "begun",  # without an outcome: it was interrupted
            "goes": view.goes("disclosure_subject", row.since),
        }
        for row in reversed(once.values())
    ]


async def _rights_keys(view: View) -> list[Piece]:
    wanted = select(rights_key.c.not_before).where(rights_key.c.who == view.person.keys)
    return [{"invalid_before": time_of(row.not_before // 1000)} for row in await view.rows(wanted)]

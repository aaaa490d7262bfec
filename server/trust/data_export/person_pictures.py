"""Read the stored pictures of a person's own camera for an export.

**Invariant:** pictures of another person's camera, and apparent child abuse material, are never exported.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, or_, select

from server.data.schema.moderation_schema import evidence
from server.trust.data_export.export_parts import Row as Piece
from server.trust.data_export.person_rows import Rows, View, cases_about, day, month
from server.trust.evidence.picture_evidence import CHILD, PICTURE


async def pictures(view: View) -> Rows:
    """Return those in cases about this person, oldest first."""
    cases = [row.id for row in await cases_about(view)]
    if not cases:
        return ()
    unexpired = or_(evidence.c.until.is_(None), evidence.c.until > view.now)
    own = select(evidence).where(evidence.c.case.in_(cases), PICTURE, evidence.c.subject.is_(True), unexpired)
    told = own.where(evidence.c.object.not_like(f"{CHILD}%"))
    return await view.rows(told.order_by(evidence.c.made, evidence.c.id))


def as_picture(view: View, row: Row[Any]) -> Piece:
    """Return a row for the export: the month alone, because the hour would reveal the reporter. The picture is in a file of its own."""
    number = view.number(b"picture", row.id)
    return {
        "number": number,
        "case": view.number(b"case", row.case),
        "month": month(row.made),
        "kind": row.kind,
        "file": f"pictures/{number}.jpg",
        "goes": None if row.until is None else day(row.until),
    }

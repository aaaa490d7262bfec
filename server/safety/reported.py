"""A report as it leaves its chat. Rule: what was said is read in the turn of the report, for the ring goes with the chat."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from engine.views import Report, SeatView
from server.safety.evidence import Evidence, Said, last, said
from server.safety.receipt import secret


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in a chat: the engine's 63-bit identity (0: no cookie), the address, the session (0: unknown). In memory only."""

    identity: int
    address: str
    session: int = 0


@dataclass(frozen=True, slots=True)
class Reported:
    """One report, as it left its chat. `said`: None where the ring was gone."""

    receipt: bytes  # 16 random bytes
    reason: str
    note: str
    at: int
    mode: str
    reporter: Person
    subject: Person
    side: int  # of the subject
    said: Evidence | None


NOBODY = Person(0, "")


def of_seat(seat: SeatView, report: Report, mode: str) -> Reported:
    """What becomes of a report, in the turn in which it came. `mode`: the kind of the chat."""
    chat, now = seat.chat, time.time()
    side = report.who - 1 if report.who else 1 - seat.side
    lines = last(chat.ring.lines())
    began = int(now - time.monotonic() + chat.began)
    return Reported(
        receipt=secret(seat.reported or "") or b"",
        reason=report.reason,
        note=report.note,
        at=int(now),
        mode=mode,
        reporter=_person(seat, seat.side),
        subject=_person(seat, side),
        side=side,
        said=Evidence(mode, began, int(now), side, said(lines, report.lines), bool(lines) and lines[0][0] > 1),
    )


def _person(seat: SeatView, side: int) -> Person:
    session = next((other for place, other in seat.others if place == side), 0)
    people = (Person(identity, address, session) for place, identity, address in seat.chat.people if place == side)
    return next(people, NOBODY)


def pack(made: Reported) -> list[Any]:
    """As one record of a message to another process of this host."""
    who = [[person.identity, person.address, person.session] for person in (made.reporter, made.subject)]
    text = made.said
    lines = [] if text is None else [[line.number, line.side, line.at, line.text, line.marked] for line in text.lines]
    kept = None if text is None else [text.mode, text.began, text.at, text.side, text.cut, lines]
    return [made.receipt.hex(), made.reason, made.note, made.at, made.mode, *who, made.side, kept]


def unpack(packed: list[Any]) -> Reported:
    """The reverse. Raises TypeError, ValueError."""
    receipt, reason, note, at, mode, reporter, subject, side, kept = packed
    text = None
    if kept is not None:
        its_mode, began, then, its_side, cut, lines = kept
        text = Evidence(its_mode, began, then, its_side, tuple(Said(*line) for line in lines), cut)
    return Reported(
        bytes.fromhex(receipt), reason, note, at, mode, Person(*reporter), Person(*subject), side, text
    )  # fmt: skip

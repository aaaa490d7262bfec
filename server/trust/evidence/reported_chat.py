"""Copy a report or detection, with the text of its chat, out of the running chat.

**Invariant:** the lines are copied in the same iteration of the event loop as the report, because the buffer of lines is freed with the chat.
Pictures are added later, by the process that has them.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

from engine.conduct.detection_classes import HIGH, RULES, Kind
from engine.conduct.detection_consequences import AGE_CLAIM, GROOM
from engine.views import Act, Report, SeatView
from server.ops.security.report_receipt_url import secret
from server.trust.evidence.chat_evidence import ChatLine, CountedDetection, Detection, Evidence, counted_of, last, said
from server.trust.evidence.reported_picture import Picture


@dataclass(frozen=True, slots=True)
class Person:
    """A user in a chat: the engine's 63-bit identity (0: no cookie), the address with its source port if known
    (`SourceEndpoint`), the session (0: unknown). In memory only.
    """

    identity: int
    address: str
    session: int = 0


@dataclass(frozen=True, slots=True)
class Reported:
    """A captured report. `said`: None if the ring was gone; `program`: a detection, named by `reason`."""

    receipt: bytes  # 16 random bytes; empty for a detection
    reason: str
    note: str
    at: int
    mode: str
    reporter: Person
    subject: Person
    side: int  # of the subject
    said: Evidence | None
    program: bool = False
    shown: tuple[Picture, ...] = ()  # pictures of the subject's camera, oldest first
    chat: str = ""  # its id, if it is a video chat

    @property
    def rules(self) -> frozenset[str]:
        """Classes of the rules of high confidence that matched a line of the subject, and results of camera checks."""
        found = self.said.found if self.said else ()
        kinds = [RULES.get(one.rule, Kind(one.rule)) for one in found if one.side == self.side]
        return frozenset(kind.name for kind in kinds if kind.confidence == HIGH)


NOBODY = Person(0, "")


def of_seat(seat: SeatView, what: Report | Act, mode: str) -> Reported:
    """Capture a report or a detection. `mode`: the kind of the chat."""
    album = seat.chat.attached.album
    # a key is enough: what is refused, or still checked, is not in `sent`
    now, chat = int(time.time()), seat.chat.id if seat.chat.video or (album is not None and any(album.keys)) else ""
    if isinstance(what, Act):
        text, subject = _text(seat, what.side, _lines_of(seat, what), mode, now), _person(seat, what.side)
        if what.earlier:
            since = time.time() - time.monotonic()
            text = replace(text, counted=CountedDetection(what.found, tuple(int(since + at) for at in what.earlier)))
        return Reported(b"", what.found, "", now, mode, NOBODY, subject, what.side, text, True, chat=chat)
    side = what.who - 1 if what.who else 1 - seat.side
    return Reported(
        receipt=secret(seat.reported or "") or b"",
        reason=what.reason,
        note=what.note,
        at=now,
        mode=mode,
        reporter=_person(seat, seat.side),
        subject=_person(seat, side),
        side=side,
        said=_text(seat, side, what.lines, mode, now),
        chat=chat,
    )


def _lines_of(seat: SeatView, act: Act) -> tuple[int, ...]:
    """Return the lines that a detection is about: its own, and those without which it cannot be judged.

    For a request to a child also the statements of age; for a statement of age the partner's line before it, which may have asked for it.
    """
    chat = seat.chat
    if act.found == GROOM:
        kinds = [(number, RULES.get(rule)) for (_, rule), number in chat.found.items()]
        return (act.number, *[number for number, kind in kinds if kind is not None and kind.name in (GROOM, AGE_CLAIM)])
    if act.found == AGE_CLAIM and act.number:
        before = [number for number, side, _, _ in chat.ring.lines() if side != act.side and number < act.number]
        return (*before[-1:], act.number)
    return (act.number,)


def _text(seat: SeatView, side: int, meant: tuple[int, ...], mode: str, now: int) -> Evidence:
    lines = last(seat.chat.ring.lines())
    began = int(time.time() - time.monotonic() + seat.chat.began)
    found = tuple(Detection(number, side, rule) for (side, rule), number in seat.chat.found.items())
    return Evidence(mode, began, now, side, said(lines, meant), bool(lines) and lines[0][0] > 1, found)


def _person(seat: SeatView, side: int) -> Person:
    session = next((other for place, other in seat.others if place == side), 0)
    people = (Person(identity, address, session) for place, identity, address in seat.chat.people if place == side)
    return next(people, NOBODY)


def pack(made: Reported) -> list[Any]:
    """Return it as a record of a message to the process of this host that has the pictures."""
    who = [[person.identity, person.address, person.session] for person in (made.reporter, made.subject)]
    text = made.said
    lines = [] if text is None else [[line.number, line.side, line.at, line.text, line.marked] for line in text.lines]
    found = [] if text is None else [(one.number, one.side, one.rule) for one in text.found]
    kept = None if text is None else [text.mode, text.began, text.at, text.side, text.cut, lines, found]
    counted = None if text is None or text.counted is None else [text.counted.name, text.counted.earlier]
    told = [made.receipt.hex(), made.reason, made.note, made.at, made.mode, *who, made.side, kept, made.program]
    return [*told, made.chat, counted]


def unpack(packed: list[Any]) -> Reported:
    """Return the report of a record, also of versions without pictures or counted detections. Raises TypeError, ValueError."""
    receipt, reason, note, at, mode, reporter, subject, side, kept, program, *more = packed
    text = None
    if kept is not None:
        its_mode, began, then, its_side, cut, lines, found = kept
        said_ = tuple(ChatLine(*line) for line in lines)
        detections, counted = tuple(Detection(*one) for one in found), counted_of(more[1]) if len(more) > 1 else None
        text = Evidence(its_mode, began, then, its_side, said_, cut, detections, counted)
    return Reported(
        bytes.fromhex(receipt), reason, note, at, mode, Person(*reporter), Person(*subject), side, text, program,
        chat=str(more[0]) if more else "",
    )  # fmt: skip

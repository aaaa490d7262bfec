"""React to a detection (the screening process found a rule's match in a chat line), beyond the tips of `engine.chats.safety_tips`.

A detection is counted against the writer, or is passed to the server as an `Act` (`engine.conduct.detection_consequences`).
**Invariant:** counts are in memory and bounded; nothing here has a lasting effect on a user.
"""

# Rules link, contact and opener are counted for the writer (`engine.conduct.friction_points`). Rule repeat becomes an Act if many chats of the
# writer, or of the writer's network, began so within minutes (`engine.conduct.opener_counts`). Requests to a child are `engine.chats.grooming`'s.
# Detections are kept in the chat (`Chat.found`) and count in a report. They arrive a moment after the line; those of a chat that has ended
# meanwhile are assigned to their writer for some seconds (`engine.core.ended_seats`).

from collections.abc import Mapping

from engine.chats.grooming import Grooming
from engine.chats.safety_tips import LineTips
from engine.conduct.detection_classes import RULES
from engine.conduct.detection_consequences import (
    AGE_ASKED,
    AGE_CLAIM,
    GROOM,
    LIMITS,
    LINKED,
    OPENER,
    OWN,
    REPEAT,
    Act,
    consequence_of,
)
from engine.core.chat import Seat
from engine.core.engine_state import EngineState
from engine.core.session import Session
from ext.accept.address_limits import key_of


class Detections:
    """Detections of the engine."""

    __slots__ = ("_core", "_grooming", "_tips")

    def __init__(self, core: EngineState, tips: LineTips, grooming: Grooming) -> None:
        self._core = core
        self._tips = tips
        self._grooming = grooming

    def found(self, chat: str, side: int, number: int, rule: str, now: float) -> None:
        """Handle a detection: `rule`, one of RULES, matches line `number` of side 0 or 1 of a chat."""
        there = self._tips.who(chat, side)
        if there is None:
            return
        writer, seat = there
        if number > seat.chat.ring.last:
            return
        kind = RULES[rule].name
        follows = consequence_of(rule)
        spoken = seat.chat.found
        is_daily = bool(follows.friction or follows.case) or (
            follows.repeats and _is_second(spoken, side, rule, number)
        )
        if kind not in OWN:
            if rule == AGE_ASKED:  # the last one: a number is an answer to a question that came just before
                spoken[side, rule] = number
            else:
                spoken.setdefault((side, rule), number)
        if is_daily:
            self._count(writer, seat, kind, number, now)
        if kind in LINKED:
            if follows.points and self._core.settings.challenges:
                self._core.friction.linked(writer.person, now)
        elif kind == OPENER:
            self._began(writer, now)
        elif kind == REPEAT:
            if self._core.settings.challenges:
                self._core.friction.swarmed(now)
            if self._core.openers.is_many(writer.person, key_of(writer.address), now):
                self._act(writer, seat, Act(rule, side, number))
        elif kind in (GROOM, AGE_CLAIM):
            self._grooming.found(seat.chat, now)

    def sweep(self, now: float) -> None:
        """Drop seats of ended chats, and the beginnings of chats older than WINDOW."""
        self._grooming.sweep(now)
        self._core.lately.expire(now)
        self._core.openers.expire(now)

    def _act(self, writer: Session, seat: Seat, act: Act) -> None:
        """Send the server an Act with the chat as it is now; without a store no moderator could look at it."""
        if self._core.keeps:
            self._core.out.keep((writer, seat, act))

    def _count(self, writer: Session, seat: Seat, kind: str, number: int, now: float) -> None:
        """Count a detection for the day, once per chat; from a limit on, each chat is shown to a moderator."""
        chats = self._core.detected(writer, kind, seat.chat.id, now)
        limit = LIMITS[kind].case
        if limit and chats >= limit:  # not 0: it was counted now
            earlier = self._core.earlier(writer, kind, seat.chat.id, now)
            self._act(writer, seat, Act(kind, seat.side, number, earlier))

    # beginnings of chats

    def _began(self, writer: Session, now: float) -> None:
        """Count a chat that began like many others."""
        if self._core.settings.challenges:
            self._core.friction.opener(writer.person, now)
        self._core.openers.add(writer.person, key_of(writer.address), now)


def _is_second(spoken: Mapping[tuple[int, str], int], side: int, rule: str, number: int) -> bool:
    """Whether the class of a rule was found with its confidence in another line of that side of the chat before."""
    kind = RULES[rule]
    return any(line != number for (who, other), line in spoken.items() if who == side and RULES.get(other) == kind)

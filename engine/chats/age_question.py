"""Asks people who wrote that they are under 18. Rule: the chat ends at once, whoever said it is told why, and what they answer is believed once.

    a line that says so ─▷ the chat ends, asked ─┬─ "18 or over" ─▷ all goes on, and is remembered for a day
                                                 └─ "under 18" ───▷ kept out for a day; nothing is stored
    another such line within that day ─▷ the same, and people look at it: until they did, the server keeps the writer out
    (`engine.conduct.detection_actions.Act`)

Programs of another wire cannot be asked: they are told, and no search of theirs begins for that day.
"""

from typing import Final

from engine.chats.chat_life import Chats
from engine.chats.line_tips import Tips
from engine.conduct.age_answers import ASKED, KEPT, OLDEST
from engine.conduct.detection_actions import AGE_CLAIM, Act
from engine.core.session import Session
from engine.core.shared_state import Core
from engine.wire.errors import BadField, KeptOut, Refusal
from engine.wire.frames import challenge, solved, underage
from engine.wire.protocol import ADULT, AGE, MINOR, MODERATION, PROGRAM
from engine.wire.requests import Solution

ANSWERS: Final = (ADULT, MINOR)


class AgeQuestion:
    """The part of the engine that asks it."""

    def __init__(self, core: Core, chats: Chats, tips: Tips) -> None:
        self._core = core
        self._chats = chats
        self._tips = tips
        self._ages = core.ages

    def found(self, chat: str, side: int, number: int, age: int, now: float) -> None:
        """In line `number` of a chat this side says that they are under 18: `age`, 0 where that is not known.

        Where the chat was over before the line was looked at, they are asked before their next search.
        """
        core = self._core
        writer = self._tips.at(chat, side)
        here, seat = writer is not None, None if writer is None else writer.seat
        if writer is None and (lately := core.lately.of(chat, side)) is not None:
            writer, seat = lately
        if writer is None or seat is None or number > seat.chat.ring.last:
            return
        before = self._ages.of(writer.person, now)
        again = before is not None and before.stands == ADULT
        core.count("age again" if again else "age claimed")
        if before is None or before.stands != MINOR:
            self._put(writer, ASKED, now, age if age < OLDEST else 0)
        if here:
            self._ask(writer, now)  # before `left`, which is the last that another face hears
        if again and core.keeps:
            core.out.keep((writer, seat, Act(AGE_CLAIM, side, number)))
        if here:
            self._chats.close(writer, MODERATION, now)

    def hold(self, session: Session, now: float) -> bool:
        """Whether a search may begin. False: they are asked first, and were told. Raises KeptOut; Refusal `adult` for who cannot be asked."""
        said = self._ages.of(session.person, now)
        if said is None or said.stands == ADULT:
            return True
        if said.stands == MINOR:
            raise KeptOut
        self._ask(session, now)
        if session.way & PROGRAM:
            raise Refusal("adult", "find")
        return False

    def _ask(self, session: Session, now: float) -> None:
        said = self._ages.of(session.person, now)
        if said is not None and said.stands == ASKED and session.conn:
            parameters = {"age": said.age} if said.age else {}
            self._core.out.send(session.conn, challenge(AGE, parameters, round(said.until - now)))

    def solution(self, session: Session, request: Solution, now: float) -> None:
        """An answer came. Raises Refusal where none is wanted or it is none, KeptOut."""
        said = self._ages.of(session.person, now)
        if said is None or said.stands != ASKED:
            raise Refusal("challenge", "solution")
        if request.response not in ANSWERS:
            raise BadField("solution", "response")
        self._core.count("age " + request.response)
        self._put(session, request.response, now)
        if request.response == MINOR:
            raise KeptOut
        self._core.out.send(session.conn, solved(AGE))

    def _put(self, session: Session, stands: str, now: float, age: int = 0) -> None:
        """From now on they stand so, in whatever process they are."""
        self._ages.put(session.person, stands, now, age)
        if session.identity:
            self._core.outside.aged(session.identity, stands, age)

    def closing(self, person: int, now: float) -> bytes | None:
        """The closing error of somebody who is kept out; None: they are not."""
        said = self._ages.of(person, now)
        if said is None or said.stands != MINOR:
            return None
        until = self._core.outside.unix() + round(said.until - now)
        return underage(until, until - round(KEPT))

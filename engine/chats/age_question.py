"""Ask users who wrote that they are under 18 for their age.

The chat is held at once and its writer gets the question (`engine.chats.age_question_pause`): it continues after "18 or over"; after "under 18" it
ends, and the user is excluded for a day. A hint of low confidence ("im in high school") brings the question alone: nothing waits for the answer.
**Invariant:** the answers are in memory only.
"""

# "18 or over" is remembered for a day: a second such line within the day is shown to a moderator
# (`engine.conduct.detection_consequences.Act`), and asked about again in another chat. A client of another protocol cannot be asked: its chat ends,
# it gets a message, and its searches are refused for that day.

from typing import Final

from engine.chats.age_question_pause import ANSWER_WITHIN, ChatHolds, send_question
from engine.chats.chat_lifecycle import Chats
from engine.chats.grooming import Grooming
from engine.chats.safety_tips import LineTips
from engine.conduct.age_answers import ASKED, KEPT, OLDEST
from engine.conduct.detection_classes import AGE_HINT
from engine.conduct.detection_consequences import AGE_ADULT, AGE_ASKED, AGE_CLAIM, AGE_MINOR, Act, consequence_of
from engine.core.chat import Seat
from engine.core.ended_seats import LONGER
from engine.core.engine_state import EngineState
from engine.core.session import Session
from engine.wire.client_requests import Solution
from engine.wire.engine_errors import BadField, KeptOut, Refusal
from engine.wire.protocol import ADULT, AGE, MINOR, MODERATION, PROGRAM
from engine.wire.server_frames import challenge, solved, underage

ANSWERS: Final = (ADULT, MINOR)
ANSWER_LINES: Final = 6  # lines behind the partner's question in which a number is its answer


class AgeQuestion:
    """Age question of the engine."""

    def __init__(self, core: EngineState, chats: Chats, tips: LineTips, holds: ChatHolds, grooming: Grooming) -> None:
        self._core = core
        self._chats = chats
        self._tips = tips
        self._holds = holds
        self._grooming = grooming
        self._ages = core.ages

    def is_answer(self, chat: str, side: int, number: int) -> bool:
        """Whether the partner asked for the age just before line `number` of a side."""
        there = self._tips.who(chat, side)
        if there is None:
            return False
        asked = there[1].chat.found.get((1 - side, AGE_ASKED))
        return asked is not None and 0 < number - asked <= ANSWER_LINES

    def found(self, chat: str, side: int, number: int, rule: str, age: int, now: float) -> None:
        """Handle a detection: in line `number` this side states an age below 18. `age`: the age they wrote, 0: unknown.

        If the chat ended before the detection arrived, the writer gets the question before their next search.
        """
        there = self._tips.who(chat, side)
        if there is None or number > there[1].chat.ring.last:
            return
        writer, seat = there
        here = writer.seat is seat
        said = self._ages.of(writer.person, now)
        if not consequence_of(rule).holds:
            if said is None and here:
                self._hint(writer, seat, number)
            return
        state = "" if said is None else said.state
        if state == ADULT and not self._again(writer, seat, number):
            return
        if state != ADULT:
            self._core.count("age claimed")
        if state != MINOR:
            self._put(writer, ASKED, now, age if age < OLDEST else 0)
        if not here:
            return
        if state == MINOR or writer.way & PROGRAM:
            send_question(self._core, writer, KEPT, now)  # before `left`, the last frame of a chat in another protocol
            self._chats.close(writer, MODERATION, now)
        else:
            self._holds.hold(writer, now)

    def _hint(self, writer: Session, seat: Seat, number: int) -> None:
        """Ask the writer of a hint, once per chat; the chat goes on, and no search is refused without an answer."""
        if seat.chat.found.get((seat.side, AGE_HINT)) == number and writer.conn and not writer.way & PROGRAM:
            self._core.count("age hinted")
            self._core.send(writer.conn, challenge(AGE, {"hint": True}, round(ANSWER_WITHIN)))

    def _again(self, writer: Session, seat: Seat, number: int) -> bool:
        """Handle a statement within a day of "18 or over": a case, once per chat. Return whether to ask again: not in the chat of that answer."""
        core, chat, bit = self._core, seat.chat, 4 << seat.side
        if not chat.acted & bit:
            chat.acted |= bit
            core.count("age again")
            if core.keeps:
                core.out.keep((writer, seat, Act(AGE_CLAIM, seat.side, number)))
        return (seat.side, AGE_ADULT) not in chat.found

    def hold(self, session: Session, now: float) -> bool:
        """Whether a search may begin. False: the question was sent. Raises KeptOut; Refusal `adult` for a program that cannot be asked."""
        said = self._ages.of(session.person, now)
        if said is None or said.state == ADULT:
            return True
        if said.state == MINOR:
            raise KeptOut
        send_question(self._core, session, said.until - now, now)
        if session.way & PROGRAM:
            raise Refusal("adult", "find")
        return False

    def solution(self, session: Session, request: Solution, now: float) -> None:
        """Handle an answer. Raises Refusal if none is expected or it is invalid, KeptOut if it is "under 18"."""
        said = self._ages.of(session.person, now)
        seat = session.seat or session.past
        is_asked = (
            said.state == ASKED if said is not None else seat is not None and (seat.side, AGE_HINT) in seat.chat.found
        )
        if not is_asked:
            raise Refusal("challenge", "solution")
        if request.response not in ANSWERS:
            raise BadField("solution", "response")
        self._core.count("age " + request.response)
        self._put(session, request.response, now)
        if seat is not None and (not seat.ended or seat.ended + LONGER > now):
            fact = AGE_MINOR if request.response == MINOR else AGE_ADULT
            seat.chat.found[seat.side, fact] = seat.chat.ring.last
            self._grooming.found(seat.chat, now)
        if request.response == MINOR:
            raise KeptOut
        self._core.send(session.conn, solved(AGE))
        self._holds.release(session)

    def _put(self, session: Session, state: str, now: float, age: int = 0) -> None:
        """Store the answer here and publish it to the other processes."""
        self._ages.put(session.person, state, now, age)
        if session.identity:
            self._core.outside.publish_age(session.identity, state, age)

    def closing(self, person: int, now: float) -> bytes | None:
        """Return the closing `error` of a person who is kept out; None if they are not."""
        said = self._ages.of(person, now)
        if said is None or said.state != MINOR:
            return None
        until = self._core.outside.unix_time() + round(said.until - now)
        return underage(until, until - round(KEPT))

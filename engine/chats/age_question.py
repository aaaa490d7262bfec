"""Ask users who wrote that they are under 18 for their age.

The chat ends at once and the writer gets the question. The answer "18 or over" is believed once; after "under 18" the user is excluded for a day.
**Invariant:** the answers are in memory only.
"""

# "18 or over" is remembered for a day: a second such line within the day ends the chat and asks again, and a moderator reviews it: until then the
# server excludes the writer (`engine.conduct.detection_actions.Act`). A client of another protocol cannot be asked: it gets a message, and its
# searches are refused for that day.

from typing import Final

from engine.chats.chat_lifecycle import Chats
from engine.chats.grooming import Grooming
from engine.chats.safety_tips import LineTips
from engine.conduct.age_answers import ASKED, KEPT, OLDEST
from engine.conduct.detection_actions import AGE_ADULT, AGE_ASKED, AGE_CLAIM, AGE_MINOR, Act
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

    def __init__(self, core: EngineState, chats: Chats, tips: LineTips, grooming: Grooming) -> None:
        self._core = core
        self._chats = chats
        self._tips = tips
        self._grooming = grooming
        self._ages = core.ages

    def is_answer(self, chat: str, side: int, number: int) -> bool:
        """Whether the partner asked for the age just before line `number` of a side."""
        there = self._tips.who(chat, side)
        if there is None:
            return False
        asked = there[1].chat.found.get((1 - side, AGE_ASKED))
        return asked is not None and 0 < number - asked <= ANSWER_LINES

    def found(self, chat: str, side: int, number: int, age: int, now: float) -> None:
        """Handle a detection: in line `number` this side says that they are under 18. `age`: the age they wrote, 0: unknown.

        If the chat ended before the detection arrived, the writer is asked before their next search.
        """
        core = self._core
        writer = self._tips.at(chat, side)
        here, seat = writer is not None, None if writer is None else writer.seat
        if writer is None and (lately := core.lately.of(chat, side)) is not None:
            writer, seat = lately
        if writer is None or seat is None or number > seat.chat.ring.last:
            return
        before = self._ages.of(writer.person, now)
        again = before is not None and before.state == ADULT
        core.count("age again" if again else "age claimed")
        if before is None or before.state != MINOR:
            self._put(writer, ASKED, now, age if age < OLDEST else 0)
        if here:
            self._ask(writer, now)  # before `left`, which is the last frame of a chat for clients of another protocol
        if again and core.keeps:
            core.out.keep((writer, seat, Act(AGE_CLAIM, side, number)))
        if here:
            self._chats.close(writer, MODERATION, now)

    def hold(self, session: Session, now: float) -> bool:
        """Whether a search may begin. False: the question was sent. Raises KeptOut; Refusal `adult` for a program that cannot be asked."""
        said = self._ages.of(session.person, now)
        if said is None or said.state == ADULT:
            return True
        if said.state == MINOR:
            raise KeptOut
        self._ask(session, now)
        if session.way & PROGRAM:
            raise Refusal("adult", "find")
        return False

    def _ask(self, session: Session, now: float) -> None:
        said = self._ages.of(session.person, now)
        if said is not None and said.state == ASKED and session.conn:
            parameters = {"age": said.age} if said.age else {}
            self._core.out.send(session.conn, challenge(AGE, parameters, round(said.until - now)))

    def solution(self, session: Session, request: Solution, now: float) -> None:
        """Handle an answer. Raises Refusal if none is expected or it is invalid, KeptOut if it is "under 18"."""
        said = self._ages.of(session.person, now)
        if said is None or said.state != ASKED:
            raise Refusal("challenge", "solution")
        if request.response not in ANSWERS:
            raise BadField("solution", "response")
        self._core.count("age " + request.response)
        self._put(session, request.response, now)
        seat = session.seat or session.past
        if seat is not None and (not seat.ended or seat.ended + LONGER > now):
            fact = AGE_MINOR if request.response == MINOR else AGE_ADULT
            seat.chat.found[seat.side, fact] = seat.chat.ring.last
            self._grooming.found(seat.chat, now)
        if request.response == MINOR:
            raise KeptOut
        self._core.out.send(session.conn, solved(AGE))

    def _put(self, session: Session, state: str, now: float, age: int = 0) -> None:
        """Store the answer here and publish it to the other processes."""
        self._ages.put(session.person, state, now, age)
        if session.identity:
            self._core.outside.aged(session.identity, state, age)

    def closing(self, person: int, now: float) -> bytes | None:
        """Return the closing `error` of a person who is kept out; None if they are not."""
        said = self._ages.of(person, now)
        if said is None or said.state != MINOR:
            return None
        until = self._core.outside.unix() + round(said.until - now)
        return underage(until, until - round(KEPT))

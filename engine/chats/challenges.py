"""Require a challenge (a puzzle or captcha) before a search, and handle its solution.

`engine.conduct.friction_points` decides at each `find` frame whether a challenge is required, and how hard; the server makes challenges and checks
solutions. A client that cannot solve challenges is refused `too_fast` and waits instead.
"""

from typing import Final

from engine.conduct.friction_points import REFUSED, level_of, retry_after
from engine.core.engine_state import EngineState
from engine.core.session import ChallengeState, Session
from engine.wire.client_requests import Solution
from engine.wire.engine_errors import BadField, Busy, Refusal
from engine.wire.server_frames import challenge, solved
from ext.accept.address_limits import key_of

WRONG: Final = 3  # wrong solutions within WRONG_FOR seconds, after which none is accepted for as long
WRONG_FOR: Final = 60.0
HIGHEST: Final = 3


class Challenges:
    """Challenges of the engine."""

    __slots__ = ("_core", "friction")

    def __init__(self, core: EngineState) -> None:
        self._core = core
        self.friction = core.friction

    def opened(self, session: Session, now: float) -> None:
        """Count a connection."""
        if self._core.settings.challenges:
            self.friction.opened(session.identity, key_of(session.address), now)

    def hold(self, session: Session, now: float) -> bool:
        """Whether a search may begin. False: a challenge was sent. Raises Refusal `too_fast`, or Busy."""
        settings = self._core.settings
        if not settings.challenges:
            return True
        friction, person = self.friction, session.person
        points = friction.points(person, session.identity, key_of(session.address), now)
        if points < 2 and not settings.challenge_first:
            session.trial = None
            return True
        level = level_of(points)
        if level == REFUSED:
            self._core.count("challenge none 4 refused")
            raise Refusal("too_fast", "find", None, retry_after(points))
        level = max(level, 1 if settings.challenge_first else 0)
        if friction.passed(person, level, now):
            session.trial = None
            return True
        trial = session.trial
        if trial is not None and trial.barred > now:
            raise Refusal("too_fast", "find", None, trial.barred - now)
        if trial is None:
            trial = session.trial = ChallengeState(level)
        elif trial.level < level:
            trial.raise_to(level)
        return self._stands(session, trial, now)

    def _stands(self, session: Session, trial: ChallengeState, now: float) -> bool:
        """As `hold`, for a session whose challenge is open."""
        if trial.waits:
            if now < trial.waits:
                raise Refusal("too_fast", "find", None, trial.waits - now)
            self._passed(session, trial, "wait", now)
            return True
        if trial.frame and now < trial.until:
            self._core.send(session.conn, trial.frame)
        elif not trial.asked or trial.frame:
            self._ask(session, trial, now)
        if trial.waits:
            raise Refusal("too_fast", "find", None, trial.waits - now)
        return False

    def _ask(self, session: Session, trial: ChallengeState, now: float) -> None:
        if trial.frame:
            self._count(trial, "expired")
        trial.frame, trial.asked = b"", True
        seconds = self._core.outside.make_challenge(session, trial.level)
        if seconds < 0:
            trial.asked = False
            self._core.count(f"challenge none {trial.level} busy")
            raise Busy
        if seconds > 0:
            trial.kind, trial.waits = "wait", now + seconds
            self._count(trial, "asked")

    def given(self, session: Session, kind: str, level: int, parameters: object, within: float, now: float) -> None:
        """Send a challenge that the server made, valid for `within` seconds; one that is no longer required is dropped."""
        trial = session.trial
        if trial is None or trial.level != level or not trial.asked or trial.frame:
            return
        trial.kind, trial.frame = kind, challenge(kind, parameters, within)
        trial.began, trial.until = now, now + within
        self._count(trial, "asked")
        if session.conn:
            self._core.send(session.conn, trial.frame)

    def failed(self, session: Session, level: int) -> None:
        """Note that the server could not make one: the next search asks again."""
        trial = session.trial
        if trial is not None and trial.level == level and not trial.frame:
            trial.asked = False

    def solution(self, session: Session, request: Solution, now: float) -> None:
        """Handle a solution. Raises Refusal if none is expected."""
        trial = session.trial
        if trial is None or not trial.frame or trial.checked:
            raise Refusal("challenge", "solution")
        if trial.barred > now:
            raise Refusal("too_fast", "solution", None, trial.barred - now)
        if request.kind != trial.kind:
            raise BadField("solution", "kind")
        if now >= trial.until:
            self._ask(session, trial, now)
            raise Refusal("challenge", "solution")
        right = self._core.outside.check_answer(session, trial.level, request.kind, request.response)
        if right is None:
            trial.checked = True
        else:
            self.judged(session, trial.level, right, now)

    def judged(self, session: Session, level: int, right: bool, now: float) -> None:
        """Handle the verdict on a solution; it is ignored if another challenge was required meanwhile."""
        trial = session.trial
        if trial is None or trial.level != level or not trial.frame:
            return
        trial.checked = False
        if right:
            kind = trial.kind
            self._core.measures.solved.add(now - trial.began)
            self._passed(session, trial, kind, now)
            if session.conn:
                self._core.send(session.conn, solved(kind))
            return
        self._count(trial, "wrong")
        if now - trial.first_wrong >= WRONG_FOR:
            trial.first_wrong, trial.wrong = now, 0
        trial.wrong += 1
        trial.raise_to(min(HIGHEST, trial.level + 1))
        trial.frame, trial.asked = b"", False
        if trial.wrong >= WRONG:
            trial.barred = now + WRONG_FOR
            self._core.count(f"challenge {trial.kind} {level} flooded")
            if session.conn:
                self._core.refuse(session, "too_fast", "solution", None, WRONG_FOR)
        else:
            self._ask(session, trial, now)

    def unchecked(self, session: Session, level: int, barred: float, now: float) -> None:
        """Replace a challenge whose solution could not be checked; with `barred`, accept none for so many seconds instead."""
        trial = session.trial
        if trial is None or trial.level != level or not trial.frame:
            return
        self._count(trial, "unchecked")
        trial.frame, trial.checked, trial.asked = b"", False, False
        if barred:
            trial.barred = max(trial.barred, now + barred)
            if session.conn:
                self._core.refuse(session, "too_fast", "solution", None, barred)
            return
        self._ask(session, trial, now)
        if trial.waits and session.conn:
            self._core.refuse(session, "too_fast", "find", None, trial.waits - now)

    def _passed(self, session: Session, trial: ChallengeState, kind: str, now: float) -> None:
        self._core.count(f"challenge {kind} {trial.level} solved")
        self.friction.solved(session.person, trial.level, self._core.settings.challenge_good_for, now)
        session.trial = None

    def _count(self, trial: ChallengeState, result: str) -> None:
        self._core.count(f"challenge {trial.kind} {trial.level} {result}")

"""Questions whose askers allow that they are asked again. Rule: nothing of the asker, a day at most, bounded, in memory.

Two who wait to discuss while nobody asks get the one that was asked longest ago, and nobody watches.
"""

from collections import deque
from typing import Final

from engine.wire.protocol import ANY_LANGUAGE

QUESTION_FOR: Final = 86_400.0  # seconds: a day, as the registry declares it
QUESTIONS_MAX: Final = 1_000  # the oldest go first; 200 characters each
ASKED_MAX: Final = 5  # times, so that a busy day does not hear one question for ever


class Questions:
    """A queue: the next to be asked stands first."""

    __slots__ = ("_queue",)

    def __init__(self) -> None:
        self._queue: deque[tuple[float, int, str, str]] = deque()  # until, times left, language, question

    def add(self, question: str, language: str, now: float) -> None:
        """A question may be asked again of others."""
        if len(self._queue) >= QUESTIONS_MAX:
            self._queue.popleft()
        self._queue.append((now + QUESTION_FOR, ASKED_MAX, language, question))

    def take(self, language: str, now: float) -> str | None:
        """A question in a language (`*`: any), which goes to the end of the queue; None where there is none."""
        for _ in range(len(self._queue)):
            until, left, spoken, question = self._queue.popleft()
            if until <= now:
                continue
            if ANY_LANGUAGE not in (language, spoken) and language != spoken:
                self._queue.append((until, left, spoken, question))
                continue
            if left > 1:
                self._queue.append((until, left - 1, spoken, question))
            return question
        return None

    def rest(self, now: float) -> list[tuple[str, str, float, int]]:
        """All of them, the next first: question, language, seconds and times that it may be asked again."""
        return [(question, spoken, until - now, left) for until, left, spoken, question in self._queue if until > now]

    def enter(self, question: str, language: str, seconds: float, times: int, now: float) -> None:
        """One of `rest` elsewhere stands at the end of the queue here."""
        if len(self._queue) < QUESTIONS_MAX:
            self._queue.append((now + seconds, times, language, question))

    def __len__(self) -> int:
        return len(self._queue)

"""Keep questions of spy mode whose askers allowed reuse.

If no asker is waiting, two discussers get the question that was used the longest ago, without a spy.
**Invariant:** in memory, bounded, for a day at most; nothing about the asker is kept.
"""

from collections import deque
from typing import Final

from engine.wire.protocol import ANY_LANGUAGE

QUESTION_FOR: Final = 86_400.0  # seconds: a day, as the privacy registry declares
QUESTIONS_MAX: Final = 1_000  # the oldest is dropped first; 200 characters each
ASKED_MAX: Final = 5  # times, so that a busy day does not repeat one question for ever


class SpyQuestions:
    """Queue of questions; the next to be asked is first."""

    __slots__ = ("_queue",)

    def __init__(self) -> None:
        self._queue: deque[tuple[float, int, str, str]] = deque()  # expiry, times left, language, question

    def add(self, question: str, language: str, now: float) -> None:
        """Add a question."""
        if len(self._queue) >= QUESTIONS_MAX:
            self._queue.popleft()
        self._queue.append((now + QUESTION_FOR, ASKED_MAX, language, question))

    def take(self, language: str, now: float) -> str | None:
        """Return a question in a language (`*`: any) and move it to the end, or None."""
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
        """Export all questions, next one first: question, language, seconds and times left."""
        return [(question, spoken, until - now, left) for until, left, spoken, question in self._queue if until > now]

    def enter(self, question: str, language: str, seconds: float, times: int, now: float) -> None:
        """Append a question that `rest` exported in another process."""
        if len(self._queue) < QUESTIONS_MAX:
            self._queue.append((now + seconds, times, language, question))

    def __len__(self) -> int:
        return len(self._queue)

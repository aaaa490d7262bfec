"""Follow what a provider's program was asked and what it has answered.

**Invariant:** each question is answered once at most. WRONG_MAX lines that are no answer to a question end the program, and so does no answer at all
for its deadline while a question is open.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from server.trust.text_provider.provider_program import Misbehaved, ProviderProgram
from server.trust.text_provider.provider_protocol import (
    ID_MAX,
    ProviderFinding,
    decode_answer,
    decode_begun,
    encode_question,
    with_true_words,
)

START_MAX: Final = 60.0  # seconds until the first answer: a program may load a model
WRONG_MAX: Final = 16
OPEN_MAX: Final = 32  # questions that are not answered yet


class Question(NamedTuple):
    """A question. `about`: the caller's; `at`: when it was written."""

    about: Any
    text: str
    at: float


class Answer(NamedTuple):
    """An answer. `seconds`: from the question on."""

    about: Any
    found: tuple[ProviderFinding, ...]
    seconds: float


class ProviderConversation:
    """The questions and answers of one program. `deadline`: seconds for an answer."""

    def __init__(self, program: ProviderProgram, deadline: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.program = program
        self.deadline = deadline
        self.is_ready = False
        self.without: list[str] | None = None  # what its jail lacks; None: it has not begun
        self._clock = clock
        self._open: dict[int, Question] = {}
        self._number = 0
        self._wrong = 0
        self._moved = clock()  # the last answer, or the question that was the first open one

    @property
    def room(self) -> int:
        """The number of questions that may be asked now."""
        return OPEN_MAX - len(self._open) if self.is_ready else 0

    def ask(self, about: Any, text: str) -> None:
        """Ask about a text. Raises Misbehaved."""
        now = self._clock()
        if not self._open:
            self._moved = now
        self._open[self._number] = Question(about, text, now)
        self.program.put(encode_question(self._number, text))
        self._number = self._number % ID_MAX + 1

    def answers(self) -> Iterator[Answer]:
        """Yield the answers that the program has written; those after the deadline too. Raises Misbehaved."""
        for line in self.program.lines():
            if self.without is None:
                self._begin(line)
                continue
            try:
                id, found = decode_answer(line)
                question = self._open.pop(id)
            except (ValueError, KeyError):
                self._wrong += 1
                if self._wrong >= WRONG_MAX:
                    raise Misbehaved("malformed") from None
                continue
            self._moved = self._clock()
            if not self.is_ready:
                self.is_ready = True
                continue
            yield Answer(question.about, with_true_words(found, question.text), self._moved - question.at)

    def check(self) -> None:
        """Raise Misbehaved if the program answers nothing for its deadline."""
        allowed = self.deadline if self.is_ready else START_MAX
        if (self._open or not self.is_ready) and self._clock() - self._moved > allowed:
            raise Misbehaved("late")

    def _begin(self, line: bytes) -> None:
        """Read the first line, which the program's own process wrote before it became the program, and ask the first question."""
        try:
            self.without, fault = decode_begun(line)
        except ValueError:
            raise Misbehaved("malformed") from None
        if fault:
            raise Misbehaved("unjailed" if self.without else "ended", fault)
        self.ask(None, "")

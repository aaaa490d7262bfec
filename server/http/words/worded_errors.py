"""Refusals whose text is a sentence of the catalogues. Rule: who raises one names the sentence and what fills it; who shows it chooses
the language. As text (a command line, a log) it is English."""

from __future__ import annotations

from dataclasses import dataclass

from server.http.words.catalogue import ENGLISH
from server.http.words.sentences import Said, said


@dataclass(frozen=True, slots=True)
class Length:
    """A length of time in a sentence. `seconds`: None where it has no end."""

    seconds: int | None

    def said(self, t: Said) -> str:
        """`7 days`, `for good`."""
        return t.text("console.forgood") if self.seconds is None else t.span(self.seconds)


class Worded(ValueError):
    """It cannot be done as asked. `key`: of the sentence that says why; `values`: what fills it."""

    def __init__(self, key: str, **values: str | int | Length) -> None:
        super().__init__(key)
        self.key = key
        self.values = values

    def said(self, t: Said) -> str:
        """Why, in a language."""
        shown = {name: value.said(t) if isinstance(value, Length) else value for name, value in self.values.items()}
        return t.text(self.key, **shown)

    def __str__(self) -> str:
        """In English."""
        return self.said(said()[ENGLISH])

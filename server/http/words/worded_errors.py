"""Define exceptions whose text is a sentence of the translation catalogues.

The code that raises one names the sentence and its values; the code that shows it chooses the language. `str(error)` is English, for logs.
"""

from __future__ import annotations

from dataclasses import dataclass

from server.http.words.catalogue import ENGLISH
from server.http.words.sentence_formatter import Said, said


@dataclass(frozen=True, slots=True)
class Length:
    """A duration in a sentence. `seconds`: None if it is unlimited."""

    seconds: int | None

    def said(self, t: Said) -> str:
        """Return the duration in words: `7 days`, `for good`."""
        return t.text("console.forgood") if self.seconds is None else t.span(self.seconds)


class Worded(ValueError):
    """A request cannot be carried out. `key`: of the sentence with the reason; `values`: its filled-in values."""

    def __init__(self, key: str, **values: str | int | Length) -> None:
        super().__init__(key)
        self.key = key
        self.values = values

    def said(self, t: Said) -> str:
        """Return the reason in a language."""
        shown = {name: value.said(t) if isinstance(value, Length) else value for name, value in self.values.items()}
        return t.text(self.key, **shown)

    def __str__(self) -> str:
        """Return the reason in English."""
        return self.said(said()[ENGLISH])

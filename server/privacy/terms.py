"""What the tables about people's data say, in another language. Rule: found by the English words; what it lacks is English, and marked.

`terms/*.json`: one file a language, English to that language. A term with a name in braces stands for all that is built like it: what is in its
place is looked for too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from markupsafe import Markup

TERMS: dict[str, dict[str, str]] = {
    path.stem: json.loads(path.read_bytes()) for path in sorted((Path(__file__).parent / "terms").glob("*.json"))
}
_name = re.compile(r"\\{(\w+)\\}").sub


class Terms:
    """The terms of one language; call it with an English one."""

    def __init__(self, terms: Mapping[str, str]) -> None:
        self._terms = terms
        self._built = [
            (re.compile(_name(r"(?P<\1>.+)", re.escape(english))), theirs)
            for english, theirs in terms.items()
            if "{" in english
        ]

    def __call__(self, term: str) -> str:
        """For a page: in that language, else the English one as a piece of a page that says so."""
        found = self.find(term)
        return Markup('<span lang="en">{}</span>').format(term) if found is None else found

    def find(self, term: str) -> str | None:
        """In that language; None where it has no such term."""
        found = self._terms.get(term)
        if found is not None:
            return found
        for built, theirs in self._built:
            if match := built.fullmatch(term):
                return theirs.format_map({name: self.find(part) or part for name, part in match.groupdict().items()})
        return None


def english(term: str) -> str:
    """The terms of English."""
    return term


SAID: dict[str, Callable[[str], str]] = {"en": english, **{language: Terms(terms) for language, terms in TERMS.items()}}

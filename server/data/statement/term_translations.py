"""Translate the terms in the tables of the privacy statement, looked up by their English words in the catalogue under `term.`.

A term with a name in braces is a pattern whose inserted text is translated too; `{n}` is a number that selects the plural form. An untranslated term
is shown in English, marked as English.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from markupsafe import Markup

from server.http.words.catalogue import ENGLISH, Word, Words, words
from server.http.words.language_data import category

BEGIN: Final = "term."
_name = re.compile(r"\\{(\w+)\\}").sub


class Terms:
    """The terms of one language by the English ones. Call it with a term."""

    def __init__(self, terms: Mapping[str, Word], language: str) -> None:
        self.terms = terms
        self._language = language
        self._built = [
            (re.compile(_name(_group, re.escape(english))), theirs)
            for english, theirs in terms.items()
            if "{" in english
        ]

    def __call__(self, term: str) -> str:
        """Return the term for a page; if it is not translated, the English term in an element with `lang="en"`."""
        found = self.find(term)
        return Markup('<span lang="en" dir="ltr">{}</span>').format(term) if found is None else found

    def find(self, term: str) -> str | None:
        """Return the translated term; None if this language has no such term."""
        found = self.terms.get(term)
        if isinstance(found, str):
            return found
        for built, theirs in self._built:
            if match := built.fullmatch(term):
                parts = match.groupdict()
                form = theirs if isinstance(theirs, str) else self._form(theirs, int(parts["n"]))
                return form.format_map({name: self.find(part) or part for name, part in parts.items()})
        return None

    def _form(self, forms: Mapping[str, str], number: int) -> str:
        return forms.get(category(self._language, number), forms["other"])


def _group(found: re.Match[str]) -> str:
    return f"(?P<{found[1]}>{r'[0-9]+' if found[1] == 'n' else '.+'})"


def english(term: str) -> str:
    """Return the term itself: the translation into English."""
    return term


def of(theirs: Words, originals: Words) -> Terms:
    """Build the terms of a language from its catalogue and the English one. Both English forms of a plural are the same term."""
    found: dict[str, Word] = {}
    for key, original in originals.table.items():
        if key.startswith(BEGIN) and key not in theirs.missing:
            for form in (original,) if isinstance(original, str) else original.values():
                found.setdefault(form, theirs.table[key])
    return Terms(found, theirs.language)


TERMS: dict[str, Terms] = {
    language: of(theirs, words()[ENGLISH]) for language, theirs in words().items() if language != ENGLISH
}
SAID: dict[str, Callable[[str], str]] = {ENGLISH: english, **TERMS}

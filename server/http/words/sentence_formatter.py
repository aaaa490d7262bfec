"""Format a sentence with its values in one language, for documents and mails: `t("rules.lead")`. Numbers, dates and lists follow CLDR.

**Invariant:** a sentence is plain text; in HTML the sentence and its values are escaped.
"""

import datetime
import functools
import re
from collections.abc import Mapping, Sequence
from typing import Literal

from babel import Locale
from babel.dates import format_date, format_skeleton
from babel.lists import format_list
from babel.numbers import format_decimal, format_percent
from babel.units import format_unit
from markupsafe import Markup, escape

from server.http.words.catalogue import BRAND, ENGLISH, Word, Words, words
from server.http.words.language_data import category

_LOCALES = {"en": "en_GB"}  # 24 November 2026
_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60))
_BRAND = re.compile(rf"{BRAND}(?!-)")
_LINK = re.compile(r"\[([^]]+)\]\((\w+)\)")  # [words](name of an address)


class Said:
    """One language; called as a function it returns a sentence for HTML."""

    def __init__(self, said: Words, originals: Mapping[str, Word], name: str = "") -> None:
        """`name`: of the installation, in place of the project's in every sentence; empty: the project's."""
        self.language = said.language
        self.direction = said.direction
        self.name = said.name
        self._table = renamed(said.table, name) if name else said.table
        self._missing = said.missing
        self._originals = originals
        self._locale = _LOCALES.get(said.language, said.language)

    def text(self, key: str, /, **values: object) -> str:
        """Return a sentence as plain text; the value `n` chooses its plural form. Raises KeyError for an unknown key or a missing value."""
        return self._pattern(key, values).format_map({name: self._shown(value) for name, value in values.items()})

    def __call__(self, key: str, /, **values: object) -> Markup:
        """Return a sentence as HTML: filled-in values are escaped, unless they are Markup."""
        shown = {name: self._shown(value) for name, value in values.items()}
        return escape(self._pattern(key, values)).format(**shown)

    def translates(self, key: str, english: str) -> bool:
        """Whether the language has a translation of exactly this English."""
        return self._originals.get(key) == english and key not in self._missing

    def linked(self, key: str, /, **addresses: str) -> Markup:
        """Return a sentence with links, each to the address of its name."""
        text = str(escape(self._table[key]).format())
        linked = _LINK.sub(lambda found: f'<a href="{escape(addresses[found[2]])}">{found[1]}</a>', text)
        return Markup(linked)  # noqa: S704  # all of it was escaped above

    def day(self, at: float) -> str:
        """Return a day, `24 November 2026`, UTC."""
        return format_date(datetime.datetime.fromtimestamp(at, datetime.UTC), "long", self._locale)

    def moment(self, at: float) -> str:
        """Return a point in time to the minute, `24 November 2026, 14:05 UTC`."""
        time = f"{datetime.datetime.fromtimestamp(at, datetime.UTC):%H:%M}"
        return self.text("appeal.moment", date=self.day(at), time=time)

    def date(self, day: str) -> str:
        """Return a day for `2026-11-24`; raises ValueError."""
        return format_date(datetime.date.fromisoformat(day), "long", self._locale)

    def month(self, month: str) -> str:
        """Return `November 2026` for `2026-11`; raises ValueError."""
        return format_skeleton("yMMMM", datetime.datetime.fromisoformat(f"{month}-01"), locale=self._locale)

    def span(self, seconds: int) -> str:
        """Return a duration, `15 minutes`, `7 days`: in the largest unit that divides it, else rounded to minutes."""
        for unit, size in _UNITS:
            if seconds >= size and seconds % size == 0:
                return format_unit(seconds // size, unit, "long", locale=self._locale)
        return format_unit(max(1, round(seconds / 60)), "minute", "long", locale=self._locale)

    def number(self, number: int) -> str:
        """Return a number, `1,234`."""
        return format_decimal(number, locale=self._locale)

    def share(self, part: float) -> str:
        """Return a share, `25%` for 0.25."""
        return format_percent(part, locale=self._locale)

    def language_name(self, tag: str) -> str:
        """Return the name of a language, `German` for `de`; the tag if it has none."""
        return str(Locale.parse(self.language).languages.get(tag, tag))

    def listed(self, items: Sequence[str], style: Literal["standard", "or"] = "standard") -> str:
        """Return a list: `a`, `a and b`, `a, b and c`; with the style `or`: `a or b`."""
        return format_list(items, style, self._locale)

    def _pattern(self, key: str, values: dict[str, object]) -> str:
        word = self._table[key]
        if isinstance(word, str):
            return word
        number = values["n"]
        return word.get(category(self.language, number if isinstance(number, int) else 0), word["other"])

    def _shown(self, value: object) -> object:
        return format_decimal(value, locale=self._locale) if isinstance(value, int) else value


def renamed(table: Mapping[str, Word], name: str) -> dict[str, Word]:
    """Return the sentences with the name of an installation in place of the project's. A word that mails are found by (`Serendip-Privacy`) stays."""
    shown = name.replace("{", "{{").replace("}", "}}")

    def put(text: str) -> str:
        return _BRAND.sub(lambda _: shown, text) if BRAND in text else text

    return {
        key: put(word) if isinstance(word, str) else {form: put(text) for form, text in word.items()}
        for key, word in table.items()
    }


@functools.cache
def said(name: str = "") -> dict[str, Said]:
    """Return all languages, English first. `name`: see `Said`. It reads files: call it once, before the loop runs.

    CLDR's data of English, and those common to all languages, are read with it (20 ms); those of another language when a day or a number is first
    formatted: one small file, 3 to 12 ms, once. All nine would be a tenth of a start.
    """
    every = words()
    found = {language: Said(one, every[ENGLISH].table, name) for language, one in every.items()}
    found[ENGLISH].day(0.0)
    return found

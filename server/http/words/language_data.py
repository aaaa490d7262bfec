"""Describe languages by CLDR data (from Babel): plural forms, writing direction, own name.

**Invariant:** a catalogue's gettext plural formula agrees with CLDR, so browsers (Intl.PluralRules) and server choose the same form.
"""

import gettext
from collections.abc import Callable

from babel import Locale

ORDER = ("zero", "one", "two", "few", "many", "other")  # CLDR's order, which gettext's forms follow
# Numbers at which the rules of languages differ: small ones, the ends of hundreds, and those said as "a million of".
_TRIED = (*range(205), 1_000, 1_000_000, 1_000_001, 2_000_000)


def categories(language: str) -> tuple[str, ...]:
    """Return the names of a language's plural forms, in gettext's order; raises babel.UnknownLocaleError."""
    tags = {*Locale.parse(language).plural_form.tags, "other"}
    return tuple(name for name in ORDER if name in tags)


def category(language: str, number: int) -> str:
    """Return the form for a number."""
    return Locale.parse(language).plural_form(number)


def direction(language: str) -> str:
    """Return `ltr` or `rtl`."""
    return Locale.parse(language).text_direction


def name(language: str) -> str:
    """Return the language's own name, capitalised: `Deutsch`."""
    own = Locale.parse(language).get_display_name(language) or language
    return own[0].upper() + own[1:]


def disagreements(language: str, formula: str) -> list[int]:
    """Return the numbers for which a catalogue's formula (`n != 1`) chooses another form than CLDR; raises ValueError if it is not a formula."""
    names = categories(language)
    place: Callable[[int], int] = gettext.c2py(formula)  # gettext's own parser of formulas
    return [number for number in _TRIED if names[place(number) : place(number) + 1] != (category(language, number),)]

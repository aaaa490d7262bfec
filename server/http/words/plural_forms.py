"""Which forms a language has for numbers, which way it is read, what it calls itself. Rule: by CLDR, as Babel has it; gettext's
formula of a catalogue is held to it, so that a form has the same place there as the name by which a browser's Intl.PluralRules asks for it."""

import gettext
from collections.abc import Callable

from babel import Locale

ORDER = ("zero", "one", "two", "few", "many", "other")  # CLDR's; gettext's forms stand in the same
# Numbers in which the rules of languages differ: small ones, all the ends of hundreds, and what is said as "a million of".
_TRIED = (*range(205), 1_000, 1_000_000, 1_000_001, 2_000_000)


def categories(language: str) -> tuple[str, ...]:
    """The names of a language's forms, in gettext's order; raises babel.UnknownLocaleError."""
    tags = {*Locale.parse(language).plural_form.tags, "other"}
    return tuple(name for name in ORDER if name in tags)


def category(language: str, number: int) -> str:
    """The form for a number."""
    return Locale.parse(language).plural_form(number)


def direction(language: str) -> str:
    """`ltr` or `rtl`."""
    return Locale.parse(language).text_direction


def name(language: str) -> str:
    """What its speakers call it, as it begins a line: `Deutsch`."""
    own = Locale.parse(language).get_display_name(language) or language
    return own[0].upper() + own[1:]


def disagreements(language: str, formula: str) -> list[int]:
    """The numbers for which a catalogue's formula (`n != 1`) takes another form than CLDR; raises ValueError where it is none."""
    names = categories(language)
    place: Callable[[int], int] = gettext.c2py(formula)  # what gettext itself reads a formula with
    return [number for number in _TRIED if names[place(number) : place(number) + 1] != (category(language, number),)]

"""Patterns that words cannot say: addresses, numbers, ages. Rule: ours alone, each of bounded cost, behind a test of one character.

A pattern reads the folded line. Operators' lists have words only: an expression of somebody else's could take for ever.
"""

import re
from collections.abc import Iterable
from typing import Final

TAIL_MIN: Final = 4  # characters
Span = tuple[int, int]

# Ends of names that are no words of a sentence: "ok.net" is an address, "ok.me" is not without a path.
_ENDS: Final = "com|net|org|info|gg|ly|io|xyz|ru|onion|biz|click|online|site|shop|icu|club|porn|cam|webcam"
_SPOKEN: Final = ("dot", "punkt", "punto", "point", "ponto", "punktum", "prikk", "точка", "نقطة")
_LINK: Final = re.compile(
    r"https?://[^\s/]{3}|(?<![\w.@])www\.[\w-]{2}"
    rf"|(?<![\w.@-])(?:[\w-]{{1,40}}\.){{1,4}}(?:{_ENDS})(?![\w@-]|\.\w)"
    r"|(?<![\w.@-])(?:[\w-]{1,40}\.){1,4}[a-z]{2,12}/[\w?=%-]"
)
_DOTS: Final = frozenset(_SPOKEN)
_POINTS: Final = (" . ", "(.", "[.", "( .", "[ .")
_SPOKEN_LINK: Final = re.compile(
    rf"(?<![\w.@-])[\w-]{{2,40}}\s?(?:\s(?:{'|'.join(_SPOKEN)})\s|[(\[]\s?(?:{'|'.join(_SPOKEN)}|\.)\s?[)\]]|\s\.\s)\s?(?:{_ENDS})(?![\w@-])"
)
_MAIL: Final = re.compile(r"(?<![\w.+-])[\w.+-]{1,40}@(?:[\w-]{1,40}\.){1,4}[a-z]{2,12}(?![\w-])")
_PHONE: Final = re.compile(r"(?<![\w.])(?:\+|00)[1-9](?:[ ./()-]{0,2}\d){7,13}(?!\w)")
_AGE: Final = re.compile(r"(?<!\d)(?:1[0-7]|[89])(?!\d)").search
_AGES: Final = re.compile(r"\d+")
_CARD: Final = re.compile(r"(?<![\w.])[2-6](?:[ -]?\d){12,18}(?![\w])")


def link(line: str, said: list[str]) -> Span | None:
    """Where an address of a page stands. `said`: the words of the line."""
    point = "." in line
    found = _LINK.search(line) if point or "://" in line else None
    if found is None and ((point and any(sign in line for sign in _POINTS)) or not _DOTS.isdisjoint(said)):
        found = _SPOKEN_LINK.search(line)
    return found.span() if found else None


def contact(line: str, _: list[str]) -> Span | None:
    """Where a mail address or an international number stands."""
    found = _MAIL.search(line) if "@" in line else None
    if found is None and ("+" in line or "00" in line):
        found = _PHONE.search(line)
    return found.span() if found else None


def card(line: str) -> Span | None:
    """Where 13 to 19 digits stand that begin as cards for payment do and have a right check digit (ISO/IEC 7812-1)."""
    for found in _CARD.finditer(line):
        digits = [int(char) for char in reversed(found[0]) if char.isdigit()]
        doubled = [
            digit if place % 2 == 0 else (2 * digit - 9 if digit > 4 else 2 * digit)
            for place, digit in enumerate(digits)
        ]
        if len(set(digits)) > 1 and sum(doubled) % 10 == 0:
            return found.span()
    return None


class Ages:
    """Sentences in which somebody says their age, one below eighteen. `templates`: with {age} where it stands.

    `units`: what stands behind where a number is no age ("years older"); of several words the first may belong to the sentence.
    """

    def __init__(self, templates: Iterable[str], units: Iterable[str]) -> None:
        parts = [re.escape(one).replace(r"\{age\}", "(?:1[0-7]|[89])").replace(r"\ ", r"\s+") for one in templates]
        ends = {end for unit in units for end in (unit, tail_of(unit)) if end}
        behind = "|".join(sorted(map(re.escape, ends), key=len, reverse=True)) or "/"
        no_age = rf"[\w/%]|[.,:]\d|['\"]\d?|\s*(?:{behind})(?!\w)|\s*[-–+*]\s*\d"
        self._search = re.compile(rf"(?<![\w.])(?:{'|'.join(parts)})(?!{no_age})").search if parts else None

    def __call__(self, line: str) -> Span | None:
        """Where one stands."""
        found = self._search(line) if self._search and _AGE(line) else None
        return found.span() if found else None


def age_in(said: str) -> int:
    """The age in a sentence that `Ages` found; 0 where it is not certain."""
    found = set(_AGES.findall(said))
    return int(found.pop()) if len(found) == 1 else 0


def tail_of(unit: str) -> str:
    """What stands behind the first word of a unit, where that is enough to know it by."""
    tail = unit.partition(" ")[2]
    return tail if len(tail) >= TAIL_MIN else ""

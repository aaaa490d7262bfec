"""Patterns that words cannot say: addresses, numbers, ages. Rule: ours alone, each of bounded cost, behind a test of one character.

A pattern reads the folded line, where white space is one space. Operators' lists have words only: somebody else's expression could take for ever.
"""

import re
from collections.abc import Iterable
from itertools import islice
from typing import Final

TAIL_MIN: Final = 4  # characters
AGES_MAX: Final = 8  # numbers of a piece that are asked whether they are an age
CARDS_MAX: Final = 4  # rows of digits of a piece whose check digit is asked
Span = tuple[int, int]

# Ends of names that are no words of a sentence: "ok.net" is an address, "ok.me" is not without a path.
_ENDS: Final = "com|net|org|info|gg|ly|io|xyz|ru|onion|biz|click|online|site|shop|icu|club|porn|cam|webcam"
_SPOKEN: Final = ("dot", "punkt", "punto", "point", "ponto", "punktum", "prikk", "точка", "نقطة")
_LINK: Final = re.compile(
    r"https?://[^\s/]{3}|(?<![\w.@])www\.[\w-]{2}"
    rf"|(?<![\w.@-])(?:[\w-]{{1,40}}\.){{1,4}}(?:(?:{_ENDS})(?![\w@-]|\.\w)|[a-z]{{2,12}}/[\w?=%-])"
)
_DOTS: Final = frozenset(_SPOKEN)
_POINTS: Final = (" . ", "(.", "[.", "( .", "[ .")
_SPOKEN_LINK: Final = re.compile(
    rf"(?<![\w.@-])[\w-]{{2,40}}\s?(?:\s(?:{'|'.join(_SPOKEN)})\s|[(\[]\s?(?:{'|'.join(_SPOKEN)}|\.)\s?[)\]]|\s\.\s)\s?(?:{_ENDS})(?![\w@-])"
)
_MAIL: Final = re.compile(r"(?<![\w.+-])[\w.+-]{1,40}@(?:[\w-]{1,40}\.){1,4}[a-z]{2,12}(?![\w-])")
_PHONE: Final = re.compile(r"(?<![\w.])(?:\+|00)[1-9](?:[ ./()-]{0,2}\d){7,13}(?!\w)")
_AGE: Final = re.compile(
    r"[189](?<!\d.)(?:(?<=1)[0-7]|(?<!1))(?!\d)"
).finditer  # begins with a set of characters: that is found fastest
_JOINED: Final = re.compile(r"[\w.]").match
_WORDLIKE: Final = re.compile(r"\w").match
_MEASURE: Final = re.compile(r"[\w/%'\"]|[.,:]\d| ?[-–+*] ?\d").match
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
    for found in islice(_CARD.finditer(line), CARDS_MAX):
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
        self._templates: dict[
            str, list[tuple[str, str]]
        ] = {}  # before and behind the age, by the last letter before it
        for before, _, behind in (template.partition("{age}") for template in dict.fromkeys(templates)):
            self._templates.setdefault(before.rstrip()[-1:], []).append((before, behind))
        self._units: dict[str, list[str]] = {}  # by their first letter
        known = sorted({end for unit in units for end in (unit, tail_of(unit)) if end})
        for unit in known:
            self._units.setdefault(unit[0], []).append(unit)
        pairs = [pair for found in self._templates.values() for pair in found]
        self._left = 1 + max((len(before) for before, _ in pairs), default=0)
        self._right = 3 + max((len(behind) for _, behind in pairs), default=0) + max(map(len, known), default=0)

    def __call__(self, line: str) -> Span | None:
        """Where one stands. Of a piece with more than AGES_MAX numbers that could be one the others are not asked."""
        for found in islice(_AGE(line), AGES_MAX) if self._templates else ():
            if span := self._around(line, *found.span()):
                return span
        return None

    def _around(self, line: str, begin: int, end: int) -> Span | None:
        left, right = line[max(begin - self._left, 0) : begin], line[end : end + self._right]
        for last in dict.fromkeys((left.rstrip()[-1:], "")):
            for before, behind in self._templates.get(last, ()):
                if left.endswith(before) and right.startswith(behind):
                    first = begin - len(before)
                    if not _JOINED(line[max(first - 1, 0) : first]) and not self._measures(right[len(behind) :]):
                        return first, end + len(behind)
        return None

    def _measures(self, rest: str) -> bool:
        """Whether a number with this behind it is no age."""
        if _MEASURE(rest):
            return True
        text = rest.lstrip()
        return any(
            text.startswith(unit) and not _WORDLIKE(text[len(unit) : len(unit) + 1])
            for unit in self._units.get(text[:1], ())
        )


def age_in(said: str) -> int:
    """The age in a sentence that `Ages` found; 0 where it is not certain."""
    found = set(_AGES.findall(said))
    return int(found.pop()) if len(found) == 1 else 0


def tail_of(unit: str) -> str:
    """What stands behind the first word of a unit, where that is enough to know it by."""
    tail = unit.partition(" ")[2]
    return tail if len(tail) >= TAIL_MIN else ""

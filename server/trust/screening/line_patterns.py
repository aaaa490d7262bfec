"""Match what word lists cannot express in a chat line: web addresses, contacts, payment card numbers, and statements of age.

**Invariant:** the cost of each pattern is bounded, and a cheap test of a character or word precedes it. Lines are folded (normalised by
`text_folding`) before. Operators' rules are words only, because an arbitrary regular expression could run for ever.
"""

import re
from collections.abc import Iterable
from itertools import islice
from typing import Final

TAIL_MIN: Final = 4  # characters
AGES_MAX: Final = 8  # numbers of a piece that are tested as ages
CARDS_MAX: Final = 4  # rows of digits of a piece whose check digit is computed
Span = tuple[int, int]

# Domain endings that are no words of a sentence: "ok.net" is an address, "ok.me" is one only with a path.
_ENDS: Final = "com|net|org|info|gg|ly|io|xyz|ru|onion|biz|click|online|site|shop|icu|club|porn|cam|webcam"
_DOT_WORDS: Final = ("dot", "punkt", "punto", "point", "ponto", "punktum", "prikk", "точка", "نقطة")
_END: Final = rf"(?:(?:{_ENDS})(?![\w@-]|\.\w)|[a-z]{{2,12}}/[\w?=%-])"
_WRITTEN: Final = r"https?://[^\s/]{3}|www(?<![\w.@]www)\.[\w-]{2}"
_NAME: Final = (
    r"[\w-](?<![\w.@-][\w-])[\w-]"  # of a domain: its first two characters, behind none that would belong to it
)
_LINK: Final = re.compile(rf"{_WRITTEN}|{_NAME}{{0,39}}+\.(?:[\w-]{{1,40}}+\.){{0,3}}{_END}")
# A pattern is costly if each word of a line may begin a match. So each is preceded by a search for the end of one, which is rare and begins with one
# of a few characters; the words before that end are matched only there.
_LINK_END: Final = re.compile(rf"{_WRITTEN}|(\.){_END}")
_NAMES: Final = re.compile(rf"{_NAME}{{0,39}}+(?:\.[\w-]{{1,40}}+){{0,3}}\Z")
_NAMES_MAX: Final = 4 * 41
_DOTS: Final = frozenset(_DOT_WORDS)
_POINTS: Final = (" . ", "(.", "[.", "( .", "[ .")
_SPOKEN_DOT: Final = "|".join(_DOT_WORDS)
_SPOKEN_END: Final = re.compile(
    rf"(?:\s(?:{_SPOKEN_DOT})\s|[(\[]\s?(?:{_SPOKEN_DOT}|\.)\s?[)\]]|\s\.\s)\s?(?:{_ENDS})(?![\w@-])"
)
_SPOKEN_NAME: Final = re.compile(rf"{_NAME}{{1,39}}+\s?\Z")
_SPOKEN_NAME_MAX: Final = 41
_MAIL: Final = re.compile(r"[\w.+-](?<![\w.+-][\w.+-])[\w.+-]{0,39}+@(?:[\w-]{1,40}\.){1,4}[a-z]{2,12}(?![\w-])")
_MAIL_END: Final = re.compile(r"@(?<=[\w.+-]@)(?:[\w-]{1,40}\.){1,4}[a-z]{2,12}(?![\w-])")
_PHONE: Final = re.compile(r"(?:\+|00)(?<![\w.]\+)(?<![\w.]00)[1-9](?:[ ./()-]{0,2}\d){7,13}(?!\w)")
_AGE: Final = re.compile(
    r"[189](?<!\d.)(?:(?<=1)[0-7]|(?<!1))(?!\d)"
).finditer  # begins with a set of characters: `re` searches that fastest
_MEASURE: Final = re.compile(r"[\w/%'\"]|[.,:]\d| ?[-–+*] ?\d").match
_AGES: Final = re.compile(r"\d+")
_CARD: Final = re.compile(r"[2-6](?<![\w.][2-6])(?:[ -]?\d){12,18}(?![\w])")


def find_link(line: str, words: list[str]) -> Span | None:
    """Return the span of a page's address, written or spelled out ("example dot com"). `words`: those of the line."""
    point = "." in line
    if (point or "://" in line) and _has_link(line):
        found = _LINK.search(line)
        return found.span() if found else None
    if (point and any(sign in line for sign in _POINTS)) or not _DOTS.isdisjoint(words):
        for end in _SPOKEN_END.finditer(line):
            name = _SPOKEN_NAME.search(line, max(end.start() - _SPOKEN_NAME_MAX, 0), end.start())
            if name:
                return name.start(), end.end()
    return None


def _has_link(line: str) -> bool:
    """Whether `_LINK` matches."""
    return any(
        not end[1] or _NAMES.search(line, max(end.start() - _NAMES_MAX, 0), end.start())
        for end in _LINK_END.finditer(line)
    )


def find_contact(line: str, _: list[str]) -> Span | None:
    """Return the span of a mail address or of an international telephone number."""
    found = _MAIL.search(line) if "@" in line and _MAIL_END.search(line) else None
    if found is None and ("+" in line or "00" in line):
        found = _PHONE.search(line)
    return found.span() if found else None


def find_card_number(line: str) -> Span | None:
    """Return the span of 13 to 19 digits that begin as a payment card's do and have a valid check digit (ISO/IEC 7812-1)."""
    for found in islice(_CARD.finditer(line), CARDS_MAX):
        digits = [int(char) for char in reversed(found[0]) if char.isdigit()]
        doubled = [
            digit if place % 2 == 0 else (2 * digit - 9 if digit > 4 else 2 * digit)
            for place, digit in enumerate(digits)
        ]
        if len(set(digits)) > 1 and sum(doubled) % 10 == 0:
            return found.span()
    return None


class AgeClaims:
    """Sentences in which a user states an age below eighteen.

    `templates`: sentences with {age} in place of the number; `units`: words behind a number that is no age ("years older"), of which the first may
    belong to the template.
    """

    def __init__(self, templates: Iterable[str], units: Iterable[str]) -> None:
        # the text before and behind the age, by the last character before it, white space apart
        self._templates: dict[str, list[tuple[str, str]]] = {}
        for before, _, behind in (template.partition("{age}") for template in dict.fromkeys(templates)):
            self._templates.setdefault(before.rstrip()[-1:], []).append((before, behind))
        self._units: dict[str, list[str]] = {}  # by their first letter
        known = sorted({end for unit in units for end in (unit, distinctive_tail(unit)) if end})
        for unit in known:
            self._units.setdefault(unit[0], []).append(unit)

    def find(self, line: str) -> Span | None:
        """Return the span of the first one. Only the first AGES_MAX numbers below eighteen are tested."""
        for found in islice(_AGE(line), AGES_MAX) if self._templates else ():
            span = self._around(line, found.start(), found.end())
            if span is not None:
                return span
        return None

    def _around(self, line: str, begin: int, end: int) -> Span | None:
        """Return the span of a template around a number, if one is there."""
        at = begin
        while at > 0 and line[at - 1].isspace():
            at -= 1
        span = self._matched(line, begin, end, self._templates.get(line[at - 1])) if at else None
        return self._matched(line, begin, end, self._templates.get("")) if span is None else span

    def _matched(self, line: str, begin: int, end: int, templates: list[tuple[str, str]] | None) -> Span | None:
        if templates is None:
            return None
        for before, behind in templates:
            first = begin - len(before)
            if first >= 0 and line.startswith(before, first) and line.startswith(behind, end):
                joined = first > 0 and (line[first - 1].isalnum() or line[first - 1] in "_.")
                if not joined and not self._measures(line, end + len(behind)):
                    return first, end + len(behind)
        return None

    def _measures(self, line: str, at: int) -> bool:
        """Whether the text at a place behind a number makes it a measure, or a part of a longer number, and no age."""
        if _MEASURE(line, at):
            return True
        size = len(line)
        while at < size and line[at].isspace():
            at += 1
        for unit in self._units.get(line[at], ()) if at < size else ():
            if line.startswith(unit, at):
                end = at + len(unit)
                if end == size or not (line[end].isalnum() or line[end] == "_"):
                    return True
        return False


def stated_age(text: str) -> int:
    """Return the age in a sentence that `AgeClaims` found, 0 if it has several different numbers."""
    found = set(_AGES.findall(text))
    return int(found.pop()) if len(found) == 1 else 0


def distinctive_tail(unit: str) -> str:
    """Return the words of a unit behind its first one, if they are long enough to identify it; else an empty string."""
    tail = unit.partition(" ")[2]
    return tail if len(tail) >= TAIL_MIN else ""

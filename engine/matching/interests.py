"""What makes two spellings the same interest: NFKC, case, white space, invisible and look-alike characters (UTS 39).

Rule: the result is only a key; every person sees the own spelling again.
"""

import unicodedata
from collections.abc import Callable
from typing import Final

from engine.matching.confusables import SKELETON
from engine.protocol import INTEREST_MAX, INTEREST_RAW_MAX

_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


class InterestError(ValueError):
    """An interest cannot be taken; nothing was changed."""


class BadInterest(InterestError):
    """Empty after normalisation, or too long."""


class InternFull(InterestError):
    """The table is full, and this word is not in it: the newcomer's own rare interest is refused, nobody else's."""


def normal(word: str) -> str:
    """The key of a spelling.

    Trimmed and inner white space made one space, NFKC, case folded, invisible characters (controls, formats, marks
    that join or select) removed, look-alikes folded by the skeleton of UTS 39. Raises BadInterest.
    """
    if len(word) > INTEREST_RAW_MAX:
        raise BadInterest("an interest is longer than 64 characters")
    if word.isascii():
        text = word.casefold()
        if not text.isprintable():
            text = "".join(c if c.isprintable() else " " if c.isspace() else "" for c in text)
    else:
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", word).casefold())
        text = "".join(" " if c.isspace() else c for c in text if c.isspace() or visible(c))
    text = " ".join(text.split())
    if len(text) > INTEREST_MAX:
        raise BadInterest("an interest is longer than 64 characters")
    if not text:
        raise BadInterest("an interest is empty")
    return skeleton(text)


def visible(char: str) -> bool:
    """Whether a character shows: no control, format, surrogate, private or unassigned one, no variation selector."""
    if (
        "\ufe00" <= char <= "\ufe0f"
        or "\U000e0100" <= char <= "\U000e01ef"
        or char in "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0"
    ):
        return False
    return unicodedata.category(char) not in _INVISIBLE


def skeleton(text: str) -> str:
    """Look-alikes folded to one of them, over NFD as UTS 39 section 4 wants it; ASCII letters and digits stay apart.

    UTS 39 folds `1`, `l` and `I` into one; for interests that would merge words that people tell apart (`f1`, `fl`), so
    the table only folds what is outside ASCII into its look-alike.
    """
    if text.isascii():
        return text
    folded = unicodedata.normalize("NFD", text).translate(SKELETON)
    return unicodedata.normalize("NFC", folded.casefold())


class Spellings:
    """A bounded memory of what spellings normalise to, so that the usual word costs one look-up.

    A word that somebody uses in its normal spelling is found by the interner without it.
    """

    __slots__ = ("_most", "_normal", "known")

    def __init__(self, most: int = 4_096, normal: Callable[[str], str] = normal) -> None:
        self.known: dict[str, str] = {}
        self._most = most
        self._normal = normal

    def __call__(self, word: str) -> str:
        """`normal(word)`; raises BadInterest."""
        key = self.known.get(word)
        if key is None:
            key = self._normal(word)
            if key == word:
                key = word  # one string, not two
            if len(self.known) >= self._most:
                self.known.clear()
            self.known[word] = key
        return key

"""What makes two spellings the same interest: NFKC, case, white space, invisible and look-alike characters (UTS 39).

Rule: the result is only a key; every person sees the own spelling again.
"""

import re
import unicodedata
from collections.abc import Callable
from typing import Final

from engine.matching.confusables import SKELETON
from engine.wire.protocol import INTEREST_MAX, INTEREST_RAW_MAX

SHOWN_MAX: Final = (
    2 * INTEREST_MAX
)  # code points that show: NFKC and white space shrink honest text to half at the most
# What shows nothing though Unicode counts it as a letter or a mark: joiners, fillers, variation selectors.
_FILLERS: Final = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\ufe00-\ufe0f\U000e0100-\U000e01ef]")


TOO_LONG: Final = f"an interest is longer than {INTEREST_MAX} characters"


class InterestError(ValueError):
    """An interest cannot be taken; nothing was changed."""


class BadInterest(InterestError):
    """Empty after normalisation, or too long."""


class InternFull(InterestError):
    """The table is full, and this word is not in it: the newcomer's own rare interest is refused, nobody else's."""


def normal(word: str) -> str:
    """The key of a spelling.

    Invisible characters (controls, formats, marks that join or select) removed, NFKC, case folded, trimmed and inner white
    space made one space, look-alikes folded by the skeleton of UTS 39. Raises BadInterest.

    What it costs is bounded by what shows: invisible characters go first, by a test a character, and what is left is at most
    twice as long as an interest may be before Unicode's tables are asked.
    """
    if len(word) > INTEREST_RAW_MAX:
        raise BadInterest(TOO_LONG)
    text = word.lower() if word.isascii() and word.isprintable() else fold(word)
    if "  " in text or text.startswith(" ") or text.endswith(" "):
        text = " ".join(text.split())
    if len(text) > INTEREST_MAX:
        raise BadInterest(TOO_LONG)
    if not text:
        raise BadInterest("an interest is empty")
    return skeleton(text)


def fold(word: str) -> str:
    """A word without what does not show, in NFKC and one case. Raises BadInterest."""
    text = shown(word)
    if len(text) > SHOWN_MAX:
        raise BadInterest(TOO_LONG)
    text = unicodedata.normalize("NFKC", text).casefold()
    if len(text) > SHOWN_MAX:
        raise BadInterest(TOO_LONG)
    return shown(unicodedata.normalize("NFKC", text))


def shown(text: str) -> str:
    """A text without what does not show: controls, formats, surrogates, private and unassigned characters, fillers.

    White space of any kind stays, as a space. Python calls printable what is neither of these nor a separator.
    """
    if not text.isprintable():
        text = "".join([" " if char.isspace() else char for char in text if char.isprintable() or char.isspace()])
    return text if text.isascii() else _FILLERS.sub("", text)


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

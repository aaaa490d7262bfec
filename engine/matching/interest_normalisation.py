"""Normalise interests, so that different spellings of one interest get the same key: NFKC, case, white space, invisible and look-alike characters.

**Invariant:** the result is used only as a key (UTS 39); users see their own spelling.
"""

import unicodedata
from collections.abc import Callable
from typing import Final

from engine.matching.confusable_characters import SKELETON
from engine.wire.protocol import INTEREST_MAX, INTEREST_RAW_MAX

SHOWN_MAX: Final = 2 * INTEREST_MAX  # visible code points: NFKC and white space shrink honest text to half at most
TOO_LONG: Final = f"an interest is longer than {INTEREST_MAX} characters"


class InterestError(ValueError):
    """An interest is refused; nothing was changed."""


class BadInterest(InterestError):
    """An interest is empty after normalisation, or too long."""


class InternFull(InterestError):
    """The table is full and does not hold this word: the newcomer's rare interest is refused, no other one."""


def normal(word: str) -> str:
    """Return the key of a spelling. Raises BadInterest.

    Invisible characters (controls, formats, joining and selecting marks) are removed, then NFKC, case folding, trimming, inner white space to
    one space, look-alikes folded by the skeleton of UTS 39.

    The cost is bounded by the visible characters: invisible ones are removed first, by one test per character, and the rest is at most twice as
    long as an interest may be before Unicode's tables are consulted.
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
    """Return a word without invisible characters, in NFKC and one case. Raises BadInterest."""
    text = shown(word)
    if len(text) > SHOWN_MAX:
        raise BadInterest(TOO_LONG)
    text = unicodedata.normalize("NFKC", text).casefold()
    if len(text) > SHOWN_MAX:
        raise BadInterest(TOO_LONG)
    return shown(unicodedata.normalize("NFKC", text))


def shown(text: str) -> str:
    """Return a text without invisible characters: controls, formats, surrogates, private and unassigned characters, fillers.

    White space of any kind becomes a space. Python calls a character printable if it is none of these and no separator.
    """
    if text.isascii() and text.isprintable():
        return text
    runs: list[str] = []
    begin = 0
    for at, char in enumerate(text):
        if not " " <= char <= "~" and (not char.isprintable() or is_filler(char)):
            if begin < at:
                runs.append(text[begin:at])
            if char.isspace():
                runs.append(" ")
            begin = at + 1
    if begin == 0:
        return text
    runs.append(text[begin:])
    return "".join(runs)


def is_filler(char: str) -> bool:
    """Whether a character is an invisible one that Unicode counts as a letter or mark: a joiner, filler or variation selector."""
    if char < "\u034f":
        return False
    return (
        char in "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0"
        or "\ufe00" <= char <= "\ufe0f"
        or "\U000e0100" <= char <= "\U000e01ef"
    )


def skeleton(text: str) -> str:
    """Return a text with look-alikes folded, over NFD as in UTS 39 section 4; ASCII letters and digits stay distinct.

    UTS 39 folds `1`, `l` and `I` into one; for interests that would merge words that users distinguish (`f1`, `fl`), so the table only folds
    characters outside ASCII into their look-alike.
    """
    if text.isascii():
        return text
    folded = replace_characters(unicodedata.normalize("NFD", text), SKELETON)
    return unicodedata.normalize("NFC", folded.casefold())


def replace_characters(text: str, table: dict[int, str]) -> str:
    """Return the text with each character but letters of ASCII replaced that the table has, by its code.

    `str.translate` raises and catches a KeyError for each character that is not in its table, at five times the cost.
    """
    runs = []
    begin = 0
    for at, char in enumerate(text):
        if char > "\x7f" or char < "A":
            plain = table.get(ord(char))
            if plain is not None:
                runs.append(text[begin:at])
                runs.append(plain)
                begin = at + 1
    if not runs:
        return text
    runs.append(text[begin:])
    return "".join(runs)


class SpellingCache:
    """Bounded cache of normalised spellings in two generations, so that a common word costs one look-up. At most 2 * `most` are kept.

    Plain words never come here: the interner normalises them itself.
    """

    __slots__ = ("_most", "_normal", "_older", "known")

    def __init__(self, most: int = 4_096, normal: Callable[[str], str] = normal) -> None:
        self.known: dict[str, str] = {}  # the younger generation; always this dictionary
        self._older: dict[str, str] = {}
        self._most = most
        self._normal = normal

    def __call__(self, word: str) -> str:
        """Return `normal(word)`. Raises BadInterest."""
        key = self.known.get(word)
        if key is None:
            key = self._older.get(word)
            if key is None:
                key = self._normal(word)
                if key == word:
                    key = word  # keep one string, not two
            if len(self.known) >= self._most:
                self._older = self.known.copy()
                self.known.clear()
            self.known[word] = key
        return key

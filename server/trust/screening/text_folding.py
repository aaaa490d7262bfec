"""Folds a line to what it says, whatever it is written with. Invariant: words of rules and words of lines go through the same fold, and nothing else
compares them; a piece of a line has at most FOLDED_MAX characters, whatever Unicode makes of it.

NFKC, case, invisible characters out; then words, in the forms in which they can be meant: as they stand, with look-alikes of other scripts as
ASCII (the table of interests), with digits and signs as the letters that they stand for. Letters that stand alone in a row are one word.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final, NamedTuple

from engine.matching.interest_normalisation import shown, skeleton

PIECE: Final = 180  # code points of a line that are looked at together
WORDS_MAX: Final = 44  # words of a piece that are read: sentences have fewer
BEFORE: Final = 64  # code points of a piece before what is judged in it: room for the longest phrase
BEHIND: Final = 32  # and behind it: room for what says that a phrase is not meant
EXPANDING_MAX: Final = (
    8  # characters of a piece that become three or more in NFKC and one case; where there are more they are spaces
)
SPELLED: Final = 3  # letters alone in a row that are a word
LONGEST: Final = 40  # characters of a word that anything looks for
FOLDED_MAX: Final = 2 * PIECE + 18 * EXPANDING_MAX  # U+FDFA becomes 18 characters

_ROW: Final = re.compile(b"\1{%d,}" % SPELLED).finditer  # in bytes that say of each word whether it is one letter
_WORD: Final = re.compile(r"[@$]?[^\W_]+(?:[@$!'’][^\W_]+)*")
_SIGN: Final = re.compile("[0-9@$]").search
_WITHIN: Final = re.compile(r"\w!\w").search
_SIGNED: Final = re.compile("[013457@$!]").search
_LETTERS: Final = str.maketrans("03457@$!", "oeastasi")  # `1` is an i or an l
_AMBIGUOUS: Final = 2  # signs that may be two letters, beyond which all are meant as the same one
# Apostrophes as they are typed, and digits of scripts in which ages are written.
_PLAIN: Final = {ord("’"): "'"} | {zero + digit: str(digit) for zero in (0x660, 0x6F0, 0x966) for digit in range(10)}
_PLAINER: Final = re.compile(f"[{''.join(map(chr, _PLAIN))}]").search


def expands(char: str) -> bool:
    """Whether a character costs much: three or more of it in NFKC and one case, or four or more on the way there."""
    return len(unicodedata.normalize("NFKC", char).casefold()) > 2 or len(unicodedata.normalize("NFKD", char)) > 3


# Blocks that hold all characters that expand (a test asks every character).
_BLOCKS: Final = (
    (0x00A0, 0x0600),
    (0x0F00, 0x1000),
    (0x1E00, 0x2C00),
    (0x3200, 0x3400),
    (0xFB00, 0xFE20),
    (0x1D100, 0x1D200),
    (0x1F100, 0x1F300),
)
EXPANDING: Final = frozenset(char for begin, end in _BLOCKS for char in map(chr, range(begin, end)) if expands(char))
_EXPANDING: Final = re.compile(f"[{''.join(sorted(EXPANDING))}]")


class Piece(NamedTuple):
    """A part of a line, folded. Judged in it is what ends behind `since`, and before `until`; the rest of it says what that means."""

    text: str
    since: int
    until: int


def pieces(text: str) -> Iterator[Piece]:
    """A line, a piece after the other: the usual line is one.

    They are made of what shows alone, so that a line of invisible characters costs little.
    """
    line = text if text.isascii() else shown(text)
    begin = judged = 0  # of the piece, and up to where its line was judged before
    while begin + PIECE < len(line):
        end = begin + PIECE
        end = 1 + line.rfind(" ", end - BEHIND, end) or end
        behind = 1 + line.find(" ", end - BEHIND, end) or end - BEHIND
        part = _folded(line[begin:end])
        since, rest = len(_folded(line[begin:judged])), len(_folded(line[behind:end]))
        yield Piece(part, since, len(part) - rest)
        judged = behind
        begin = 1 + line.find(" ", judged - BEFORE, judged) or judged - BEFORE
    part = _folded(line[begin:])
    yield Piece(part, len(_folded(line[begin:judged])), len(part))


def folded(text: str) -> str:
    """A line as patterns read it: with one space for white space."""
    return _folded(text if text.isascii() else shown(text))


def _folded(line: str) -> str:
    if line.isascii():
        return _spaced(line.lower())
    if len(_EXPANDING.findall(line)) > EXPANDING_MAX:
        line = _EXPANDING.sub(" ", line)
    line = _spaced(unicodedata.normalize("NFKC", line).casefold())
    return line.translate(_PLAIN) if _PLAINER(line) else line


def _spaced(line: str) -> str:
    """A text with one space where it has white space."""
    return line if line.isprintable() and "  " not in line else " ".join(line.split())


def words(line: str) -> list[str]:
    """The words of a folded piece, in order: WORDS_MAX at most."""
    found: list[str] = _WORD.findall(line)[:WORDS_MAX]
    return [word.replace("'", "") for word in found] if "'" in line else found


def odd(line: str) -> bool:
    """Whether a word of the line may be meant as more than it is."""
    return not line.isascii() or _SIGN(line) is not None or ("!" in line and _WITHIN(line) is not None)


def spans(line: str) -> list[tuple[int, int]]:
    """Where each of `words` stands."""
    return [match.span() for match in islice(_WORD.finditer(line), WORDS_MAX)]


def plain(word: str) -> str:
    """A word without the signs before a handle or a sum."""
    return word.lstrip("@$") or word


def meanings(said: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """What words may be meant as, by word, itself first: of those that may be meant as more than they are.

    Look-alikes of all words are folded at once, for what that costs a call.
    """
    strange = [
        word
        for word in dict.fromkeys(said)
        if len(word) <= LONGEST and not (word.isascii() and word.isalpha()) and not word.isdigit()
    ]
    meant: dict[str, tuple[str, ...]] = {}
    for word, alike in zip(strange, skeleton("\n".join(strange)).split("\n"), strict=True) if strange else ():
        found = [plain(word), alike]
        if _SIGNED(alike):
            found += _spelled(alike)
        if found != [word, word]:
            meant[word] = tuple(dict.fromkeys(found))
    return meant


def _spelled(word: str) -> list[str]:
    """With letters for digits and signs."""
    found = [word.translate(_LETTERS)]
    ones = found[0].count("1")
    if ones > _AMBIGUOUS:
        return [found[0].replace("1", letter) for letter in "il"]
    for _ in range(ones):
        found = [form.replace("1", letter, 1) for form in found for letter in "il"]
    return found


def joined(found: list[str]) -> tuple[list[str], list[int]]:
    """The words with each row of letters that stand alone as one, and where each of them begins among `found`; nothing where there is no such row."""
    alone = bytes([len(word) == 1 for word in found])
    whole: list[str] = []
    begins: list[int] = []
    place = 0
    for row in _ROW(alone):
        begin, end = row.span()
        whole += found[place:begin]
        whole.append("".join(found[begin:end]))
        begins += range(place, begin + 1)
        place = end
    if not whole:
        return [], []
    return whole + found[place:], [*begins, *range(place, len(found) + 1)]

"""Fold (normalise) the text of a chat line before rules are applied, and split it into words, each with the ways in which it can be read.

**Invariant:** the words of rules and of lines are folded by these functions and no others. A folded piece of a line has at most FOLDED_MAX
characters, even if folding makes it longer.
"""

import re
import unicodedata
from array import array
from collections.abc import Iterable, Iterator, Set
from itertools import pairwise
from typing import Final

from engine.matching.interest_normalisation import replace_characters, shown, skeleton
from ext.text.line_sieve import FOLDS, SKIPPED

CHUNK: Final = 512  # characters whose invisible ones are removed together
PIECE: Final = 180  # code points of a line that are looked at together
WORDS_MAX: Final = PIECE // 2 + 1  # words of a piece that are read: all of one that folding does not make longer
BEFORE: Final = 64  # code points of a piece before the part that is judged in it: room for the longest phrase
BEHIND: Final = 32  # and behind that part: room for a phrase that makes a match harmless
EXPANDING_MAX: Final = (
    4  # characters of a piece that may expand (`expands`); if there are more, all of them are read as spaces
)
STRETCH: Final = 3  # of a letter in a row: more than any language has
LONGEST: Final = 40  # characters of the longest word that rules can match
FOLDED_MAX: Final = 2 * PIECE + 18 * EXPANDING_MAX  # U+FDFA becomes 18 characters

_LETTERS: Final = {
    ord(sign): letter for sign, letter in zip("03457@$!", "oeastasi", strict=True)
}  # `1` is an i or an l
_BARE: Final = str.maketrans("øæłıđآأإٱىةё", "oalidااااىهе") | {0x654: None, 0x655: None, 0x653: None, 0x649: "ي"}
_TWO_LETTERS: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "æ": "ae"})
_AMBIGUOUS: Final = 2  # ones of a word that are read as i or l each by itself; of more, all are read alike
# Apostrophes as they are typed, and digits of scripts in which ages are written.
_PLAIN: Final = {ord("’"): "'"} | {zero + digit: str(digit) for zero in (0x660, 0x6F0, 0x966) for digit in range(10)}


def expands(char: str) -> bool:
    """Whether a character is costly to normalise: three or more characters in NFKC and one case, or four or more in NFKD."""
    return len(unicodedata.normalize("NFKC", char).casefold()) > 2 or len(unicodedata.normalize("NFKD", char)) > 3


# Blocks of characters whose folding does not depend on their neighbours: of letters and signs none of which joins the one before it.
_ALONE: Final = (
    (0x00A1, 0x0250),
    (0x0370, 0x0530),
    (0x05D0, 0x05EB),
    (0x0621, 0x064B),
    (0x0660, 0x066A),
    (0x06F0, 0x06FA),
    (0x200B, 0x2050),
    (0x20A0, 0x20C1),
    (0x3001, 0x3040),
    (0x3041, 0x3097),
    (0x30A1, 0x3100),
    (0xFE00, 0xFE10),
    (0xFF01, 0xFF5F),
)
# Blocks of characters that folding leaves as they are.
_FOLDED: Final = ((0x4E00, 0xA000), (0xAC00, 0xD7A4), (0x1F300, 0x1FB00))
_PLANE: Final = 0x1_0000
_PICTURES: Final = 0x1F300  # in the table of folds they are behind the basic plane
# Blocks that hold all characters that expand (a test tries every character).
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


def _character_class(chars: frozenset[str]) -> str:
    """Return a character class in ranges: `re` tries each item beyond U+FFFF in turn."""
    codes = sorted(map(ord, chars))
    breaks = [codes[0], *(code for pair in pairwise(codes) if pair[1] - pair[0] > 1 for code in pair), codes[-1]]
    return f"[{''.join(f'{chr(first)}-{chr(last)}' for first, last in zip(breaks[::2], breaks[1::2], strict=True))}]"


_EXPANDING: Final = re.compile(_character_class(EXPANDING)).subn


class Piece:
    """A folded part of a line. Of it the middle is judged; `before` and `behind`, not folded here, are context that other pieces judge."""

    def __init__(self, part: str, before: str, behind: str, last: bool) -> None:
        self.text = _folded(part)
        self.last = last  # of its line
        self._before = before
        self._behind = behind
        self._since = -1  # folding the context is costly, and the usual piece has no match
        self._until = -1

    def judges(self, end: int) -> bool:
        """Whether a word or match that ends there is judged in this piece."""
        if self._since < 0:
            self._since = len(_folded(self._before))
            self._until = len(self.text) - len(_folded(self._behind))
        return self._since < end <= self._until


def split_line(text: str) -> Iterator[Piece]:
    """Yield a line in pieces of PIECE code points; the usual line is one.

    Invisible characters are removed first, so that a line of them costs little.
    """
    line = text if text.isascii() else ""
    read = len(
        line
    )  # characters of the text that are in the line, or invisible: the rest of a line that costs much is not looked at
    begin = judged = 0  # of the piece, and the end of the part that earlier pieces judged
    while True:
        while read < len(text) and len(line) <= begin + PIECE:
            line += shown(text[read : read + CHUNK])
            read += CHUNK
        if len(line) <= begin + PIECE:
            break
        end = begin + PIECE
        end = 1 + line.rfind(" ", end - BEHIND, end) or end
        behind = 1 + line.find(" ", end - BEHIND, end) or end - BEHIND
        yield Piece(line[begin:end], line[begin:judged], line[behind:end], last=False)
        judged = behind
        begin = 1 + line.find(" ", judged - BEFORE, judged) or judged - BEFORE
    yield Piece(line[begin:], line[begin:judged], "", last=True)


def fold_line(text: str) -> str:
    """Return a whole line folded: the form that patterns are matched against.

    Folding: NFKC, one case, one space for white space, invisible characters removed.
    """
    return _folded(text if text.isascii() else shown(text))


def fold_table(left_out: Set[str]) -> bytes:
    """Return for `LineSieve` what each character becomes by folding, as 16-bit numbers: 0 if that depends on its neighbours, or it is left out."""
    table = array("H", bytes(2 * FOLDS))
    for begin, end in _ALONE:
        for code in range(begin, end):
            char = chr(code)
            folded = " " if unicodedata.combining(char) or char in EXPANDING else fold_line(char)
            if folded == "":
                table[code] = SKIPPED
            elif len(folded) == 1 and folded != " ":
                table[code] = ord(folded)
    for begin, end in _FOLDED:
        block = "".join([char for char in map(chr, range(begin, end)) if char.isprintable()])
        if fold_line(block) == block:
            for char in block:
                place = ord(char) if ord(char) < _PLANE else _PLANE + ord(char) - _PICTURES
                table[place] = ord(char) & 0xFFFF
    for char in left_out:
        place = ord(char) if ord(char) < _PLANE else _PLANE + ord(char) - _PICTURES
        if place < FOLDS:
            table[place] = 0
    return table.tobytes()


def _folded(line: str) -> str:
    if line.isascii():
        return _spaced(line.lower())
    spaced, expanding = _EXPANDING(" ", line)
    line = unicodedata.normalize("NFKC", spaced if expanding > EXPANDING_MAX else line)
    line = _spaced(line.casefold())
    for char in line:
        if "\u0660" <= char < "\u0970" or char == "’":
            return replace_characters(line, _PLAIN)
    return line


def _spaced(line: str) -> str:
    """Return a text with one space in place of each run of white space."""
    return line if line.isprintable() and "  " not in line else " ".join(line.split())


def find_words(line: str) -> list[str]:
    """Return the words of a folded piece, in order, without apostrophes: WORDS_MAX at most."""
    return words_at(line, word_spans(line))


def words_at(line: str, spans: list[tuple[int, int]]) -> list[str]:
    """Return the words at `spans` of a folded piece, without apostrophes."""
    words = [line[begin:end] for begin, end in spans]
    return [word.replace("'", "") if "'" in word else word for word in words] if "'" in line else words


def word_spans(line: str) -> list[tuple[int, int]]:
    """Return begin and end of each word of a folded piece, in order: WORDS_MAX at most, beside those of scripts without spaces.

    A word is a row of letters and digits, with an `@` or `$` before it, and with single signs (@ $ ! ' ’) within it. In scripts without spaces
    each character is one, and a number ends before letters outside ASCII ("14лет").
    """
    found: list[tuple[int, int]] = []
    size = len(line)
    at = narrow = 0
    while at < size and narrow < WORDS_MAX:
        begin = at
        if line[at] in "@$":
            at += 1
        if at == size or not line[at].isalnum():
            at = begin + 1
            continue
        if is_unspaced(line[at]):
            at += 1
            found.append((begin, at))
            continue
        number = line[at] <= "9"
        while at < size and (line[at].isalnum() or (line[at] in "@$!'’" and at + 1 < size and line[at + 1].isalnum())):
            if line[at] > "\x7f" and (number or is_unspaced(line[at])):
                break
            number = number and line[at] <= "9"
            at += 1
        found.append((begin, at))
        narrow += 1
    return found


def is_unspaced(char: str) -> bool:
    """Whether a character is of a script that is written without spaces: Han, kana, Thai."""
    return "\u2e80" <= char < "\ua000" or "\u0e00" <= char < "\u0e80"


def plain_spellings(word: str) -> list[str]:
    """Return a word as it is written in haste: without accents, umlauts as two letters, Arabic letters without hamza. Used for the words of rules."""
    found = []
    bare = unicodedata.normalize("NFD", word).translate(_BARE)
    bare = "".join([char for char in bare if not unicodedata.combining(char) or char >= "\u0400"])
    for form in (unicodedata.normalize("NFC", bare), word.translate(_TWO_LETTERS)):
        if form != word and form not in found:
            found.append(form)
    return found


def letters_of(text: str) -> str:
    """Return the letters of a text, without digits, signs and spaces."""
    runs: list[str] = []
    begin = 0
    for at, char in enumerate(text):
        if char.isdecimal() or not char.isalnum():
            if begin < at:
                runs.append(text[begin:at])
            begin = at + 1
    runs.append(text[begin:])
    return "".join(runs)


def has_stretch(text: str) -> bool:
    """Whether a character comes STRETCH times in a row ("pleeease")."""
    row = 1
    for at in range(1, len(text)):
        row = row + 1 if text[at] == text[at - 1] else 1
        if row == STRETCH:
            return True
    return False


def shorten_stretches(word: str, most: int) -> str:
    """Return a word with rows of STRETCH and more of a character as `most` of it."""
    runs: list[str] = []
    begin = 0
    for at in range(1, len(word) + 1):
        if at == len(word) or word[at] != word[begin]:
            runs.append(word[begin] * most if at - begin >= STRETCH else word[begin:at])
            begin = at
    return "".join(runs)


def without_sign(word: str) -> str:
    """Return a word without the signs before a handle or a sum."""
    return word.lstrip("@$") or word


def readings_of(words: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return the readings of each word that has more than its spelling, the word without sign first.

    Look-alikes of all words are replaced in one call, as each call is costly.

    A word is read as it is written, with look-alikes of other scripts as ASCII (the table of interests), with digits and signs as the letters
    that they imitate, and with letters in a row as one and as two ("stoppp").
    """
    strange = [word for word in dict.fromkeys(words) if _is_strange(word)]
    readings: dict[str, tuple[str, ...]] = {}
    for word, alike in zip(strange, skeleton("\n".join(strange)).split("\n"), strict=True) if strange else ():
        bare = without_sign(word)
        imitates = _imitates(alike)
        stretched = has_stretch(alike)
        if not imitates and not stretched and bare == word and alike == word:
            continue
        found = [bare] if bare == alike else [bare, alike]
        if stretched:
            found += [shorten_stretches(alike, 1), shorten_stretches(alike, 2)]
        for form in _spelled(alike) if imitates else ():
            if form not in found:
                found.append(form)
        readings[word] = tuple(found)
    return readings


def _is_strange(word: str) -> bool:
    """Whether a word may have more readings than its spelling."""
    if len(word) > LONGEST or word.isdigit() or (len(word) == 1 and is_unspaced(word)):
        return False
    return not (word.isascii() and word.isalpha()) or has_stretch(word)


def _imitates(word: str) -> bool:
    """Whether a word has a digit or a sign that imitates a letter."""
    for at in range(len(word)):  # noqa: SIM110 - a declared function has no generator expression
        if word[at] in "013457@$!":
            return True
    return False


def _spelled(word: str) -> list[str]:
    """Return a word with letters in place of digits and signs, in each reading of its ones."""
    found = [replace_characters(word, _LETTERS)]
    ones = found[0].count("1")
    if ones > _AMBIGUOUS:
        return [found[0].replace("1", letter) for letter in "il"]
    for _ in range(ones):
        found = [form.replace("1", letter, 1) for form in found for letter in "il"]
    return found

"""What a line says, whatever it is written with. Rule: words of rules and words of lines go through the same fold, and nothing else compares them.

NFKC, case, invisible characters out; then words, in the forms in which they can be meant: as they stand, with look-alikes of other scripts as
ASCII (the table of interests), with digits and signs as the letters that they stand for. Letters that stand alone in a row are one word.
"""

import re
import unicodedata
from itertools import product
from typing import Final

from engine.matching.interests import shown, skeleton

_WORD: Final = re.compile(r"[@$]?[^\W_]+(?:[@$!'’][^\W_]+)*")
_LEET: Final = {"0": "o", "1": "il", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i"}
_SIGNS: Final = frozenset(_LEET)
_SIGN: Final = re.compile("[0-9@$]").search
_WITHIN: Final = re.compile(r"\w!\w").search
_AMBIGUOUS: Final = 4  # signs that may be two letters, beyond which the first is meant
# Apostrophes as they are typed, and digits of scripts in which ages are written.
_PLAIN: Final = {ord("’"): "'"} | {zero + digit: str(digit) for zero in (0x660, 0x6F0, 0x966) for digit in range(10)}
SPELLED: Final = 3  # letters alone in a row that are a word
LONGEST: Final = 40  # characters of a word that anything looks for


def folded(text: str) -> str:
    """The line as patterns read it. Of what shows alone, so that a line of invisible characters costs little."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", shown(text)).casefold().translate(_PLAIN)


def words(line: str) -> list[str]:
    """The words of a folded line, in order."""
    found: list[str] = _WORD.findall(line)
    return [word.replace("'", "") for word in found] if "'" in line else found


def odd(line: str) -> bool:
    """Whether a word of the line may be meant as more than it is."""
    return not line.isascii() or _SIGN(line) is not None or ("!" in line and _WITHIN(line) is not None)


def spans(line: str) -> list[tuple[int, int]]:
    """Where each of `words` stands."""
    return [match.span() for match in _WORD.finditer(line)]


def forms(word: str) -> tuple[str, ...]:
    """What a word can be meant as, itself first."""
    if word.isalpha() and word.isascii():
        return (word,)
    found = [word.lstrip("@$") or word]
    if not word.isascii():
        found.append(skeleton(word))
    if len(word) <= LONGEST and not _SIGNS.isdisjoint(word) and not word.isdigit():
        found.extend(_spelled(word))
    return tuple(dict.fromkeys(found))


def _spelled(word: str) -> list[str]:
    """With letters for digits and signs."""
    letters = [_LEET.get(char, char) for char in word]
    if sum(len(choice) > 1 for choice in letters) > _AMBIGUOUS:
        letters = [choice[0] for choice in letters]
    return ["".join(choice) for choice in product(*letters)]


def joined(found: list[str]) -> tuple[list[str], list[int]]:
    """The words with each row of letters that stand alone as one, and where each of them begins among `found`; nothing where there is no such row."""
    if list(map(len, found)).count(1) < SPELLED:
        return [], []
    whole: list[str] = []
    begins: list[int] = []
    place = 0
    while place < len(found):
        end = place
        while end < len(found) and len(found[end]) == 1:
            end += 1
        end = end if end - place >= SPELLED else place + 1
        whole.append("".join(found[place:end]))
        begins.append(place)
        place = end
    return (whole, [*begins, len(found)]) if len(whole) < len(found) else ([], [])

"""Rules: words of each language by what they are found for, and what is found in a line. Rule: all languages at once, each rule once a line.

A file says of a rule its `words` (phrases of whole words), what they are not in (`allow`), and pairs: each of `before` with each of `names`.
The words stand in one tree, a level a word, so that a line costs a look-up a word, however many rules there are.
"""

import time
import tomllib
from bisect import bisect_right
from collections.abc import Iterable
from functools import cached_property
from itertools import accumulate, product
from pathlib import Path
from typing import Any, Final, NamedTuple

from engine.conduct.detection_actions import BEGUN, EFFECTS
from server.trust.screening import line_patterns
from server.trust.screening.text_folding import (
    PIECE,
    SPELLED,
    Piece,
    folded,
    joined,
    meanings,
    odd,
    pieces,
    plain,
    spans,
    words,
)

OWN: Final = Path(__file__).parent / "rules"
FILE_MAX: Final = 256 * 1024  # bytes of an operator's file
FILES_MAX: Final = 64
PHRASES_MAX: Final = 20_000  # of all operators' files together
WORDS_MAX: Final = 8  # of a phrase
LINE_MAX_NS: Final = 100_000  # of CPU for one line; the usual one takes a twelfth
STEM_MIN: Final = 3  # characters before a `*`
KEYS: Final = frozenset(("words", "allow", "before", "names", "ages", "units"))
WORDED: Final = tuple(rule for rule in EFFECTS if rule not in BEGUN)
SPAM: Final = frozenset(("link", "contact", "money"))
_DIGITS: Final = frozenset("0123456789")


class BadRules(ValueError):
    """A file of rules that cannot be; the text names it and says why."""


Hit = tuple[str, int, int]  # the rule, its first word, behind its last


class Found(NamedTuple):
    """A finding: the rule, and the words of the folded line; `age`: the one that was said, 0 where none is known."""

    rule: str
    said: str
    age: int = 0


class Node:
    """A word of the tree, by what stands before it."""

    __slots__ = ("next", "rules")

    def __init__(self) -> None:
        self.next: dict[str, Node] = {}
        self.rules: tuple[str, ...] = ()

    def add(self, phrase: tuple[str, ...], rule: str) -> None:
        """One more phrase."""
        node = self
        for word in phrase:
            node = node.next.setdefault(word, Node())
        if rule not in node.rules:
            node.rules += (rule,)


class Line:
    """A piece of a line: its words, what they may be meant as, and which of them stand in a phrase of `allowed`."""

    def __init__(self, piece: Piece, allowed: Node) -> None:
        self.text, self._since, self._until = piece
        self.said = words(self.text)
        self.odd = odd(self.text)
        self.meant = meanings(self.said) if self.odd else {}
        self._phrases = allowed

    def judges(self, span: line_patterns.Span) -> bool:
        """Whether what stands there is judged in this piece; else in the one before or behind it."""
        return self._since < span[1] <= self._until

    def span(self, begin: int, behind: int) -> line_patterns.Span:
        """Where words stand in the text."""
        return self.places[begin][0], self.places[behind - 1][1]

    @cached_property
    def places(self) -> list[tuple[int, int]]:
        """Where each word stands in the text."""
        return spans(self.text)

    @cached_property
    def _allowed(self) -> dict[str, tuple[list[int], list[int]]]:
        """By rule: the first words of phrases in which its words are not meant, in order, and how far the phrases reach that have begun by then."""
        found: dict[str, tuple[list[int], list[int]]] = {}
        for rule, begin, behind in _walked(self._phrases, self.said, self.meant):
            begins, reaches = found.setdefault(rule, ([], []))
            begins.append(begin)
            reaches.append(behind)
        return {rule: (begins, list(accumulate(reaches, max))) for rule, (begins, reaches) in found.items()}

    def exempts(self, rule: str, begin: int, behind: int) -> bool:
        """Whether words stand within a phrase in which the rule does not mean them."""
        begins, reaches = self._allowed.get(rule, ((), ()))
        last = bisect_right(begins, begin) - 1
        return last >= 0 and behind <= reaches[last]

    def covers(self, rule: str, span: line_patterns.Span) -> bool:
        """Whether what a pattern found stands in such a phrase, or ends in one."""
        begins, reaches = self._allowed.get(rule, ((), ()))
        ends = self.places
        return any(ends[at][0] < span[1] <= ends[reach - 1][1] for at, reach in zip(begins, reaches, strict=True))


class Rules:
    """What is looked for. `wanted`: of which rules; None: all."""

    def __init__(self, wanted: frozenset[str] | None = None) -> None:
        self._wanted = frozenset(WORDED) if wanted is None else wanted
        self._tree = Node()
        self._allowed = Node()
        self._stems: dict[str, list[tuple[str, str]]] = {}  # by their first characters
        self._names: dict[str, list[str]] = {}  # those of every language stand in the file that is read first
        self._templates: list[str] = []
        self._units: list[str] = []
        self._ages = line_patterns.Ages((), ())
        self.phrases = 0
        self.line_max_ns = LINE_MAX_NS
        self.unread = 0  # lines of which the rest was not read
        self._patterns = [
            (rule, search)
            for rule, search in (("link", line_patterns.link), ("contact", line_patterns.contact))
            if rule in self._wanted
        ]
        self._cards = "private" in self._wanted

    def add(self, body: dict[str, Any], name: str, ours: bool = False) -> None:
        """The rules of one file. Raises BadRules. `ours`: names, pairs and ages too."""
        for rule, table in body.items():
            if rule not in WORDED or not isinstance(table, dict):
                raise BadRules(f"{name}: {rule} is none of {', '.join(WORDED)}")
            if unknown := set(table) - (KEYS if ours else {"words", "allow"}):
                raise BadRules(f"{name}: [{rule}] knows words and allow, not {', '.join(sorted(unknown))}")
            lists = {key: _phrases(value, f"{name}: [{rule}] {key}") for key, value in table.items()}
            if rule in self._wanted:
                self._add(rule, lists, name)

    def _add(self, rule: str, lists: dict[str, list[str]], name: str) -> None:
        names = self._names.setdefault(rule, [])
        names += lists.get("names", ())
        pairs = product(
            [_words(phrase, name) for phrase in lists.get("before", ())], [_words(phrase, name) for phrase in names]
        )
        for before, behind in pairs:
            self._tree.add(before + behind, rule)
        for phrase in lists.get("words", ()):
            if phrase.endswith("*"):
                self._stem(phrase[:-1], rule, name)
            else:
                self._tree.add(_words(phrase, name), rule)
            self.phrases += 1
        for phrase in lists.get("allow", ()):
            self._allowed.add(_words(phrase, name), rule)
            self.phrases += 1
        self._templates += lists.get("ages", ())
        self._units += lists.get("units", ())

    def made(self) -> None:
        """All of ours are there: what stands in all of them together is made of them."""
        self._ages = line_patterns.Ages(self._templates, self._units)

    def _stem(self, stem: str, rule: str, name: str) -> None:
        word = _words(stem, name)
        if len(word) != 1 or len(word[0]) < STEM_MIN:
            raise BadRules(f"{name}: {stem}* is not {STEM_MIN} letters or more of one word, and a *")
        self._stems.setdefault(word[0][:STEM_MIN], []).append((word[0], rule))

    def find(self, text: str) -> list[Found]:
        """What a line is found for, each rule once. Of a line that has cost LINE_MAX_NS the rest is not read: `unread` counts it."""
        found: dict[str, Found] = {}
        begun = time.thread_time_ns() if len(text) > PIECE else 0
        for number, piece in enumerate(pieces(text)):
            if number and time.thread_time_ns() - begun > self.line_max_ns:
                self.unread += 1
                break
            self._look(Line(piece, self._allowed), found)
        return list(found.values())

    def _look(self, line: Line, found: dict[str, Found]) -> None:
        text, said = line.text, line.said
        for rule, begin, behind in self._hits(line):
            if rule not in found and line.judges(line.span(begin, behind)) and not line.exempts(rule, begin, behind):
                found[rule] = Found(rule, text[slice(*line.span(begin, behind))])
        for rule, search in self._patterns:
            if rule not in found and (span := search(text, said)) and line.judges(span) and not line.covers(rule, span):
                found[rule] = Found(rule, text[slice(*span)])
        if line.odd and not _DIGITS.isdisjoint(text):
            self._numbers(line, found)

    def _numbers(self, line: Line, found: dict[str, Found]) -> None:
        text = line.text
        if (
            "age.claim" not in found
            and (span := self._ages(text))
            and line.judges(span)
            and not line.covers("age.claim", span)
        ):
            claim = text[slice(*span)]
            found["age.claim"] = Found("age.claim", claim, line_patterns.age_in(claim))
        if self._cards and "private" not in found and (span := line_patterns.card(text)) and line.judges(span):
            found["private"] = Found("private", text[slice(*span)])

    def _hits(self, line: Line) -> list[Hit]:
        """Of words, stems, and letters that stand alone in a row."""
        said = line.said
        hits = _walked(self._tree, said, line.meant)
        stems = {word for word in said if word[:STEM_MIN] in self._stems} if self._stems else ()
        for place, word in enumerate(said) if stems else ():
            if word in stems:
                hits += [
                    (rule, place, place + 1) for stem, rule in self._stems[word[:STEM_MIN]] if word.startswith(stem)
                ]
        whole, starts = joined(said) if len(said) >= SPELLED else ([], [])
        if whole:
            meant = meanings(whole) if line.odd else {}
            hits += [(rule, starts[place], starts[end]) for rule, place, end in _walked(self._tree, whole, meant)]
        return hits


def _walked(tree: Node, said: list[str], meant: dict[str, tuple[str, ...]]) -> list[Hit]:
    """Of each phrase of the tree that is said: (rule, its first word, behind its last). `meant`: of `meanings`."""
    first = tree.next
    if not meant:
        return [hit for place, word in enumerate(said) if word in first for hit in _walk_plain(tree, said, place)]
    starts = {word for word in said if word in first}
    starts.update(word for word, forms in meant.items() if not first.keys().isdisjoint(forms))
    return [hit for place, word in enumerate(said) if word in starts for hit in _walk(tree, said, place, meant)]


def _walk(tree: Node, said: list[str], place: int, meant: dict[str, tuple[str, ...]]) -> list[Hit]:
    """Of the phrases that begin at a word."""
    found: list[Hit] = []
    ends = [tree]
    for at in range(place, min(place + WORDS_MAX, len(said))):
        word = said[at]
        forms = meant.get(word)
        if forms is None:
            ends = [node.next[word] for node in ends if word in node.next]
        else:
            ends = [node.next[form] for node in ends for form in forms if form in node.next]
        if not ends:
            break
        found += [(rule, place, at + 1) for node in ends for rule in node.rules]
    return found


def _walk_plain(tree: Node, said: list[str], place: int) -> list[Hit]:
    """The same where every word is meant as it stands."""
    found: list[Hit] = []
    node = tree
    for at in range(place, len(said)):
        following = node.next.get(said[at])
        if following is None:
            break
        node = following
        if node.rules:
            found += [(rule, place, at + 1) for rule in node.rules]
    return found


def _phrases(value: Any, where: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(phrase, str) and 0 < len(phrase) <= 80 for phrase in value):
        raise BadRules(f"{where}: a list of phrases of 80 characters at most")
    return value


def _words(phrase: str, name: str) -> tuple[str, ...]:
    said = tuple(plain(word) for word in words(folded(phrase)))
    if not 1 <= len(said) <= WORDS_MAX or "*" in phrase:
        raise BadRules(
            f"{name}: {phrase!r} has no word, or more than {WORDS_MAX}; a * stands at the end of one word only"
        )
    return said


def read(folder: Path | None, wanted: frozenset[str] | None = None) -> Rules:
    """Our own rules, and those of an operator's folder, where there is one. Raises BadRules, which names the file; OSError."""
    rules = Rules(wanted)
    for path in sorted(OWN.glob("*.toml")):
        rules.add(tomllib.loads(path.read_text("utf-8")), path.name, ours=True)
    rules.made()
    own = rules.phrases
    for path in listed(folder):
        if path.stat().st_size > FILE_MAX:
            raise BadRules(f"{path.name}: more than {FILE_MAX // 1024} KiB")
        try:
            body = tomllib.loads(path.read_text("utf-8"))
        except ValueError as error:
            raise BadRules(f"{path.name}: {error}") from None
        rules.add(body, path.name)
        if rules.phrases - own > PHRASES_MAX:
            raise BadRules(f"{path.name}: more than {PHRASES_MAX} phrases with the files before it")
    return rules


def listed(folder: Path | None) -> list[Path]:
    """The files of an operator, in order. Raises BadRules."""
    found: Iterable[Path] = sorted(folder.glob("*.toml")) if folder is not None and folder.is_dir() else ()
    files = list(found)
    if len(files) > FILES_MAX:
        raise BadRules(f"more than {FILES_MAX} files")
    return files


def stamp(folder: Path | None) -> tuple[tuple[str, int, int], ...]:
    """What changes where a file of the folder does. Raises BadRules, OSError."""
    return tuple((path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in listed(folder))

"""Rules: words of each language by what they are found for, and what is found in a line. Rule: all languages at once, each rule once a line.

A file says of a rule its `words` (phrases of whole words), what they are not in (`allow`), and pairs: each of `before` with each of `names`.
The words stand in one tree, a level a word, so that a line costs a look-up a word, however many rules there are.
"""

import tomllib
from collections.abc import Iterable
from itertools import product
from pathlib import Path
from typing import Any, Final, NamedTuple

from engine.conduct import BEGUN, EFFECTS
from server.safety.screening import patterns
from server.safety.screening.fold import SPELLED, folded, forms, joined, odd, spans, words

OWN: Final = Path(__file__).parent.parent / "rules"
FILE_MAX: Final = 256 * 1024  # bytes of an operator's file
FILES_MAX: Final = 64
PHRASES_MAX: Final = 20_000  # of all operators' files together
WORDS_MAX: Final = 8  # of a phrase
STEM_MIN: Final = 3  # characters before a `*`
KEYS: Final = frozenset(("words", "allow", "before", "names", "ages", "units"))
WORDED: Final = tuple(rule for rule in EFFECTS if rule not in BEGUN)
SPAM: Final = frozenset(("link", "contact", "money"))
_DIGITS: Final = frozenset("0123456789")


class BadRules(ValueError):
    """A file of rules that cannot be; the text names it and says why."""


class Found(NamedTuple):
    """A finding: the rule, and where it stands in the folded line; `age`: the one that was said, 0 where none is known."""

    rule: str
    begin: int
    end: int
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
        self._ages = patterns.Ages((), ())
        self.phrases = 0
        self._patterns = [
            (rule, search)
            for rule, search in (("link", patterns.link), ("contact", patterns.contact))
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
        self._ages = patterns.Ages(self._templates, self._units)

    def _stem(self, stem: str, rule: str, name: str) -> None:
        word = _words(stem, name)
        if len(word) != 1 or len(word[0]) < STEM_MIN:
            raise BadRules(f"{name}: {stem}* is not {STEM_MIN} letters or more of one word, and a *")
        self._stems.setdefault(word[0][:STEM_MIN], []).append((word[0], rule))

    def find(self, text: str) -> list[Found]:
        """What a line is found for, each rule once."""
        line = folded(text)
        found: dict[str, Found] = {}
        strange, said = odd(line), words(line)
        self._words(line, said, strange, found)
        for rule, search in self._patterns:
            if rule not in found and (span := search(line, said)) and not self._covered(rule, span, line):
                found[rule] = Found(rule, *span)
        if strange and not _DIGITS.isdisjoint(line):
            self._numbers(line, found)
        return list(found.values())

    def _numbers(self, line: str, found: dict[str, Found]) -> None:
        if "age.claim" not in found and (span := self._ages(line)) and not self._covered("age.claim", span, line):
            found["age.claim"] = Found("age.claim", *span, patterns.age_in(line[slice(*span)]))
        if self._cards and (span := patterns.card(line)):
            found["private"] = Found("private", *span)

    def _words(self, line: str, said: list[str], strange: bool, found: dict[str, Found]) -> None:
        walk = _walk if strange else _walk_plain
        first, stems = self._tree.next, self._stems
        hits: list[tuple[str, int, int]] = []
        begins = range(len(said)) if strange else [place for place, word in enumerate(said) if word in first]
        for place in begins:
            hits += [(rule, place, behind) for rule, behind in walk(self._tree, said, place)]
        for place, word in enumerate(said) if stems else ():
            if word[:STEM_MIN] in stems:
                hits += [(rule, place, place + 1) for stem, rule in stems[word[:STEM_MIN]] if word.startswith(stem)]
        whole, starts = joined(said) if len(said) >= SPELLED else ([], [])
        for place in range(len(whole)):
            hits += [(rule, starts[place], starts[end]) for rule, end in walk(self._tree, whole, place)]
        if hits:
            self._take(hits, line, said, found)

    def _take(self, hits: list[tuple[str, int, int]], line: str, said: list[str], found: dict[str, Found]) -> None:
        places = spans(line)
        allowed = self._exempt(said)
        for rule, begin, behind in hits:
            if not any(rule == other and at <= begin and behind <= end for other, at, end in allowed):
                found.setdefault(rule, Found(rule, places[begin][0], places[behind - 1][1]))

    def _exempt(self, said: list[str]) -> list[tuple[str, int, int]]:
        """(rule, first, behind) of each phrase in which a rule's words are not meant."""
        return [(rule, at, end) for at in range(len(said)) for rule, end in _walk(self._allowed, said, at)]

    def _covered(self, rule: str, span: patterns.Span, line: str) -> bool:
        """Whether what a pattern found stands in such a phrase, or ends in one."""
        exempt, places = self._exempt(words(line)), spans(line)
        return any(rule == other and places[at][0] < span[1] <= places[end - 1][1] for other, at, end in exempt)


def _walk(tree: Node, said: list[str], place: int) -> list[tuple[str, int]]:
    """(rule, behind its last word) of each phrase that begins at a word."""
    found: list[tuple[str, int]] = []
    ends = [tree]
    for at in range(place, min(place + WORDS_MAX, len(said))):
        ends = [node.next[form] for node in ends for form in forms(said[at]) if form in node.next]
        if not ends:
            break
        found += [(rule, at + 1) for node in ends for rule in node.rules]
    return found


def _walk_plain(tree: Node, said: list[str], place: int) -> list[tuple[str, int]]:
    """The same where every word is meant as it stands."""
    found: list[tuple[str, int]] = []
    node = tree
    for at in range(place, len(said)):
        following = node.next.get(said[at])
        if following is None:
            break
        node = following
        if node.rules:
            found += [(rule, at + 1) for rule in node.rules]
    return found


def _phrases(value: Any, where: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(phrase, str) and 0 < len(phrase) <= 80 for phrase in value):
        raise BadRules(f"{where}: a list of phrases of 80 characters at most")
    return value


def _words(phrase: str, name: str) -> tuple[str, ...]:
    said = tuple(forms(word)[0] for word in words(folded(phrase)))
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

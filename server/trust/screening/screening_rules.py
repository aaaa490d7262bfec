"""Load the rules of all languages (phrases, harmless phrases, ages), and find their matches in a chat line.

**Invariant:** a line is matched against every language, and yields each rule at most once. A line costs one look-up per word, however many rules
there are.
"""

import time
import tomllib
from bisect import bisect_right
from collections.abc import Iterable
from itertools import product
from pathlib import Path
from typing import Any, Final, NamedTuple

from engine.conduct.detection_actions import BEGUN, EFFECTS
from engine.conduct.detection_classes import RULES, Kind
from server.trust.screening import line_patterns
from server.trust.screening.text_folding import (
    PIECE,
    SPELLED,
    Piece,
    find_words,
    fold_line,
    has_signs,
    join_spelled,
    readings_of,
    split_line,
    without_sign,
    word_spans,
    words_at,
)

OWN: Final = Path(__file__).parent / "rules"
FILE_MAX: Final = 256 * 1024  # bytes of an operator's file
FILES_MAX: Final = 64
PHRASES_MAX: Final = 20_000  # of all operators' files together
WORDS_MAX: Final = 8  # of a phrase
LINE_MAX_NS: Final = (
    60_000  # of CPU for one line, behind which no further piece is read: the usual line takes a twelfth
)
STEM_MIN: Final = 3  # characters before a `*`
KEYS: Final = frozenset(("words", "allow", "before", "names", "ages", "units"))
WORDED: Final = tuple(rule for rule in EFFECTS if rule not in BEGUN)
SPAM: Final = frozenset(("link", "contact", "money"))
_DIGITS: Final = frozenset("0123456789")


class BadRules(ValueError):
    """A file of rules that is refused; the text has its name and the reason."""


Hit = tuple[str, int, int]  # a rule, the index of its first word, and of the word behind its last


class Detection(NamedTuple):
    """A rule that matched, and the matching text of the folded line. `age`: the one that the writer states, 0 if unknown."""

    rule: str
    text: str
    age: int = 0

    @property
    def kind(self) -> Kind:
        """Class and confidence of the rule."""
        return RULES[self.rule]


class Node:
    """A word of the tree of phrases, after the words above it. `rules`: those of the phrases that end here."""

    def __init__(self) -> None:
        self.next: dict[str, Node] = {}
        self.rules: tuple[str, ...] = ()

    def add(self, phrase: tuple[str, ...], rule: str) -> None:
        """Add a phrase below this node."""
        node = self
        for word in phrase:
            node = node.next.setdefault(word, Node())
        if rule not in node.rules:
            node.rules += (rule,)


class Line:
    """A piece of a line: its words, their readings, and the harmless phrases in it (`allowed`)."""

    def __init__(self, text: str, allowed: Node) -> None:
        self.text = text
        self.spans = word_spans(self.text)
        self.words = words_at(self.text, self.spans)
        self.has_signs = has_signs(self.text)
        self.readings: dict[str, tuple[str, ...]] = readings_of(self.words) if self.has_signs else {}
        self._phrases = allowed
        self._allowed: dict[str, tuple[list[int], list[int]]] | None = None

    def text_of(self, begin: int, behind: int) -> str:
        """Return the text of words, by the index of the first and of the word behind the last."""
        return self.text[self.spans[begin][0] : self.spans[behind - 1][1]]

    def end_of(self, behind: int) -> int:
        """Return the end in the text of the word before an index."""
        end: int = self.spans[behind - 1][1]
        return end

    def allowed(self, rule: str) -> tuple[list[int], list[int]] | None:
        """Return the harmless phrases of a rule: their first words, ascending, and for each the furthest end of a phrase that begins by then."""
        if self._allowed is None:
            self._allowed = {}
            for name, begin, behind in find_phrases(self._phrases, self.words, self.readings):
                begins, reaches = self._allowed.setdefault(name, ([], []))
                begins.append(begin)
                reaches.append(max(behind, reaches[-1]) if reaches else behind)
        return self._allowed.get(rule)

    def exempts(self, rule: str, begin: int, behind: int) -> bool:
        """Whether words are within a harmless phrase of the rule."""
        allowed = self.allowed(rule)
        if allowed is None:
            return False
        last = bisect_right(allowed[0], begin) - 1
        return last >= 0 and behind <= allowed[1][last]

    def covers(self, rule: str, end: int) -> bool:
        """Whether a match of a pattern ends within a harmless phrase of the rule."""
        allowed = self.allowed(rule)
        if allowed is not None:
            for at, reach in zip(allowed[0], allowed[1], strict=True):
                if self.spans[at][0] < end <= self.spans[reach - 1][1]:
                    return True
        return False


class Rules:
    """The rules that are looked for. `wanted`: their names, None for all.

    All phrases are in one tree with a level per word.
    """

    def __init__(self, wanted: frozenset[str] | None = None) -> None:
        self._wanted = frozenset(WORDED) if wanted is None else wanted
        self._tree = Node()
        self._allowed = Node()
        self._stems: dict[str, list[tuple[str, str]]] = {}  # (stem, rule) by the first STEM_MIN characters
        self._names: dict[str, list[str]] = {}  # by rule; those of every language are in the file that is read first
        self._templates: list[str] = []
        self._units: list[str] = []
        self._ages = line_patterns.AgeClaims((), ())
        self.phrases = 0
        self.line_max_ns = LINE_MAX_NS
        self.unread = 0  # lines that were not read to their end
        self._patterns = [
            (rule, search)
            for rule, search in (("link", line_patterns.find_link), ("contact", line_patterns.find_contact))
            if rule in self._wanted
        ]
        self._cards = "private" in self._wanted

    def add(self, body: dict[str, Any], name: str, ours: bool = False) -> None:
        """Add the rules of one file. Raises BadRules. `ours`: a file of this program, which may have names, pairs and ages too."""
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

    def combine_ages(self) -> None:
        """Make one pattern of the ages and units of all files so far."""
        self._ages = line_patterns.AgeClaims(self._templates, self._units)

    def _stem(self, stem: str, rule: str, name: str) -> None:
        word = _words(stem, name)
        if len(word) != 1 or len(word[0]) < STEM_MIN:
            raise BadRules(f"{name}: {stem}* is not {STEM_MIN} letters or more of one word, and a *")
        self._stems.setdefault(word[0][:STEM_MIN], []).append((word[0], rule))

    def find(self, text: str) -> list[Detection]:
        """Return the detections in a line, each rule once; see `find_and_fold`."""
        return self.find_and_fold(text)[0]

    def find_and_fold(self, text: str) -> tuple[list[Detection], str]:
        """Return the detections in a line, each rule once, and its first piece folded, which recognises openers: folding is half of the cost.

        When a line has cost LINE_MAX_NS the rest of it is not read; `unread` counts such lines.
        """
        found: dict[str, Detection] = {}
        beginning = ""
        begun = time.thread_time_ns() if len(text) > PIECE else 0
        for piece in split_line(text):
            beginning = beginning or piece.text
            self._look(piece, Line(piece.text, self._allowed), found)
            if not piece.last and time.thread_time_ns() - begun > self.line_max_ns:
                self.unread += 1
                break
        return list(found.values()), beginning

    def _look(self, piece: Piece, line: Line, found: dict[str, Detection]) -> None:
        text = line.text
        for rule, begin, behind in self._hits(line):
            if rule not in found and piece.judges(line.end_of(behind)) and not line.exempts(rule, begin, behind):
                found[rule] = Detection(rule, line.text_of(begin, behind))
        for rule, search in self._patterns:
            if rule not in found:
                span = search(text, line.words)
                if span is not None and piece.judges(span[1]) and not line.covers(rule, span[1]):
                    found[rule] = Detection(rule, text[slice(*span)])
        if line.has_signs and not _DIGITS.isdisjoint(text):
            self._numbers(piece, line, found)

    def _numbers(self, piece: Piece, line: Line, found: dict[str, Detection]) -> None:
        text = line.text
        if "age.claim" not in found:
            span = self._ages.find(text)
            if span is not None and piece.judges(span[1]) and not line.covers("age.claim", span[1]):
                claim = text[slice(*span)]
                found["age.claim"] = Detection("age.claim", claim, line_patterns.stated_age(claim))
        if self._cards and "private" not in found:
            span = line_patterns.find_card_number(text)
            if span is not None and piece.judges(span[1]):
                found["private"] = Detection("private", text[slice(*span)])

    def _hits(self, line: Line) -> list[Hit]:
        """Return matches of phrases, of stems, and of phrases with words spelled in single letters."""
        words = line.words
        hits = find_phrases(self._tree, words, line.readings)
        if self._stems:
            for place, word in enumerate(words):
                for stem, rule in self._stems.get(word[:STEM_MIN], ()):
                    if word.startswith(stem):
                        hits.append((rule, place, place + 1))
        if len(words) >= SPELLED:
            whole, begins = join_spelled(words)
            if whole:
                readings = line.readings
                if line.has_signs:
                    readings = {**readings, **readings_of(set(whole).difference(words))}
                hits += [
                    (rule, begins[place], begins[end]) for rule, place, end in find_phrases(self._tree, whole, readings)
                ]
        return hits


def find_phrases(tree: Node, words: list[str], readings: dict[str, tuple[str, ...]]) -> list[Hit]:
    """Return a hit for each phrase of the tree in the words, in the order of their first words. `readings`: of `readings_of`."""
    found: list[Hit] = []
    first = tree.next
    if not readings:
        for place, word in enumerate(words):
            if word in first:
                _walk_plain(tree, words, place, found)
        return found
    starts = {word for word, forms in readings.items() if not first.keys().isdisjoint(forms)}
    for place, word in enumerate(words):
        if word in first or word in starts:
            _walk(tree, words, place, readings, found)
    return found


def _walk(tree: Node, words: list[str], place: int, readings: dict[str, tuple[str, ...]], found: list[Hit]) -> None:
    """Add the phrases that begin at a word, in any reading of their words."""
    ends = [tree]
    for at in range(place, min(place + WORDS_MAX, len(words))):
        word = words[at]
        forms = readings.get(word)
        following = []
        for node in ends:
            if forms is None:
                child = node.next.get(word)
                if child is not None:
                    following.append(child)
                continue
            for form in forms:
                child = node.next.get(form)
                if child is not None:
                    following.append(child)
        if not following:
            return
        ends = following
        for node in ends:
            for rule in node.rules:
                found.append((rule, place, at + 1))


def _walk_plain(tree: Node, words: list[str], place: int, found: list[Hit]) -> None:
    """Add the phrases that begin at a word, of words without further readings."""
    node = tree
    for at in range(place, len(words)):
        following = node.next.get(words[at])
        if following is None:
            return
        node = following
        for rule in node.rules:
            found.append((rule, place, at + 1))


def _phrases(value: Any, where: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(phrase, str) and 0 < len(phrase) <= 80 for phrase in value):
        raise BadRules(f"{where}: a list of phrases of 80 characters at most")
    return value


def _words(phrase: str, name: str) -> tuple[str, ...]:
    said = tuple([without_sign(word) for word in find_words(fold_line(phrase))])
    if not 1 <= len(said) <= WORDS_MAX or "*" in phrase:
        raise BadRules(
            f"{name}: {phrase!r} has no word, or more than {WORDS_MAX}; a * stands at the end of one word only"
        )
    return said


def read_rules(folder: Path | None, wanted: frozenset[str] | None = None) -> Rules:
    """Return the rules of this program and of an operator's folder, if it exists. Raises BadRules, with the name of the file; OSError.

    A file lists for a rule its `words` (phrases of whole words), phrases that make a match harmless (`allow`), and pairs: each of `before` followed
    by each of `names`.
    """
    rules = Rules(wanted)
    for path in sorted(OWN.glob("*.toml")):
        rules.add(tomllib.loads(path.read_text("utf-8")), path.name, ours=True)
    rules.combine_ages()
    own = rules.phrases
    for path in rule_files(folder):
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


def rule_files(folder: Path | None) -> list[Path]:
    """Return the rule files of an operator's folder, in order. Raises BadRules if there are more than FILES_MAX."""
    found: Iterable[Path] = sorted(folder.glob("*.toml")) if folder is not None and folder.is_dir() else ()
    files = list(found)
    if len(files) > FILES_MAX:
        raise BadRules(f"more than {FILES_MAX} files")
    return files


def rules_stamp(folder: Path | None) -> tuple[tuple[str, int, int], ...]:
    """Return name, time of change and size of each rule file: a value that changes when a file does. Raises BadRules, OSError."""
    return tuple((path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in rule_files(folder))

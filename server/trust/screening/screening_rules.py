"""Load the rules of all languages (phrases, harmless phrases, ages), and find their matches in a chat line.

**Invariant:** a line is matched against every language, and yields each rule at most once. A line costs one look-up per word, and a walk from words
with which a phrase begins, however many rules there are. Patterns are tried only beside a word or a character that they need.
"""

import time
import tomllib
from bisect import bisect_right
from collections.abc import Iterable, Set
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any, Final, NamedTuple

from engine.conduct.detection_classes import MODELLED, RULES, Kind
from engine.conduct.detection_tips import BEGUN
from server.trust.screening import line_patterns, private_data
from server.trust.screening.phrase_graph import End, Hit, Node, Vocabulary, find_from_first
from server.trust.screening.phrase_templates import (
    AGES,
    BadTemplate,
    Choice,
    Item,
    Phrase,
    Sets,
    split_words,
)
from server.trust.screening.text_folding import (
    PIECE,
    SPELLED,
    Piece,
    has_signs,
    join_spelled,
    plain_spellings,
    readings_of,
    split_line,
    word_spans,
    words_at,
)

OWN: Final = Path(__file__).parent / "rules"
FILE_MAX: Final = 256 * 1024  # bytes of an operator's file
FILES_MAX: Final = 64
PHRASES_MAX: Final = 20_000  # of all operators' files together
WORDS_MAX: Final = 8  # of an operator's phrase
LINE_MAX_NS: Final = (
    60_000  # of CPU for one line, behind which no further piece is read: the usual line takes a twelfth
)
STEM_MIN: Final = 3  # characters before a `*`
SETS: Final = "sets"  # the table of a built-in file beside those of rules
AGE_CLASS: Final = "age.claim"
KEYS: Final = frozenset(("words", "lines", "allow", "unless", "before", "names", "units", "behind"))
OWN_KEYS: Final = frozenset(("words", "allow"))  # of an operator's file
WORDED: Final = tuple(rule for rule, kind in RULES.items() if kind.name not in BEGUN and rule not in MODELLED)
CLASSES: Final = tuple(dict.fromkeys(RULES[rule].name for rule in WORDED))
SPAM: Final = frozenset(("link", "contact", "money"))
BESIDE: Final = line_patterns.BESIDE | private_data.BESIDE
_DIGITS: Final = frozenset("0123456789")
_SPACES: Final = frozenset(" '’")


class BadRules(ValueError):
    """A file of rules that is refused; the text has its name and the reason."""


class Detection(NamedTuple):
    """A rule that matched, and the matching text of the folded line. `age`: the one that the writer states, 0 if unknown."""

    rule: str
    text: str
    age: int = 0

    @property
    def kind(self) -> Kind:
        """Class and confidence of the rule."""
        return RULES[self.rule]


class Line:
    """A piece of a line: its words, their entries, and the harmless phrases in it (`allowed`)."""

    def __init__(self, text: str, allowed: Node, vocabulary: Vocabulary) -> None:
        self.text = text
        self.spans = word_spans(self.text)
        self.words = words_at(self.text, self.spans)
        self.has_signs = has_signs(self.text)
        self.readings: dict[str, tuple[str, ...]] = readings_of(self.words) if self.has_signs else {}
        self.entries = vocabulary.entries_of(self.words, self.readings)
        self._phrases = allowed
        self._allowed: dict[str, tuple[list[int], list[int]]] | None = None

    def text_of(self, begin: int, behind: int) -> str:
        """Return the text of words, by the index of the first and of the word behind the last."""
        return self.text[self.spans[begin][0] : self.spans[behind - 1][1]]

    def end_of(self, behind: int) -> int:
        """Return the end in the text of the word before an index."""
        end: int = self.spans[behind - 1][1]
        return end

    def is_split(self, place: int) -> bool:
        """Whether a sign that separates clauses, or an end of the piece, is before a word."""
        if place == 0 or place == len(self.spans):
            return True
        return not _SPACES.issuperset(self.text[self.spans[place - 1][1] : self.spans[place][0]])

    def has_sentences(self, begin: int, behind: int) -> bool:
        """Whether a sentence ends between some words of a phrase, but not between all of them: a letter or word a time is one sentence."""
        ends = 0
        for place in range(begin + 1, behind):
            at, end = self.spans[place - 1][1], self.spans[place][0]
            if (
                end - at > 1
                and self.text[at] in ".!?…"
                and self.text[end - 1] == " "
                and not self.text[at - 1].isdigit()
            ):
                ends += 1
        return ends > 0 and (ends < behind - begin - 1 or ends == 1)

    def allowed(self, rule: str) -> tuple[list[int], list[int]] | None:
        """Return the harmless phrases of a rule: their first words, ascending, and for each the furthest end of a phrase that begins by then.

        One that excuses the whole line begins and ends with it.
        """
        if self._allowed is None:
            self._allowed = {}
            hits: list[Hit] = []
            self._phrases.find(self.entries, hits)
            size = len(self.words)
            for end, begin, behind in sorted(
                [(end, 0, size) if end.whole else (end, begin, behind) for end, begin, behind in hits], key=_first_word
            ):
                begins, reaches = self._allowed.setdefault(end.rule, ([], []))
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


def _first_word(hit: Hit) -> int:
    return hit[1]


class Rules:
    """The rules that are looked for. `wanted`: the names of their classes, None for all.

    All phrases are in one tree with a level per word. After the files were added, `finish` makes it searchable.
    """

    def __init__(self, wanted: frozenset[str] | None = None) -> None:
        self._wanted = frozenset(CLASSES) if wanted is None else wanted
        self._tree = Node()
        self._allowed = Node()
        self._units = Node()
        self._vocabulary = Vocabulary()
        self._stems: dict[str, list[tuple[str, End]]] = {}  # by the first STEM_MIN characters
        self._names: dict[str, list[str]] = {}  # by rule; those of every language are in the file that is read first
        self.phrases = 0
        self.line_max_ns = LINE_MAX_NS
        self.unread = 0  # lines that were not read to their end
        self._patterns = [row for row in line_patterns.PATTERNS if RULES[row[0]].name in self._wanted]
        self._numbers = [row for row in private_data.PATTERNS if RULES[row[0]].name in self._wanted]
        for age in AGES:
            self._vocabulary.name_age(str(age), age)
        year = datetime.now(UTC).year
        self._sets_of_all = {"year": [str(year - age) for age in AGES]}

    # files

    def add(self, body: dict[str, Any], name: str, ours: bool = False) -> None:
        """Add the rules of one file. Raises BadRules. `ours`: a built-in file, whose phrases are templates and may have sets and ages."""
        tables = dict(body)
        sets = self._add_sets(tables.pop(SETS, {}), name) if ours else None
        for rule, table in tables.items():
            if rule not in WORDED or not isinstance(table, dict):
                raise BadRules(f"{name}: {rule} is none of {', '.join(WORDED)}")
            if unknown := set(table) - (KEYS if ours else OWN_KEYS):
                raise BadRules(f"{name}: [{rule}] knows words and allow, not {', '.join(sorted(unknown))}")
            lists = {
                key: _phrases(value, f"{name}: [{rule}] {key}", 2_000 if ours else 80)
                for key, value in table.items()
                if key != "behind"
            }
            if RULES[rule].name in self._wanted:
                try:
                    if sets is None:
                        self._add_words(rule, lists, name)
                    else:
                        self._add_templates(rule, lists, str(table.get("behind", "")), sets)
                except BadTemplate as error:
                    raise BadRules(f"{name}: [{rule}] {error}") from None

    def _add_sets(self, table: dict[str, list[str]], name: str) -> Sets:
        table = self._sets_of_all | table
        ages = table.pop("ages", [])
        if ages and len(ages) != len(AGES):
            raise BadRules(f"{name}: [sets] ages are the words for {AGES[0]} to {AGES[-1]}")
        for age, words in zip(AGES, ages, strict=False):
            for word in words.split("|"):
                self._vocabulary.name_age(word, age)
        for key, into in (("openers", self._vocabulary.openers), ("closers", self._vocabulary.closers)):
            for word in table.pop(key, ()):
                into.update(form for form in (word, *plain_spellings(word)) if len(form) > 1)
        sets = Sets(name.removesuffix(".toml"), table)
        for token, members in sets.words.items():
            for word in members:
                self._vocabulary.add(word, token)
        return sets

    def _plant(self, root: Node, items: tuple[Item, ...], end: End) -> None:
        self._vocabulary.add_phrase(items)
        root.add(items, end)

    def _parse(self, sets: Sets, template: str) -> list[Phrase]:
        self.phrases += 1
        return sets.parse(template)

    def _add_templates(self, rule: str, lists: dict[str, list[str]], behind: str, sets: Sets) -> None:
        names = self._names.setdefault(rule, [])
        names += lists.get("names", ())
        words = [*lists.get("words", ()), *(f"{one} {name}" for one, name in product(lists.get("before", ()), names))]
        for texts, whole in ((words, False), (lists.get("lines", ()), True)):
            for phrase in [phrase for text in texts for phrase in self._parse(sets, text)]:
                self._plant(self._tree, phrase.items, End(rule, phrase.starts, phrase.ends, whole, behind))
        for key, whole in (("allow", False), ("unless", True)):
            for phrase in [phrase for text in lists.get(key, ()) for phrase in self._parse(sets, text)]:
                self._plant(self._allowed, phrase.items, End(rule, phrase.starts, phrase.ends, whole))
        for unit in lists.get("units", ()):
            for text in (unit, line_patterns.distinctive_tail(unit)):
                for phrase in sets.parse(text) if text else ():
                    self._plant(self._units, phrase.items, End(rule))

    def _add_words(self, rule: str, lists: dict[str, list[str]], name: str) -> None:
        for text in lists.get("words", ()):
            if text.endswith("*"):
                self._stem(text[:-1], rule, name)
            else:
                self._plant(self._tree, _items(_words(text, name)), End(rule))
            self.phrases += 1
        for text in lists.get("allow", ()):
            self._plant(self._allowed, _items(_words(text, name)), End(rule))
            self.phrases += 1

    def _stem(self, stem: str, rule: str, name: str) -> None:
        word = _words(stem, name)
        if len(word) != 1 or len(word[0]) < STEM_MIN:
            raise BadRules(f"{name}: {stem}* is not {STEM_MIN} letters or more of one word, and a *")
        self._stems.setdefault(word[0][:STEM_MIN], []).append((word[0], End(rule)))

    def finish(self) -> None:
        """Make what was added searchable."""
        self._vocabulary.finish(self._tree)

    # lines

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
            first = not beginning
            beginning = beginning or piece.text
            self._look(piece, Line(piece.text, self._allowed, self._vocabulary), first, found)
            if not piece.last and time.thread_time_ns() - begun > self.line_max_ns:
                self.unread += 1
                break
        return list(found.values()), beginning

    def _look(self, piece: Piece, line: Line, first: bool, found: dict[str, Detection]) -> None:
        text = line.text
        for end, begin, behind in self._hits(line):
            if end.rule not in found and piece.judges(line.end_of(behind)):
                if end.whole and not (first and piece.last and begin == 0 and behind == len(line.words)):
                    continue
                self._judge(line, end, begin, behind, found)
        for rule, sign, search in self._patterns:
            if rule not in found and sign in text:
                self._add_match(rule, search(text, line.words), piece, line, found)
        if line.has_signs and not _DIGITS.isdisjoint(text):
            for rule, find in self._numbers:
                if rule not in found:
                    self._add_match(rule, find(text), piece, line, found)

    def _add_match(
        self, rule: str, span: line_patterns.Span | None, piece: Piece, line: Line, found: dict[str, Detection]
    ) -> None:
        if span is not None and piece.judges(span[1]) and not line.covers(RULES[rule].name, span[1]):
            found[rule] = Detection(rule, line.text[slice(*span)])

    def _judge(self, line: Line, end: End, begin: int, behind: int, found: dict[str, Detection]) -> None:
        """Add the detection of a phrase, unless its surroundings excuse it."""
        rule = end.rule
        words = line.words
        if end.starts and not (line.is_split(begin) or words[begin - 1] in self._vocabulary.openers):
            return
        name = RULES[rule].name
        if end.ends and not (
            line.is_split(behind) or (name == AGE_CLASS and words[behind] in self._vocabulary.closers)
        ):
            return
        if line.has_sentences(begin, behind):
            return
        if name == AGE_CLASS and not self._is_age(line, begin, behind):
            return
        if line.exempts(rule, begin, behind) or (name != rule and line.exempts(name, begin, behind)):
            return
        text = line.text_of(begin, behind)
        if end.behind:
            match = BESIDE[end.behind](line.text, line.spans[begin][0], line.end_of(behind))
            if match is None:
                return
            text = line.text[slice(*match)]
        found[rule] = Detection(rule, text, self._age(words[begin:behind]) if name == AGE_CLASS else 0)

    def _is_age(self, line: Line, begin: int, behind: int) -> bool:
        """Whether the numbers of a phrase are no measures, and no unit is behind it."""
        for place in range(begin, behind):
            if words_are_digits(line.words[place]):
                at, end = line.spans[place]
                if line_patterns.is_part_of_number(line.text, at, end if place + 1 == behind else -1):
                    return False
        units: list[Hit] = []
        if behind < len(line.entries):
            self._units.find_at(line.entries, behind, units)
        return not units

    def _age(self, words: list[str]) -> int:
        """Return the age that words state, 0 if they have none, or several."""
        stated = {age for word in words if (age := self._vocabulary.ages.get(word) or line_patterns.age_within(word))}
        return stated.pop() if len(stated) == 1 else 0

    def _hits(self, line: Line) -> list[Hit]:
        """Return matches of phrases, of stems, and of phrases with words spelled in single letters."""
        words = line.words
        entries = line.entries
        hits: list[Hit] = []
        find_from_first(entries, hits)
        if self._stems:
            for place, word in enumerate(words):
                for stem, end in self._stems.get(word[:STEM_MIN], ()):
                    if word.startswith(stem):
                        hits.append((end, place, place + 1))
        if len(words) >= SPELLED:
            whole, begins = join_spelled(words)
            if whole:
                readings = line.readings
                if line.has_signs:
                    readings = {**readings, **readings_of(set(whole).difference(words))}
                spelled: list[Hit] = []
                find_from_first(self._vocabulary.entries_of(whole, readings), spelled)
                hits += [(end, begins[place], begins[behind]) for end, place, behind in spelled]
        return hits


def words_are_digits(word: str) -> bool:
    """Whether a word begins or ends with a digit."""
    return word[0].isdecimal() or word[-1].isdecimal()


def _phrases(value: Any, where: str, longest: int) -> list[str]:
    if not isinstance(value, list) or not all(
        isinstance(phrase, str) and 0 < len(phrase) <= longest for phrase in value
    ):
        raise BadRules(f"{where}: a list of phrases of {longest} characters at most")
    return value


def _words(phrase: str, name: str) -> Choice:
    said = split_words(phrase)
    if not 1 <= len(said) <= WORDS_MAX or "*" in phrase:
        raise BadRules(
            f"{name}: {phrase!r} has no word, or more than {WORDS_MAX}; a * stands at the end of one word only"
        )
    return said


def _items(words: Choice) -> tuple[Item, ...]:
    return tuple(frozenset(((word,),)) for word in words)


def read_rules(folder: Path | None, wanted: frozenset[str] | None = None) -> Rules:
    """Return the rules of this program and of an operator's folder, if it exists. Raises BadRules, with the name of the file; OSError.

    A file lists for a rule its `words` (phrases) and phrases that make a match harmless (`allow`). Files of this program are written in templates
    (`phrase_templates`), and have for a rule `lines` (phrases that are a whole line), `unless` (phrases that make the whole line harmless), pairs
    (each of `before` followed by each of `names`), `units` behind a number that is no age, and `behind`, a pattern that must follow each phrase.
    """
    rules = Rules(wanted)
    for path in sorted(OWN.glob("*.toml")):
        rules.add(tomllib.loads(path.read_text("utf-8")), path.name, ours=True)
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
    rules.finish()
    return rules


def wanted_classes(text: str, off: Set[str]) -> frozenset[str] | None:
    """Return the classes that the settings `screening.text` and `screening.off` leave, None for all."""
    chosen = (SPAM if text == "spam" else frozenset(CLASSES)) - off
    return None if chosen == frozenset(CLASSES) else chosen


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

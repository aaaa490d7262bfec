"""Read rule files, of this program and of an operator, and compile their phrases into an index.

A file lists for a rule its `words` (phrases) and phrases that make a match harmless (`allow`). Files of this program are written in templates
(`phrase_templates`), and have for a rule `lines` (phrases that are a whole line), `unless` (phrases that make the whole line harmless), `doubt`
(phrases that lower the confidence of the whole line), pairs (each of `before` followed by each of `names`), `units` behind a number that is no age,
and `behind`, a pattern that must follow each phrase. A phrase that excuses a rule excuses the hint of its class too.

**Invariant:** the phrases of an operator are in an index of their own, so that those of this program are the same for every host and process.
"""

import tomllib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any, Final, NamedTuple

from engine.conduct.detection_classes import HINTS, MODELLED, PROVIDED, RULES
from engine.conduct.detection_consequences import BEGUN
from ext.text.phrase_index import PhraseIndex
from server.trust.screening import line_patterns
from server.trust.screening.phrase_compiler import compile_phrases
from server.trust.screening.phrase_graph import End, Node, Vocabulary
from server.trust.screening.phrase_templates import AGES, BadTemplate, Choice, Item, Phrase, Sets, split_words
from server.trust.screening.text_folding import plain_spellings

OWN: Final = Path(__file__).parent / "rules"
FILE_MAX: Final = 256 * 1024  # bytes of an operator's file
FILES_MAX: Final = 64
PHRASES_MAX: Final = 20_000  # of all operators' files together
WORDS_MAX: Final = 8  # of an operator's phrase
STEM_MIN: Final = 3  # characters before a `*`
SETS: Final = "sets"  # the table of a built-in file beside those of rules
AGE_CLASS: Final = "age.claim"
KEYS: Final = frozenset(("words", "lines", "allow", "unless", "doubt", "before", "names", "units", "behind"))
DOUBT: Final = "doubt:"  # before the rule of a phrase that lowers its confidence
OWN_KEYS: Final = frozenset(("words", "allow"))  # of an operator's file
_WORDLESS: Final = MODELLED | PROVIDED
WORDED: Final = tuple(rule for rule, kind in RULES.items() if kind.name not in BEGUN and rule not in _WORDLESS)


class BadRules(ValueError):
    """A file of rules that is refused; the text has its name and the reason."""


class PhraseSet(NamedTuple):
    """Compiled phrases. `ends`: by their numbers in the index; `ages`: of words; `openers`, `closers`: words between which a clause is; `others`:
    words before a phrase by which another person is its subject, with words of `links` between ("they were"); `stems`: beginnings of words, by
    their first STEM_MIN characters; `phrases`: their number.
    """

    graphs: PhraseIndex
    ends: tuple[End, ...]
    ages: Mapping[str, int]
    openers: frozenset[str]
    closers: frozenset[str]
    others: frozenset[str]
    links: frozenset[str]
    stems: Mapping[str, tuple[tuple[str, End], ...]]
    phrases: int


class CompiledPhrases(NamedTuple):
    """Content of a `PhraseSet`: the bytes of its index, and all else as plain values of JSON."""

    body: bytes | memoryview
    about: dict[str, Any]


class RuleCompiler:
    """Phrases of rule files, until `compile`. `graphs`: in the order of `phrase_compiler`."""

    def __init__(self) -> None:
        self.graphs = self._tree, self._allowed, self._units = Node(), Node(), Node()
        self.vocabulary = Vocabulary()
        self._stems: dict[str, list[tuple[str, End]]] = {}
        self._names: dict[str, list[str]] = {}  # by rule; those of every language are in the file that is read first
        self.phrases = 0
        year = datetime.now(UTC).year
        self._sets_of_all = {"year": [str(year - age) for age in AGES]}

    def name_age(self, age: int) -> None:
        """Say that an age is written in digits."""
        self.vocabulary.name_age(str(age), age)

    def add(self, body: dict[str, Any], name: str, ours: bool = False) -> None:
        """Add the rules of one file. Raises BadRules. `ours`: a built-in file, whose phrases are templates and may have sets and ages."""
        tables = dict(body)
        sets = self._add_sets(tables.pop(SETS, {}), name) if ours else None
        for rule, table in tables.items():
            for named in (rule, *(f"{rule}.{key}" for key in (table if isinstance(table, dict) else ()))):
                if named in _WORDLESS:
                    whose = "the text model" if named in MODELLED else "a provider"
                    raise BadRules(
                        f"{name}: [{named}] is of {whose}, which has no words; it is none of {', '.join(WORDED)}"
                    )
            if rule not in WORDED or not isinstance(table, dict):
                raise BadRules(f"{name}: {rule} is none of {', '.join(WORDED)}")
            if unknown := set(table) - (KEYS if ours else OWN_KEYS):
                raise BadRules(f"{name}: [{rule}] knows words and allow, not {', '.join(sorted(unknown))}")
            lists = {
                key: _phrases(value, f"{name}: [{rule}] {key}", 2_000 if ours else 80)
                for key, value in table.items()
                if key != "behind"
            }
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
                self.vocabulary.name_age(word, age)
        known = self.vocabulary
        for key, into in (
            ("openers", known.openers), ("closers", known.closers), ("others", known.others), ("links", known.links),
        ):  # fmt: skip
            for word in table.pop(key, ()):
                into.update(form for form in (word, *plain_spellings(word)) if len(form) > 1)
        sets = Sets(name.removesuffix(".toml"), table)
        for token, members in sets.words.items():
            for word in members:
                self.vocabulary.add(word, token)
        return sets

    def _plant(self, root: Node, items: tuple[Item, ...], end: End) -> None:
        self.vocabulary.add_phrase(items)
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
        for key, whole, rules in (
            ("allow", False, excused(rule)),
            ("unless", True, excused(rule)),
            ("doubt", True, (DOUBT + rule,)),
        ):
            for phrase in [phrase for text in lists.get(key, ()) for phrase in self._parse(sets, text)]:
                for one in rules:
                    self._plant(self._allowed, phrase.items, End(one, phrase.starts, phrase.ends, whole))
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
            for one in excused(rule):
                self._plant(self._allowed, _items(_words(text, name)), End(one))
            self.phrases += 1

    def _stem(self, stem: str, rule: str, name: str) -> None:
        word = _words(stem, name)
        if len(word) != 1 or len(word[0]) < STEM_MIN:
            raise BadRules(f"{name}: {stem}* is not {STEM_MIN} letters or more of one word, and a *")
        self._stems.setdefault(word[0][:STEM_MIN], []).append((word[0], End(rule)))

    def compile(self) -> CompiledPhrases:
        """Return all phrases that were added."""
        index, ends = compile_phrases(self.graphs, self.vocabulary)
        about = {
            "ends": [list(end) for end in ends],
            "ages": self.vocabulary.ages,
            "openers": sorted(self.vocabulary.openers),
            "closers": sorted(self.vocabulary.closers),
            "others": sorted(self.vocabulary.others),
            "links": sorted(self.vocabulary.links),
            "stems": {begin: [[stem, list(end)] for stem, end in rows] for begin, rows in self._stems.items()},
            "phrases": self.phrases,
        }
        return CompiledPhrases(index, about)


def excused(rule: str) -> tuple[str, ...]:
    """Return the rules that a harmless phrase of a rule excuses: itself, and the hint of its class, which a class's own rule excuses anyway."""
    name = RULES[rule].name
    return (rule, HINTS[name]) if name in HINTS and rule not in (name, HINTS[name]) else (rule,)


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


def compile_own_rules() -> CompiledPhrases:
    """Return the phrases of this program's rule files, compiled. Raises BadRules."""
    return own_compiler().compile()


def own_compiler() -> RuleCompiler:
    """Return the phrases of this program's rule files. Raises BadRules."""
    compiler = RuleCompiler()
    for age in AGES:
        compiler.name_age(age)
    for path in sorted(OWN.glob("*.toml")):
        compiler.add(tomllib.loads(path.read_text("utf-8")), path.name, ours=True)
    return compiler


def compile_operator_rules(folder: Path) -> CompiledPhrases | None:
    """Return the phrases of an operator's rule files, None without a phrase. Raises BadRules, OSError."""
    compiler = RuleCompiler()
    for path in rule_files(folder):
        if path.stat().st_size > FILE_MAX:
            raise BadRules(f"{path.name}: more than {FILE_MAX // 1024} KiB")
        try:
            body = tomllib.loads(path.read_text("utf-8"))
        except (ValueError, RecursionError) as error:
            raise BadRules(f"{path.name}: {error}") from None
        compiler.add(body, path.name)
        if compiler.phrases > PHRASES_MAX:
            raise BadRules(f"{path.name}: more than {PHRASES_MAX} phrases with the files before it")
    return compiler.compile() if compiler.phrases else None


def open_phrases(compiled: CompiledPhrases) -> PhraseSet:
    """Return phrases ready for a search. Raises ValueError, KeyError, TypeError if they are damaged."""
    about = compiled.about
    return PhraseSet(
        PhraseIndex(compiled.body),
        tuple(End(*row) for row in about["ends"]),
        dict(about["ages"]),
        frozenset(about["openers"]),
        frozenset(about["closers"]),
        frozenset(about["others"]),
        frozenset(about["links"]),
        {begin: tuple((stem, End(*end)) for stem, end in rows) for begin, rows in about["stems"].items()},
        int(about["phrases"]),
    )


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

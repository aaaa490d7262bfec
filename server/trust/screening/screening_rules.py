"""Find the matches of the rules of all languages in a chat line: phrases by a compiled index, addresses and numbers by patterns.

**Invariant:** a line is matched against every language, and yields each rule at most once. A line costs one look-up per word, and a walk from words
with which a phrase begins, however many rules there are; a line in which neither a phrase nor a sign of a pattern is seen costs nothing further.
Patterns are tried only beside a word or a character that they need.
"""

import time
from bisect import bisect_right
from collections.abc import Set
from pathlib import Path
from typing import Final, NamedTuple

from engine.conduct.detection_classes import HIGH, HINTS, RULES, Kind
from engine.conduct.detection_consequences import SELF_HARM, THREAT
from ext.text.hashed_classifier import HashedClassifier
from ext.text.line_sieve import LineSieve
from ext.text.phrase_scanner import AT, DIGIT, DOT, HIT, PLUS, SPELLED, WIDE, PhraseScanner
from ext.text.spelled_scanner import SpelledScanner
from server.ops.config.screening_settings import SPAM
from server.trust.screening import line_patterns, private_data
from server.trust.screening.line_patterns import LONG
from server.trust.screening.phrase_compiler import ALLOWED, UNITS
from server.trust.screening.phrase_graph import End, Hit
from server.trust.screening.rule_cache import own_phrases
from server.trust.screening.rule_compiler import (
    AGE_CLASS,
    DOUBT,
    STEM_MIN,
    WORDED,
    PhraseSet,
    compile_operator_rules,
    open_phrases,
)
from server.trust.screening.text_folding import (
    PIECE,
    WORDS_MAX,
    Piece,
    fold_line,
    split_line,
    words_at,
)

LINE_MAX_NS: Final = 60_000  # of CPU for one line, behind which no further piece is read: fifty times the usual line's
PATTERNS_MAX_NS: Final = 120_000  # of CPU for one line, behind which no further pattern is tried
JUDGED_MAX: Final = 24  # phrases of a rule in a piece that are judged: lines have fewer
SHORT: Final = 64  # characters of a piece that cannot cost much: no clock is read for it
CLASSES: Final = tuple(dict.fromkeys(RULES[rule].name for rule in WORDED))
LINKS_MAX: Final = 4  # words between a phrase and its subject
DOUBTED: Final = frozenset(
    (THREAT, SELF_HARM)
)  # rules of low confidence beside laughter, or if another person is the subject of the phrase
STORY: Final = 60  # characters of a line that may be a story: an introduction has less
INTRODUCTION: Final = 30  # of its characters, within which an age is stated of oneself
ONCE: Final = DOUBTED | {"contact"}  # rules of low confidence in a long line that has one of their phrases
LOWERED: Final = ONCE | {AGE_CLASS, "link"}
BESIDE: Final = line_patterns.BESIDE | private_data.BESIDE
SEEN: Final = HIT | DIGIT | DOT | AT | PLUS | SPELLED | WIDE  # what a match needs
# Characters outside ASCII by which a pattern is tried: no sieve settles a line with one.
WIDE_SIGNS: Final = frozenset(sign for _, sign, _ in line_patterns.PATTERNS if not sign.isascii())
QUOTES: Final = frozenset('"“”„«')  # before a quotation or a title
_SPACES: Final = frozenset(" '’")


class Detection(NamedTuple):
    """A rule that matched, and the matching text of the folded line. `age`: the one that the writer states, 0 if unknown."""

    rule: str
    text: str
    age: int = 0

    @property
    def kind(self) -> Kind:
        """Class and confidence of the rule."""
        return RULES[self.rule]


class Search:
    """A search for the phrases of a set in the piece that was scanned last, as it is and with words joined that are spelled in single letters."""

    def __init__(self, phrases: PhraseSet, wanted: frozenset[str]) -> None:
        ends = bytes(RULES[end.rule.removeprefix(DOUBT)].name in wanted for end in phrases.ends)
        self.phrases = phrases
        self.scanner = PhraseScanner(phrases.graphs, ends, WORDS_MAX)
        self._spelled = SpelledScanner(self.scanner)

    def hits(self, words: list[str], flags: int) -> list[Hit]:
        """Return matches of phrases, of stems, and of phrases with words spelled in single letters. `flags`: what the scan of the piece saw."""
        hits = self.named(self.scanner.hits()) if flags & HIT else []
        if self.phrases.stems:
            for place, word in enumerate(words):
                for stem, end in self.phrases.stems.get(word[:STEM_MIN], ()):
                    if word.startswith(stem):
                        hits.append((end, place, place + 1))
        if flags & SPELLED:
            hits += self.named(self._spelled.scan())
        return hits

    def allowed(self) -> list[Hit]:
        """Return the harmless phrases in the piece."""
        return self.named(self.scanner.find(ALLOWED))

    def named(self, found: list[tuple[int, int, int]]) -> list[Hit]:
        """Return hits with the ends that their numbers mean."""
        return [(self.phrases.ends[number], place, behind) for number, place, behind in found]


class Line:
    """A piece of a line in which something was seen: its words, and the harmless phrases in it (`allowed`)."""

    def __init__(self, text: str, searches: "list[Search]") -> None:
        self.text = text
        self.spans: list[tuple[int, int]] = searches[0].scanner.spans()
        self.words = words_at(self.text, self.spans)
        self._searches = searches
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
            hits = [hit for search in self._searches for hit in search.allowed()]
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
    """The rules that are looked for. `own`: of this program; `added`: of an operator; `wanted`: the names of their classes, None for all."""

    def __init__(self, own: PhraseSet, added: PhraseSet | None = None, wanted: frozenset[str] | None = None) -> None:
        classes = frozenset(CLASSES) if wanted is None else wanted
        self._phrases = own
        self._searches = [Search(phrases, classes) for phrases in (own, added) if phrases is not None]
        self.phrases = own.phrases + (added.phrases if added is not None else 0)
        self._always = HIT if added is not None and added.stems else 0
        self.line_max_ns = LINE_MAX_NS
        self.patterns_max_ns = PATTERNS_MAX_NS
        self.unread = 0  # lines that were not read to their end
        self._begun = 0  # CPU time at which the line was begun; 0: it is short
        self._is_late = False  # patterns of the line were left out
        self._single: dict[
            str, tuple[Line, int, int]
        ] = {}  # by rule the first of its phrases in a long line, of which one is no evidence
        self._patterns = [row for row in line_patterns.PATTERNS if RULES[row[0]].name in classes]
        self._numbers = [row for row in private_data.PATTERNS if RULES[row[0]].name in classes]

    def settle(self, sieve: LineSieve, model: HashedClassifier | None) -> None:
        """Let a sieve settle the lines in which these rules and a model find nothing: none, where stems have to be compared."""
        if self._always:
            sieve.pass_all()
        else:
            added = self._searches[1].scanner if len(self._searches) > 1 else None
            sieve.use(self._searches[0].scanner, added, model)

    def find(self, text: str) -> list[Detection]:
        """Return the detections in a line, each rule once; see `find_and_fold`."""
        return self.find_and_fold(text)[0]

    def find_and_fold(self, text: str) -> tuple[list[Detection], str]:
        """Return the detections in a line, each rule once, and its first piece folded, which recognises openers: folding is half of the cost.

        When a line has cost LINE_MAX_NS no further piece of it is read, and after PATTERNS_MAX_NS no further pattern is tried; `unread` counts
        such lines.
        """
        self._is_late = False
        if self._single:
            self._single.clear()
        if len(text) <= PIECE and text.isascii():
            folded = fold_line(text)
            flags = self._scan(folded)
            if not flags & SEEN:
                return [], folded
            self._begun = time.thread_time_ns() if len(text) > SHORT else 0
            found: dict[str, Detection] = {}
            self._look(Piece(text, "", "", last=True), flags, True, found)
            self.unread += self._is_late
            return without_hints(found), folded
        return self._find_in_pieces(text)

    def _scan(self, text: str) -> int:
        """Scan a folded piece for the phrases of all sets; return what was seen."""
        flags = 0
        for search in self._searches:
            flags |= search.scanner.scan(text)
        return flags | self._always

    def _find_in_pieces(self, text: str) -> tuple[list[Detection], str]:
        found: dict[str, Detection] = {}
        beginning = ""
        self._begun = time.thread_time_ns() if len(text) > SHORT else 0
        for piece in split_line(text):
            first = not beginning
            beginning = beginning or piece.text
            flags = self._scan(piece.text)
            if flags & SEEN:
                self._look(piece, flags, first, found)
            if self._is_late or (not piece.last and time.thread_time_ns() - self._begun > self.line_max_ns):
                self.unread += 1
                break
        return without_hints(found), beginning

    def _look(self, piece: Piece, flags: int, first: bool, found: dict[str, Detection]) -> None:
        text = piece.text
        line = Line(text, self._searches)
        hits: list[Hit] = []
        for search in self._searches:  # before the first is judged: its surroundings are searched by the same scanners
            hits += search.hits(line.words, flags)
        judged: dict[str, int] = {}
        for end, begin, behind in hits:
            rule = end.rule
            if rule not in found and judged.get(rule, 0) < JUDGED_MAX and piece.judges(line.end_of(behind)):
                if end.whole and not (first and piece.last and begin == 0 and behind == len(line.words)):
                    continue
                judged[rule] = judged.get(rule, 0) + 1
                self._judge(line, end, begin, behind, found)
        tried = None
        for rule, sign, find_in in self._patterns:
            if find_in is not tried and rule not in found and sign in text and (sign != "." or flags & DOT):
                if self._is_costly():
                    return
                tried = find_in  # rows of one search and rule are neighbours
                self._add_match(rule, find_in(text, line.words), piece, line, found)
        if flags & DIGIT:
            digits: int = self._searches[0].scanner.digits
            last, span = None, None
            for rule, least, find in self._numbers:
                if digits >= least and rule not in found:
                    if find is not last:  # two rules of one search are neighbours
                        if self._is_costly():
                            return
                        last, span = find, find(text)
                    self._add_match(rule, span, piece, line, found)

    def _is_costly(self) -> bool:
        """Whether the line has cost so much that no further pattern is tried."""
        if self._begun and time.thread_time_ns() - self._begun > self.patterns_max_ns:
            self._is_late = True
        return self._is_late

    def _add_match(
        self, rule: str, span: line_patterns.Span | None, piece: Piece, line: Line, found: dict[str, Detection]
    ) -> None:
        if span is not None and piece.judges(span[1]) and not line.covers(RULES[rule].name, span[1]):
            found[rule] = Detection(rule, line.text[slice(*span)])

    def _judge(self, line: Line, end: End, begin: int, behind: int, found: dict[str, Detection]) -> None:
        """Add the detection of a phrase, unless its surroundings excuse it."""
        rule = end.rule
        words = line.words
        if end.starts and not (line.is_split(begin) or words[begin - 1] in self._phrases.openers):
            return
        name = RULES[rule].name
        if end.ends and not (line.is_split(behind) or (name == AGE_CLASS and words[behind] in self._phrases.closers)):
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
        if rule in LOWERED and self._is_doubtful(line, rule, begin, behind):
            rule = HINTS[name]
            if rule in found:
                return
        found[rule] = Detection(rule, text, self._age(words[begin:behind]) if name == AGE_CLASS else 0)

    def _is_doubtful(self, line: Line, rule: str, begin: int, behind: int) -> bool:
        """Whether a phrase's surroundings lower its confidence: a quotation, a long line, laughter, a phrase that says so, another subject,
        a known site.
        """
        at = line.spans[begin][0]
        if at > 0 and line.text[at - 1] in QUOTES:
            return True
        if rule == "link":
            return line_patterns.is_known_site(line.text, at) or line_patterns.is_named_site(line.text, at)
        if rule == AGE_CLASS:
            return len(line.text) > STORY and at > INTRODUCTION
        if len(line.text) > LONG and self._is_single(line, rule, begin, behind):
            return True
        if rule not in DOUBTED:
            return False
        return (
            self._has_other_subject(line.words, begin)
            or line.exempts(DOUBT + rule, begin, behind)
            or line_patterns.has_laughter(line.text)
        )

    def _has_other_subject(self, words: list[str], begin: int) -> bool:
        """Whether another person than the writer is the subject of a phrase that begins at a word: "they were" before "gonna"."""
        place = begin - 1
        while place >= 0 and begin - place <= LINKS_MAX and words[place] in self._phrases.links:
            place -= 1
        return place >= 0 and words[place] in self._phrases.others

    def _is_single(self, line: Line, rule: str, begin: int, behind: int) -> bool:
        """Whether no phrase of a rule was asked about before in the line, beside these words."""
        first = self._single.setdefault(rule, (line, begin, behind))
        return first[0] is line and begin < first[2] and first[1] < behind

    def _is_age(self, line: Line, begin: int, behind: int) -> bool:
        """Whether the numbers of a phrase are no measures, and no unit is behind it."""
        for place in range(begin, behind):
            if words_are_digits(line.words[place]):
                at, end = line.spans[place]
                if line_patterns.is_part_of_number(line.text, at, end if place + 1 == behind else -1):
                    return False
        return not self._searches[0].scanner.has_phrase_at(UNITS, behind)

    def _age(self, words: list[str]) -> int:
        """Return the age that words state, 0 if they have none, or several."""
        stated = {age for word in words if (age := self._phrases.ages.get(word) or line_patterns.age_within(word))}
        return stated.pop() if len(stated) == 1 else 0


def without_hints(found: dict[str, Detection]) -> list[Detection]:
    """Return the detections of a line, without the hint of a class of which a rule of high confidence was found too."""
    if len(found) < 2:
        return list(found.values())
    sure = {kind.name for rule in found if (kind := RULES[rule]).confidence == HIGH}
    return [one for rule, one in found.items() if RULES[rule].name not in sure or HINTS.get(RULES[rule].name) != rule]


def words_are_digits(word: str) -> bool:
    """Whether a word begins or ends with a digit, or is a sum ("$15m")."""
    return word[0].isdecimal() or word[-1].isdecimal() or word[0] == "$"


def read_rules(folder: Path | None, wanted: frozenset[str] | None = None, own: PhraseSet | None = None) -> Rules:
    """Return the rules of this program (`own`: already read) and of an operator's folder, if it exists. Raises BadRules, with the name of the file;
    OSError.
    """
    added = compile_operator_rules(folder) if folder is not None else None
    return Rules(own or own_phrases(None)[0], open_phrases(added) if added else None, wanted)


def wanted_classes(text: str, off: Set[str]) -> frozenset[str] | None:
    """Return the classes that the settings `screening.text` and `screening.off` leave, None for all."""
    chosen = (SPAM if text == "spam" else frozenset(CLASSES)) - off
    return None if chosen == frozenset(CLASSES) else chosen

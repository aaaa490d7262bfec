"""Test compiled phrases: a search finds what a plain walk of the graph finds, for each phrase of each rule, in each spelling."""

import random
import re
import sys
from collections import Counter
from collections.abc import Iterator

import pytest

from ext.text.phrase_index import PhraseIndex
from ext.text.phrase_scanner import PhraseScanner
from server.trust.screening.phrase_compiler import ALLOWED, TREE, compile_phrases
from server.trust.screening.phrase_graph import End, Node, Vocabulary
from server.trust.screening.phrase_templates import Sets
from server.trust.screening.rule_compiler import RuleCompiler, own_compiler
from server.trust.screening.text_folding import WORDS_MAX, fold_line, readings_of, word_spans, words_at

Found = set[tuple[End, int, int]]
SWAPS = (
    "0",
    "1",
    "3",
    "4",
    "5",
    "7",
    "@",
    "$",
    "!",
    "'",
    ".",
    " ",
    "aa",
    "ооо",
    "é",
    "ö",
    "а",
    "р",
    "۳",
    "가",
    "각",
    "ㅏ",
    "র্",
    "我",
    "x",
    "",
    "-",
)
HITS_MAX, WORD_HITS_MAX = 1_024, 24


def plain_walk(graph: Node, vocabulary: Vocabulary, text: str) -> Found:
    """Return what an index must find, by the graph itself."""
    words = words_at(text, word_spans(text))
    signs = not text.isascii() or re.search(r"[0-9@$]|(.)\1\1|\w!\w", text) is not None
    readings = readings_of(words) if signs else {}
    tokens = [
        {token for form in (word, *readings.get(word, ())) for token in vocabulary.words.get(form, ())}
        for word in words
    ]
    hits: Found = set()
    for place in range(len(words)):
        nodes, at = {graph}, place
        while nodes and at < len(words):
            behind = {child for node in nodes for token in tokens[at] for child in node.next.get(token, ())}
            nodes = behind | ({other for node in nodes for other in node.others} if at > place else set())
            at += 1
            hits |= {(end, place, at) for node in nodes for end in node.ends}
    return hits


def phrases_of(graph: Node, dice: random.Random, vocabulary: Vocabulary) -> Iterator[str]:
    """Yield a text for each end of a phrase: tokens on a way to it, sets and gaps as words."""
    members: dict[str, list[str]] = {}
    for word, tokens in vocabulary.words.items():
        for token in tokens:
            members.setdefault(token, []).append(word)
    way: list[tuple[Node, tuple[str, ...]]] = [(graph, ())]
    seen = {graph}
    for node, words in way:
        if node.ends:
            yield " ".join(words)
        ways = [(token, child) for token, nodes in node.next.items() for child in nodes]
        steps = [
            (child, dice.choice(members[token])) for token, child in ways if token in members
        ]  # else: no member is one word
        for child, word in (*steps, *((other, "anything") for other in node.others)):
            if child not in seen:
                seen.add(child)
                way.append((child, (*words, word)))


def mutated(text: str, dice: random.Random) -> str:
    for _ in range(dice.choice((1, 1, 2))):
        at = dice.randint(0, len(text))
        text = text[:at] + dice.choice(SWAPS) + text[at + dice.choice((0, 0, 1)) :]
    return fold_line(text)[:180]


def is_full(hits: list[tuple[int, int, int]]) -> bool:
    """Whether a text, or one of its words, has as many hits as are kept."""
    return len(hits) == HITS_MAX or WORD_HITS_MAX in Counter(begin for _, begin, _ in hits).values()


@pytest.fixture(scope="module")
def shipped() -> RuleCompiler:
    return own_compiler()


def test_each_phrase_of_each_rule_is_found_and_a_mutation_as_by_a_plain_walk(shipped: RuleCompiler) -> None:
    index, ends = compile_phrases(shipped.graphs, shipped.vocabulary)
    scanner = PhraseScanner(PhraseIndex(index), None, WORDS_MAX)
    dice = random.Random(7)
    tried = 0
    for number, graph in ((TREE, shipped.graphs[TREE]), (ALLOWED, shipped.graphs[ALLOWED])):
        for phrase in phrases_of(graph, dice, shipped.vocabulary):
            for text in (fold_line(phrase)[:180], mutated(phrase, dice)):
                scanner.scan(text)
                hits = scanner.hits() if number == TREE else scanner.find(number)
                expected = plain_walk(graph, shipped.vocabulary, text)
                found = {(ends[end], begin, behind) for end, begin, behind in hits}
                assert found == expected or (is_full(hits) and found < expected), text
                tried += bool(expected)
    assert tried > 10_000


def test_the_readings_of_any_word_are_those_of_text_folding() -> None:
    """Words of random letters of all scripts: each reading is a phrase of its own, and each is found."""
    dice = random.Random(11)
    letters = [char for char in map(chr, range(0x80, sys.maxunicode)) if char.isalnum() and fold_line(char) == char]
    for _ in range(60):
        words = [
            "".join(dice.choices([*dice.choices(letters, k=6), *"aio1305$!lk"], k=dice.randint(1, 8)))
            for _ in range(40)
        ]
        texts = [text for word in words if word_spans(text := fold_line(word)) == [(0, len(text))]]
        graph, vocabulary = Node(), Vocabulary()
        forms = {
            form for text in texts for form in (text, *readings_of(words_at(text, [(0, len(text))])).get(text, ()))
        }
        for form in sorted(forms):
            vocabulary.words[form] = (form,)
            graph.add((frozenset(((form,),)),), End(form))
        index, ends = compile_phrases((graph, Node(), Node()), vocabulary)
        scanner = PhraseScanner(PhraseIndex(index))
        for text in texts:
            scanner.scan(text)
            expected = {end.rule for end, _, _ in plain_walk(graph, vocabulary, text)}
            assert {ends[number].rule for number, _, _ in scanner.hits()} == expected, ascii(text)


def test_the_same_phrases_make_the_same_bytes() -> None:
    made = []
    for _ in range(2):
        graph, vocabulary = Node(), Vocabulary()
        for phrase in Sets("en", {"app": ["snap", "insta"]}).parse("(add|give) me (on|) {app}"):
            vocabulary.add_phrase(phrase.items)
            graph.add(phrase.items, End("contact"))
        made.append(compile_phrases((graph, graph, Node()), vocabulary))
    assert made[0] == made[1]

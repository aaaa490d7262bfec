"""Test the scanner of phrases: its words are those of `text_folding`, its walks pass sets and gaps, and what it does is bounded."""

import random
from functools import lru_cache

import pytest

from ext.text.phrase_index import PhraseIndex
from ext.text.phrase_scanner import DIGIT, DOT, HIT, SIGNS, SPELLED, WIDE, PhraseScanner
from server.trust.screening.phrase_compiler import UNITS, compile_phrases
from server.trust.screening.phrase_graph import End, Node, Vocabulary
from server.trust.screening.phrase_templates import Sets
from server.trust.screening.text_folding import WORDS_MAX, fold_line, word_spans

HITS_MAX, WORD_HITS_MAX = 1_024, 24


def small(*templates: str) -> tuple[PhraseScanner, list[End]]:
    """Return a scanner over phrases, and what its ends mean."""
    index, ends = scanner_index(*templates)
    return PhraseScanner(index), ends


@lru_cache
def scanner_index(*templates: str) -> tuple[PhraseIndex, list[End]]:
    """Return an index of phrases, and what its ends mean."""
    graph, vocabulary, sets = Node(), Vocabulary(), Sets("en", {"harm": ["kill", "beat up"]})
    for token, members in sets.words.items():
        for word in members:
            vocabulary.add(word, token)
    vocabulary.name_age("fourteen", 14)
    for template in templates:
        for phrase in sets.parse(template):
            vocabulary.add_phrase(phrase.items)
            graph.add(phrase.items, End(template))
    index, ends = compile_phrases((graph, Node(), Node()), vocabulary)
    return PhraseIndex(index), ends


def found(text: str, *templates: str) -> list[tuple[int, int]]:
    scanner, _ = small(*templates)
    assert bool(scanner.scan(text) & HIT) == bool(scanner.hits())
    return [(begin, behind) for _, begin, behind in scanner.hits()]


@pytest.mark.parametrize("seed", range(3))
def test_words_are_those_of_text_folding_whatever_a_line_holds(seed: int) -> None:
    scanner, _ = small("a b")
    limited = PhraseScanner(PhraseIndex(compile_phrases((Node(), Node(), Node()), Vocabulary())[0]), None, WORDS_MAX)
    dice = random.Random(seed)
    alphabet = [*"ab1 '!@$.’,_-我ñ ä가３٣", "ท", " ", "x", "\U0001f600", "\U00020000", "ﷺ"]
    for _ in range(5_000):
        text = fold_line("".join(dice.choices(alphabet, k=dice.randint(0, 120))))
        scanner.scan(text)
        limited.scan(text)
        assert limited.spans() == word_spans(text)
        assert scanner.spans()[: len(limited.spans())] == limited.spans()


def test_a_walk_passes_sets_gaps_and_absent_words() -> None:
    assert found("i will kill you", "will {harm} (all of|) you") == [(1, 4)]
    assert found("i will beat up all of you", "will {harm} (all of|) you") == [(1, 7)]
    assert found("i will kill them", "will {harm} (all of|) you") == []
    assert found("a 1 2 3 b", "a .. b") == [(0, 5)]
    assert found("a 1 2 3 4 b", "a .. b") == []
    assert found("im fourteen", "im {age}") == [(0, 2)]


def test_a_word_with_several_readings_leads_on_by_each() -> None:
    scanner, ends = small("snap me", "5nap you")
    scanner.scan("5nap you 5nap me")
    assert [ends[end].rule for end, _, _ in scanner.hits()] == ["5nap you", "snap me"]


def test_the_hits_of_a_text_are_bounded() -> None:
    many = [" ".join(["a"] * size) for size in range(1, 16)]
    assert len(found("a " * 200, *many)) == HITS_MAX
    assert len(found("a " + "b " * 40, *(f"a .. {'b ' * size}" for size in range(1, 12)))) == WORD_HITS_MAX


def test_the_hits_of_one_word_hide_none_of_another() -> None:
    hits = found("a " + "b " * 40 + "c", *(f"a .. {'b ' * size}" for size in range(1, 12)), "c")
    assert hits[-1] == (41, 42)


def test_an_end_that_is_not_wanted_is_passed_over() -> None:
    _, ends = small("a", "b")
    some = PhraseScanner(scanner_index("a", "b")[0], bytes(end.rule == "b" for end in ends))
    some.scan("a b")
    assert [begin for _, begin, _ in some.hits()] == [1]
    none = PhraseScanner(scanner_index("a", "b")[0], b"")
    assert not none.scan("a b") & HIT


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("hello there. how are you..", 0), ("ok . fine", DOT), ("a.de", DOT), ("it (.) de", DOT), ("http://x", DOT), ("no 3", DIGIT | SIGNS),
        ("w!n", SIGNS), ("wow! n", 0), ("sooo", SIGNS), ("é", SIGNS | WIDE), ("s n a p", SPELLED), ("i a m", SPELLED), ("i a", 0),
    ],
)  # fmt: skip
def test_a_scan_says_what_was_seen(text: str, flags: int) -> None:
    scanner, _ = small("nothing of this")
    assert scanner.scan(text) == flags


def test_a_text_or_row_that_is_too_long_is_refused_and_the_next_one_read() -> None:
    scanner, _ = small("a b")
    with pytest.raises(ValueError, match="too long"):
        scanner.scan("a b " * 1_000)
    assert scanner.hits() == scanner.spans() == []
    with pytest.raises(ValueError, match="no such graph"):
        scanner.find(3)
    assert not scanner.has_phrase_at(UNITS, 10**6)
    assert scanner.scan("a b") == HIT


def test_phrases_that_end_alike_at_a_word_are_one_hit() -> None:
    graph, vocabulary, sets = Node(), Vocabulary(), Sets("en", {})
    for template in ("(x|y) _ b", "x (a|c) b"):
        for phrase in sets.parse(template):
            vocabulary.add_phrase(phrase.items)
            graph.add(phrase.items, End("one"))
    scanner = PhraseScanner(PhraseIndex(compile_phrases((graph, Node(), Node()), vocabulary)[0]))
    scanner.scan("x a b")
    assert len(scanner.hits()) == 1

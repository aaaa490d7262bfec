"""Test the scanner of phrases: its words are those of `text_folding`, its walks pass sets and gaps, and what it does is bounded."""

import random
from functools import lru_cache
from itertools import pairwise

import pytest

from ext.text.phrase_index import PhraseIndex
from ext.text.phrase_scanner import DIGIT, DOT, HIT, SIGNS, SPELLED, WIDE, PhraseScanner
from server.trust.screening.phrase_compiler import UNITS, compile_phrases
from server.trust.screening.phrase_graph import End, Node, Vocabulary
from server.trust.screening.phrase_templates import Sets
from server.trust.screening.text_folding import WORDS_MAX, fold_line, is_unspaced, word_spans

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


SPELLED_PHRASES = (
    "my snap",
    "add .. snap me",
    "snap",
    "a .. b",
    "i m",
    "sn4p _ ok",
    "sooo am",
    "我 snap",
    "am 14",
    "you {harm}",
)


def spelled(text: str) -> list[tuple[str, int, int]]:
    """Return the phrases with words in single letters, by two scanners of an index."""
    index, ends = scanner_index(*SPELLED_PHRASES)
    plain, second = PhraseScanner(index), PhraseScanner(index)
    plain.scan(text)
    return [(ends[end].rule, begin, behind) for end, begin, behind in second.scan_spelled(plain)]


def by_joined_text(text: str) -> list[tuple[str, int, int]]:
    """Return the same by another way: the text with the letters of each word joined is scanned anew."""
    index, ends = scanner_index(*SPELLED_PHRASES)
    words = [text[begin:end].replace("'", "") for begin, end in word_spans(text)]
    whole: list[str] = []
    begins: list[int] = []
    place = 0
    while place < len(words):
        end = place
        while end < len(words) and len(words[end]) == 1 and not is_unspaced(words[end]):
            end += 1
        end = end if end - place >= 3 else place + 1
        whole.append("".join(words[place:end]))
        begins.append(place)
        place = end
    begins.append(len(words))
    scanner = PhraseScanner(index)
    scanner.scan(" ".join(whole))
    found = [(ends[end].rule, begins[begin], begins[behind]) for end, begin, behind in scanner.hits()]
    joined = {begin for begin, behind in pairwise(begins) if behind - begin > 1}
    return [(rule, begin, behind) for rule, begin, behind in found if any(begin <= one < behind for one in joined)]


def test_words_in_single_letters_are_read_three_letters_at_least() -> None:
    assert spelled("my s n a p ok") == [("my snap", 0, 5), ("snap", 1, 5)]
    assert spelled("my $ n 4 p ok") == []
    assert spelled("i m ok a") == spelled("") == []


@pytest.mark.parametrize("seed", range(3))
def test_spelled_words_are_found_as_in_a_text_in_which_they_are_joined(seed: int) -> None:
    dice = random.Random(seed)
    pieces = [
        "my",
        "add",
        "on",
        "s n a p",
        "s n 4 p",
        "a",
        "b",
        "i",
        "m",
        "me",
        "我",
        "我我",
        "i am 14",
        "a m",
        "you",
        "k i l l",
        "sooo",
        "s o o o",
        "ok",
        "1",
    ]
    found = 0
    for _ in range(4_000):
        text = " ".join(dice.choices(pieces, k=dice.randint(1, 14)))
        assert spelled(text) == by_joined_text(text), text
        found += bool(spelled(text))
    assert found > 500


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
    with pytest.raises(ValueError, match="different indexes"):
        small("b a")[0].scan_spelled(scanner)
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

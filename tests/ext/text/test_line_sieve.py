"""Test the sieve of screened lines: it settles usual lines, never one in which something is found, and returns all others in their order."""

import os
import random
import unicodedata
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.matching.interest_normalisation import skeleton
from ext.net.similarity import Shingles
from ext.net.tap import Tap, Tapped, make
from ext.text.line_sieve import FirstLines, LineSieve
from server.trust.screening.opener_clusters import FIRST, LETTERS
from server.trust.screening.phrase_graph import Node
from server.trust.screening.phrase_templates import ANY
from server.trust.screening.rule_compiler import own_compiler
from server.trust.screening.screening_rules import WIDE_SIGNS, Rules, read_rules
from server.trust.screening.text_folding import PIECE, fold_line, fold_table, letters_of
from server.trust.screening.text_model import ModelUse, read_use
from tests.server.trust.screening.costly import corpus
from tests.server.trust.screening.spam import TEMPLATES, said_by_people, variants

SIZE = 1 << 20
LABELLED = Path(__file__).parents[3] / "bench" / "detection" / "lines"
USUAL = (
    "hi", "how are you", "where are you from", "haha yes, it rains here as well", "What kind of music do you like?", "don’t know... maybe",
    "the quick brown fox jumps over the lazy dog", 'she said "no" to him', "räksmörgås, naturellement", "мне нравится музыка", "今日は雨です",
    "nice \U0001f602\U0001f602",
)  # fmt: skip


def said(line: str) -> bytes:
    """Return a line as the tap has it."""
    return orjson.dumps(line)[1:-1]


class Sifted:
    """A sieve over a tap of its own."""

    def __init__(self, rules: Rules, model: ModelUse | None = None, room: int = 100) -> None:
        memory = make(SIZE)
        self.tap, tapped = Tap(memory), Tapped(memory)
        self.memory = memory
        self.writers, self.table = FirstLines(FIRST, room), Shingles(bytes(range(16)), 1_000)
        self.sieve = LineSieve(tapped, self.writers, self.table, fold_table(WIDE_SIGNS), PIECE, LETTERS)
        rules.settle(self.sieve, model.classifier if model is not None else None)

    def take(self, most: int = 1_000, returned: int = 1_000, work: int = 1 << 30) -> list[tuple[int, int, bool]]:
        """Return chat, number, and whether it is a first line, of the lines that were not settled."""
        return [
            (chat, number, first) for chat, _, number, _, _, first in self.sieve.take(most, returned, work, 1.0, 0.0)
        ]


@pytest.fixture(scope="module")
def rules() -> Rules:
    made = read_rules(None)
    made.line_max_ns = 10**9  # what is found does not depend on the machine here
    return made


@pytest.fixture(scope="module")
def model() -> ModelUse:
    return read_use("all")


@pytest.fixture
def sifted(rules: Rules) -> Iterator[Sifted]:
    made = Sifted(rules)
    yield made
    os.close(made.memory)


def phrases() -> Iterator[str]:
    """Yield the words of phrases: for each place at which one of the rules ends, by a short way and by a long one, and for each word with which one
    begins.
    """
    compiler = own_compiler()
    words: dict[str, list[str]] = {}
    for word, tokens in sorted(compiler.vocabulary.words.items()):
        for token in tokens:
            words.setdefault(token, []).append(word)
    dice = random.Random(1)
    for ways in (ways_to_nodes(compiler.graphs[0], words, longest=longest) for longest in (False, True)):
        for node, way in ways.items():
            if node.ends and way:
                yield " ".join(dice.choice(words.get(token, ["zzyzx"])) for token in way)
        behind = {way[0]: way for node, way in ways.items() if node.ends and way}
        for token, way in behind.items():
            for word in words.get(token, ()):
                yield " ".join([word, *(dice.choice(words.get(one, ["zzyzx"])) for one in way[1:])])


def ways_to_nodes(root: Node, words: dict[str, list[str]], *, longest: bool) -> dict[Node, tuple[str, ...]]:
    """Return the tokens by which each node is reached from the root: few of them, or many."""
    ways: dict[Node, tuple[str, ...]] = {}
    waiting: deque[tuple[Node, tuple[str, ...]]] = deque([(root, ())])
    while waiting:
        node, way = waiting.pop() if longest else waiting.popleft()
        if node not in ways:
            ways[node] = way
            steps = [(child, token) for token in sorted(node.next) if token in words for child in node.next[token]]
            for child, token in [*steps, *((child, ANY) for child in node.others)]:
                if child not in ways:
                    waiting.append((child, (*way, token)))
    return ways


MUTATIONS: tuple[Callable[[str, random.Random], str], ...] = (
    lambda line, _: line,
    lambda line, _: line.upper(),
    lambda line, _: f"well {line} you know",
    lambda line, _: f"{line}!!!",
    lambda line, _: line.replace(" ", "  ").replace("'", "’"),
    lambda line, _: line.replace("i", "ı").replace("a", "а"),
    lambda line, _: line.replace("o", "0").replace("e", "3"),
    lambda line, dice: line.replace(dice.choice(line), 3 * dice.choice(line), 1),
    lambda line, _: " ".join(line[:20]),
    lambda line, _: "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in line),
    lambda line, dice: "".join(char + ("\u200b" if dice.random() < 0.2 else "") for char in line),
    lambda line, _: line.replace(" ", "\n", 1) + ' "',
    lambda line, dice: "".join(dice.sample(line, len(line))),
    lambda line, _: f"{line} \U0001f602",
    lambda line, dice: line.replace(" ", dice.choice((".", "'", "!", "_", ", ", " - ", "/")), 1),
)  # fmt: skip


def labelled() -> Iterator[str]:
    for path in sorted(LABELLED.glob("*/*.tsv")):
        for row in path.read_text("utf-8").splitlines():
            yield from row.split("\t")


def wrongly_settled(
    sifted: Sifted, rules: Rules, model: ModelUse | None, lines: Iterator[str]
) -> tuple[list[str], int, int]:
    """Return the settled lines in which something is found, the number of settled lines, and of all."""
    wrong, settled, count = [], 0, 0
    for line in lines:
        count += 1
        raw = said(line)
        if sifted.sieve.is_settled(raw):
            settled += 1
            found, folded = rules.find_and_fold(line)
            if found or (model is not None and model.rules(folded, [])):
                wrong.append(line)
    return wrong, settled, count


@pytest.mark.timeout(300)
def test_no_phrase_of_any_rule_is_settled_however_it_is_changed(sifted: Sifted, rules: Rules) -> None:
    dice = random.Random(7)
    lines = (mutation(phrase, dice) for phrase in phrases() for mutation in MUTATIONS)
    wrong, settled, count = wrongly_settled(sifted, rules, None, lines)
    assert wrong == []
    assert count > 500_000
    assert settled > 0  # letters in another order are no phrase


@pytest.mark.timeout(120)
def test_no_line_in_which_the_rules_or_the_model_find_something_is_settled(rules: Rules, model: ModelUse) -> None:
    dice = random.Random(3)
    lines = [*labelled(), *(shape.line for shape in corpus()), *(shape.line[:PIECE] for shape in corpus())]
    lines += [variant for template in TEMPLATES for variant in variants(template, 50, dice)]
    sifted = Sifted(rules, model)
    changed = (mutation(line, dice) for line in lines if line for mutation in MUTATIONS)
    wrong, _, count = wrongly_settled(sifted, rules, model, changed)
    assert wrong == []
    assert count > 50_000
    os.close(sifted.memory)


NUMBERS = (
    *"0123456789", *"0123456789 -/.()", "00", "4111 1111 1111 1111", "078-05-1120", "0171 2345678", "555 123 4567", "(0171) 234567", "020-7946-0958",
    "8 912 345 67 89", "06 12 34 56 78", "0049 171 2345678", "de89 3704 0044 0532 0130 00", "529.982.247-25", "12345678z", "12345678 z", "x1234567l",
    "hauptstrasse 5", "storgaten 12", "in kirchweg 3", "nordre gate 7", "lange str. 9", "str 4", "me", "a", "z", "call", "00000012 0000000734", "'",
    ":", "!",
    "800 55 535", "01712345678", "0551234567", "9123456789", "090-1234-5678", "im", "5 5 5", "number", ",", "10:30",
)  # fmt: skip


def test_no_line_with_numbers_in_which_something_is_found_is_settled(sifted: Sifted, rules: Rules) -> None:
    dice = random.Random(11)
    lines = (dice.choice(("", " ", "  ")).join(dice.choices(NUMBERS, k=dice.randint(1, 14))) for _ in range(200_000))
    wrong, settled, _ = wrongly_settled(sifted, rules, None, lines)
    assert wrong == []
    assert settled > 2_000
    load = "00000012 0000000734 the quick brown fox jumps over the lazy dog"
    usual = ("m 20", "i have 2 cats", "it is 5 now", load)
    assert [line for line in usual if not sifted.sieve.is_settled(said(line))] == []


def test_what_people_say_is_settled(sifted: Sifted) -> None:
    assert [line for line in USUAL if not sifted.sieve.is_settled(said(line))] == []
    people = said_by_people(2_000, random.Random(2))
    assert sum(sifted.sieve.is_settled(said(line)) for line in people) > len(people) * 0.7


@given(st.text(st.characters(max_codepoint=0x1FFFF, exclude_categories=("Cs",)), max_size=60))
def test_a_line_that_is_settled_has_nothing_whatever_its_characters(text: str) -> None:
    sifted = Sifted(RULES)
    try:
        if sifted.sieve.is_settled(said(text)):
            assert RULES.find(text) == []
    finally:
        os.close(sifted.memory)


RULES = read_rules(None)


def folds() -> dict[str, str]:
    """Return the characters that the table folds by themselves."""
    table = memoryview(fold_table(WIDE_SIGNS)).cast("H")
    places = [*range(0x10000), *range(0x1F300, 0x1FB00)]
    found = {}
    for place, code in enumerate(places):
        if table[place]:
            folded = code if code > 0xFFFF else table[place]
            found[chr(code)] = "" if table[place] == 0xFFFF else chr(folded)
    return found


def test_characters_of_the_table_are_folded_alike_whatever_stands_beside_them() -> None:
    table = folds()
    assert len(table) > 30_000
    alphabet, dice = [*table, *"abc xyz .,!?-'"], random.Random(5)
    for _ in range(5_000):
        line = "".join(dice.choices(alphabet, k=30))
        folded = "".join(table.get(char, char) for char in line)
        assert fold_line(line) == (" ".join(folded.split()) if "  " in folded else folded), line
    assert not set(table) & WIDE_SIGNS
    for char, folded in table.items():  # so that a first line of few characters has few letters
        assert len(letters_of(skeleton(folded))) <= 3, unicodedata.name(char)


def test_lines_that_are_not_settled_come_in_their_order_and_say_whether_they_are_first(sifted: Sifted) -> None:
    for number, line in enumerate((b"hi", b"im 14", b"how are you", b"my snap", b"hello again", b"im 15"), 1):
        sifted.tap.put(7, 1, number, float(number), line)
    sifted.tap.put(8, 2, 0, 7.0, b"why do i have a snap?")  # a question is no line of a user
    assert sifted.take() == [(7, 2, True), (7, 4, False), (7, 6, False), (8, 0, False)]
    assert (sifted.sieve.taken, sifted.sieve.settled, sifted.sieve.began) == (7, 3, 1.0)
    assert sifted.take() == []
    assert sifted.sieve.taken == 0


def test_a_call_ends_at_its_bounds_and_the_next_one_goes_on(sifted: Sifted) -> None:
    for number in range(1, 11):
        sifted.tap.put(1, 0, number, 0.0, b"im 14")
    assert len(sifted.take(most=4)) == 4
    assert len(sifted.take(returned=5)) == 5
    assert sifted.take() == [(1, 10, False)]


def test_no_line_stays_in_the_ring(sifted: Sifted) -> None:
    sifted.tap.put(1, 0, 1, 0.0, b"a secret of mine")
    assert b"secret" in os.pread(sifted.memory, SIZE, 0)
    assert sifted.take() == []
    assert sifted.sieve.settled == 1
    assert b"secret" not in os.pread(sifted.memory, SIZE, 0)


def test_a_first_line_similar_to_another_is_not_settled_and_one_that_is_unlike_is_remembered(sifted: Sifted) -> None:
    opener = b"hey im so bored tonight i wanna hear your thoughts"
    for chat, line in enumerate((opener, b"what is the best book on your shelf these days", opener, opener), 1):
        sifted.tap.put(chat, 0, 1, 0.0, line)
    sifted.tap.put(1, 0, 2, 0.0, b"hi")
    sifted.tap.put(1, 0, 3, 0.0, b"hi")
    sifted.tap.put(1, 0, 4, 0.0, opener)  # no first line any more
    assert sifted.take() == [(3, 1, True), (4, 1, True)]
    assert len(sifted.table) == 2
    sifted.tap.put(9, 1, 1, 0.0, "мне так скучно сегодня вечером поговори".encode())
    assert sifted.take() == [(9, 1, True)]  # its look-alikes are compared in Python


def test_the_model_reads_what_it_may_and_what_it_finds_is_not_settled(rules: Rules, model: ModelUse) -> None:
    sifted = Sifted(rules, model)
    for number in range(1, 5):
        sifted.tap.put(1, 0, number, 0.0, b"how are you today")
    assert sifted.take(work=2 * (40 + 17)) == []
    assert (sifted.sieve.settled, sifted.sieve.modelled, sifted.sieve.model_work) == (4, 2, 0)
    found = [
        line for line in labelled() if line.isascii() and model.rules(fold_line(line), []) and not rules.find(line)
    ]
    some = [line for line in found if len(line) <= PIECE][:20]
    assert len(some) > 5
    for number, line in enumerate(some, 5):
        sifted.tap.put(1, 0, number, 0.0, said(line))
    assert [number for _, number, _ in sifted.take()] == [*range(5, 5 + len(some))]
    os.close(sifted.memory)


def test_where_an_operator_s_rules_have_a_stem_no_line_is_settled_and_by_words_they_are_searched(
    tmp_path: Path,
) -> None:
    (tmp_path / "own.toml").write_text('[hate]\nwords = ["grumble foo"]\n')
    sifted = Sifted(read_rules(tmp_path))
    assert sifted.sieve.is_settled(b"what a grumble")
    assert not sifted.sieve.is_settled(b"what a grumble foo")
    (tmp_path / "own.toml").write_text('[hate]\nwords = ["grumblef*"]\n')
    read_rules(tmp_path).settle(sifted.sieve, None)
    assert not sifted.sieve.is_settled(b"hi")
    os.close(sifted.memory)


@pytest.mark.parametrize(
    "line",
    [
        b"\xff",
        b"\xe4\xbd",
        b"\xf0\x9f",
        b"\xc0\x80",
        b"\xed\xa0\x80",
        b"\\",
        b"\\u0041",
        b"\x00",
        b"\x7f",
        "a\u0301".encode(),
        b"x" * 181,
    ],
)
def test_bytes_that_are_no_usual_text_are_left_to_python(sifted: Sifted, line: bytes) -> None:
    assert not sifted.sieve.is_settled(line)


def test_a_damaged_ring_is_refused(sifted: Sifted) -> None:
    sifted.tap.put(1, 0, 1, 0.0, b"hi")
    os.pwrite(sifted.memory, b"\xf0\xff\xff\x0f", 4096)
    with pytest.raises(ValueError):
        sifted.take()


def test_of_each_writer_the_first_lines_are_counted_and_the_writers_of_long_ago_are_forgotten() -> None:
    lines = FirstLines(3, 100)
    assert [lines.add(1, 0) for _ in range(5)] == [True, True, True, False, False]
    assert lines.add(1, 1)
    for chat in range(2, 102):
        assert lines.add(chat, 0)
    assert not lines.add(1, 0)  # of the older generation
    for chat in range(1_000, 1_300):
        assert lines.add(chat, 0)
    assert len(lines) <= 100
    assert lines.add(1, 0)
    lines.clear()
    assert lines.add(1_299, 0)
    with pytest.raises(ValueError):
        FirstLines(0, 1)


def test_the_lines_of_a_writer_are_counted_on_from_the_older_generation() -> None:
    lines = FirstLines(3, 100)
    assert lines.add(1, 0)
    for chat in range(2, 102):
        assert lines.add(chat, 0)
    assert len(lines) == 1, "the first writer is in the older generation"
    assert [lines.add(1, 0) for _ in range(3)] == [True, True, False]

"""The fold: a word is found whatever it is written with, and its forms are few."""

import random
import re
import sys

import pytest

from server.trust.screening.screening_rules import Rules, read_rules
from server.trust.screening.text_folding import (
    EXPANDING,
    FOLDED_MAX,
    WORDS_MAX,
    expands,
    find_words,
    fold_line,
    plain_spellings,
    readings_of,
    split_line,
    without_sign,
    word_spans,
)

WRITTEN = {
    "zero width": "my sn\u200bap",
    "soft hyphen": "my s\u00adnap",
    "Cyrillic": "my \u0455n\u0430p",
    "spaces": "my s n a p",
    "dots": "my s.n.a.p",
    "capitals": "MY SNAP",
    "sign": "my $nap",
    "digit": "my sn4p",
    "full width": "my \uff53\uff4e\uff41\uff50",
    "mathematical": "my \U0001d4fc\U0001d4f7\U0001d4ea\U0001d4f9",
}


@pytest.fixture(scope="module")
def rules() -> Rules:
    return read_rules(None)


@pytest.mark.parametrize("line", WRITTEN.values(), ids=WRITTEN)
def test_a_word_is_found_whatever_it_is_written_with(rules: Rules, line: str) -> None:
    assert [found.rule for found in rules.find(line)] == ["contact.hint"]


def test_words_are_parted_by_all_that_is_no_letter_and_have_no_apostrophe() -> None:
    line = fold_line("I\u2019m \u0661\u0664, ok?")
    assert find_words(line) == ["im", "14", "ok"]
    assert [line[begin:end] for begin, end in word_spans(line)] == ["i'm", "14", "ok"]


def test_scripts_without_spaces_have_a_word_a_character_and_numbers_end_before_them() -> None:
    assert find_words("私は14歳です") == ["私", "は", "14", "歳", "で", "す"]
    assert find_words("мне 14лет") == ["мне", "14", "лет"]
    assert find_words("14f sn4p") == ["14f", "sn4p"]
    assert len(find_words("私" * 100 + " a" * 100)) == 100 + WORDS_MAX


def test_words_of_rules_are_known_as_they_are_written_in_haste() -> None:
    assert plain_spellings("años") == ["anos"]
    assert plain_spellings("für") == ["fur", "fuer"]
    assert plain_spellings("أنا") == ["انا"]
    assert plain_spellings("plain") == []


def test_a_word_of_letters_is_meant_as_it_stands_and_another_as_few_things() -> None:
    assert without_sign("@snap") == "snap"
    assert readings_of(["snap", "14"]) == {}
    assert readings_of(["sn4p", "@snap"]) == {"sn4p": ("sn4p", "snap"), "@snap": ("snap", "@snap", "asnap")}
    assert set(readings_of(["k1k"])["k1k"]) == {"k1k", "kik", "klk"}
    assert set(readings_of(["\u0455n4p"])["\u0455n4p"]) == {"\u0455n4p", "sn4p", "snap"}
    mixed = "1" * 20 + "a" * 20
    assert set(readings_of([mixed])[mixed]) == {mixed, "i" * 20 + "a" * 20, "l" * 20 + "a" * 20, "1a", "11aa"}
    assert readings_of(["stoppp", "sooon"]) == {
        "stoppp": ("stoppp", "stop", "stopp"),
        "sooon": ("sooon", "son", "soon"),
    }
    assert readings_of(["1" * 50 + "a"]) == {}


def places(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(r"[\w']+", text)]


@pytest.mark.parametrize(
    "char", ["\ufdfa", "\u3300", "\u0390", "\u1f87", "\U0001d4fc", "\uac00", "\u2026", "\u200b", "a"]
)
def test_a_piece_of_a_line_is_short_whatever_unicode_makes_of_it(char: str) -> None:
    made = list(split_line("i am 14 " + char * 1_992))
    assert made[0].text.startswith("i am 14")
    assert max(len(piece.text) for piece in made) <= FOLDED_MAX
    assert len(made) <= 24


def test_each_word_of_a_long_line_is_judged_in_one_piece() -> None:
    dice = random.Random(1)
    for _ in range(50):
        line = " ".join(dice.choice(("a", "i'm", "\u0455n\u0430p", "14", "longer", "w" * 60)) for _ in range(400))[
            :2_000
        ].rstrip()
        judged = []
        for piece in split_line(line):
            judged += [piece.text[begin:end] for begin, end in places(piece.text) if piece.judges(end)]
        assert judged == [fold_line(line)[begin:end] for begin, end in places(fold_line(line))]


def test_characters_that_expand_are_read_in_a_sentence_and_as_spaces_in_a_heap() -> None:
    assert fold_line("\u2167 is 8\u2026") == "viii is 8..."
    assert find_words(fold_line("\u2167 is 8" + "\ufdfa" * 40)) == ["is", "8"]


def test_every_character_that_expands_is_known() -> None:
    made = (chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000)
    assert set(filter(expands, made)) == EXPANDING


def test_white_space_is_one_space() -> None:
    assert fold_line("I  am\t\u200314") == fold_line("i am \n 14") == "i am 14"

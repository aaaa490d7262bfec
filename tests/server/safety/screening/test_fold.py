"""The fold: a word is found whatever it is written with, and its forms are few."""

import pytest

from server.safety.screening.fold import folded, forms, joined, odd, spans, words
from server.safety.screening.rules import Rules, read

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
    return read(None)


@pytest.mark.parametrize("line", WRITTEN.values(), ids=WRITTEN)
def test_a_word_is_found_whatever_it_is_written_with(rules: Rules, line: str) -> None:
    assert [found.rule for found in rules.find(line)] == ["contact"]


def test_words_are_parted_by_all_that_is_no_letter_and_have_no_apostrophe() -> None:
    line = folded("I\u2019m \u0661\u0664, ok?")
    assert words(line) == ["im", "14", "ok"]
    assert [line[begin:end] for begin, end in spans(line)] == ["i'm", "14", "ok"]


def test_a_word_of_letters_is_meant_as_it_stands_and_another_as_few_things() -> None:
    assert forms("snap") == ("snap",)
    assert forms("sn4p") == ("sn4p", "snap")
    assert forms("14") == ("14",)
    assert set(forms("k1k")) == {"k1k", "kik", "klk"}
    assert len(forms("1" * 20 + "a" * 20)) <= 3
    assert forms("1" * 50 + "a") == ("1" * 50 + "a",)


def test_letters_that_stand_alone_are_a_word_three_at_least() -> None:
    assert joined(["my", "s", "n", "a", "p", "ok"]) == (["my", "snap", "ok"], [0, 1, 5, 6])
    assert joined(["i", "m", "ok", "a"]) == ([], [])
    assert joined([]) == ([], [])


def test_what_may_be_meant_as_more_is_known_at_once() -> None:
    assert not odd("nothing here, really!")
    assert all(odd(line) for line in ("im 14", "$nap", "w!n", "\u0430"))

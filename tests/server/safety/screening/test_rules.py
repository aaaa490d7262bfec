"""Rules: what each finds and does not, in every language; what operators may write; what a hostile line costs."""

import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.safety.screening.rules import FILE_MAX, OWN, SPAM, BadRules, Rules, read, stamp

LINES = Path(__file__).parent / "lines"
LANGUAGES = sorted(path.stem for path in LINES.glob("*.toml"))
EVERYWHERE = {"link", "contact", "money", "age.claim"}


@pytest.fixture(scope="module")
def rules() -> Rules:
    return read(None)


def lines(kind: str) -> Iterator[tuple[str, str, str]]:
    for language in LANGUAGES:
        for rule, table in tomllib.loads((LINES / f"{language}.toml").read_text("utf-8")).items():
            for line in table[kind]:
                yield language, rule, line


def rules_of(rules: Rules, line: str) -> set[str]:
    return {found.rule for found in rules.find(line)}


def test_each_line_that_a_rule_is_for_is_found(rules: Rules) -> None:
    assert [line for line in lines("hits") if line[1] not in rules_of(rules, line[2])] == []


def test_no_line_that_only_looks_like_it_is_found(rules: Rules) -> None:
    assert [line for line in lines("misses") if line[1] in rules_of(rules, line[2])] == []


def test_every_language_has_ten_of_each_for_every_rule() -> None:
    assert sorted(path.stem for path in OWN.glob("*.toml") if path.stem != "any") == LANGUAGES
    for language in LANGUAGES:
        body = tomllib.loads((LINES / f"{language}.toml").read_text("utf-8"))
        assert set(body) >= EVERYWHERE
        assert all(len(set(table[kind])) >= 10 for table in body.values() for kind in ("hits", "misses"))


def test_where_it_stands_is_told(rules: Rules) -> None:
    (found,) = rules.find("well, add me on snap then")
    assert "well, add me on snap then"[found.begin : found.end] == "add me on snap"


def test_only_what_is_wanted_is_looked_for() -> None:
    spam = read(None, SPAM)
    assert rules_of(spam, "i will kill you, im 14, add me on snap") == {"contact"}


def test_an_operator_s_words_count_beside_ours_and_what_they_allow_does_not(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('[hate]\nwords = ["grumblefoo*", "two words"]\nallow = ["not two words"]\n')
    own = read(tmp_path)
    assert rules_of(own, "you grumblefoos") == {"hate"}
    assert rules_of(own, "these two words") == {"hate"}
    assert rules_of(own, "not two words") == set()
    assert rules_of(own, "add me on snap") == {"contact"}
    before = stamp(tmp_path)
    (tmp_path / "own.toml").write_text('[hate]\nwords = ["else"]\n')
    assert stamp(tmp_path) != before


@pytest.mark.parametrize(
    "text",
    [
        "[nothing]\nwords = ['a']",
        "[link]\nages = ['{age}']",
        "[link]\nwords = 'a'",
        "[link]\nwords = ['']",
        "[link]\nwords = ['...']",
        "[link]\nwords = ['ab*']",
        "[link]\nwords = ['a* b']",
        "[link]\nwords = ['a b c d e f g h i']",
        "[link",
        "link = 3",
        "#" * (FILE_MAX + 1),
    ],
)
def test_a_file_that_cannot_be_is_refused_by_its_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "own.toml").write_text(text)
    with pytest.raises(BadRules, match=r"own\.toml"):
        read(tmp_path)


@pytest.mark.parametrize(
    "line",
    [
        "a" * 2000,
        "a." * 1000,
        "00 " * 660,
        "1 " * 1000,
        "\u200b" * 2000,
        "i'm " * 500,
        "my " * 660,
        "@1" * 1000,
        "$0131l" * 330,
        "\u0455" * 2000,
        "14 " * 660,
        "a.b-" * 500,
        "add me on " * 200,
        " dot " * 400,
    ],
    ids=lambda line: line[:6].encode("unicode_escape").decode(),
)
def test_the_longest_line_costs_a_bounded_time(rules: Rules, line: str) -> None:
    begun = time.process_time()
    rules.find(line)
    assert time.process_time() - begun < 1  # a line of the usual length takes 10 us

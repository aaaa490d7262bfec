"""Rules: what each finds and does not, in every language; what operators may write; what a hostile line costs."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.conduct.detection_classes import AGE_NUMBER, Kind
from engine.conduct.detection_consequences import AGE_ASKED, CONSEQUENCES, LIMITS
from server.trust.screening.rule_cache import own_phrases
from server.trust.screening.rule_compiler import OWN, rules_stamp
from server.trust.screening.screening_rules import CLASSES, SPAM, Line, Rules, Search, read_rules, wanted_classes
from server.trust.screening.text_folding import PIECE, split_line
from tests.server.trust.screening.costly import Scale, corpus

DEAREST = 4.0  # times the reference, which is some 70 us: 0.28 ms, 1.6 times the costliest line, as a busy machine falsifies measurements
STEPS_MAX = 220  # matches of phrases in a piece: what the costliest known one has
LINES = Path(__file__).parent / "lines"
LANGUAGES = sorted(path.stem for path in LINES.glob("*.toml"))
EVERYWHERE = {"link", "contact", "money", "age.claim"}


@pytest.fixture(scope="module")
def rules() -> Rules:
    made = read_rules(None)
    made.line_max_ns = made.patterns_max_ns = 10**9  # what is found does not depend on the machine here
    return made


def lines(kind: str) -> Iterator[tuple[str, str, str]]:
    for language in LANGUAGES:
        for rule, table in tomllib.loads((LINES / f"{language}.toml").read_text("utf-8")).items():
            for line in table[kind]:
                yield language, rule, line


def rules_of(rules: Rules, line: str) -> set[str]:
    """The classes of what is found in a line; an age that only answers a question is none by itself."""
    return {found.kind.name for found in rules.find(line) if found.rule not in (AGE_NUMBER, AGE_ASKED)}


def test_each_line_that_a_rule_is_for_is_found(rules: Rules) -> None:
    assert [line for line in lines("hits") if line[1] not in rules_of(rules, line[2])] == []


def test_no_line_that_only_looks_like_it_is_found(rules: Rules) -> None:
    assert [line for line in lines("misses") if line[1] in rules_of(rules, line[2])] == []


def test_every_language_has_ten_of_each_for_every_rule() -> None:
    assert {path.stem for path in OWN.glob("*.toml")} > set(
        LANGUAGES
    )  # those of other languages are tried by bench.detection alone
    for language in LANGUAGES:
        body = tomllib.loads((LINES / f"{language}.toml").read_text("utf-8"))
        assert set(body) >= EVERYWHERE
        assert all(len(set(table[kind])) >= 10 for table in body.values() for kind in ("hits", "misses"))


def test_where_it_stands_is_told(rules: Rules) -> None:
    (found,) = rules.find("well, my snap then")
    assert found.text == "my snap"


def test_only_what_is_wanted_is_looked_for() -> None:
    spam = read_rules(None, SPAM)
    assert rules_of(spam, "i will kill you, im 14, add me on snap") == {"contact"}


def test_settings_leave_classes_out_and_a_rule_of_a_class_goes_with_it() -> None:
    assert wanted_classes("all", frozenset()) is None
    assert wanted_classes("spam", frozenset(("money",))) == {"link", "contact"}
    quiet = read_rules(None, wanted_classes("all", frozenset(("hate", "private"))))
    assert rules_of(quiet, "white power, my card is 4111 1111 1111 1111, i will kill you") == {"threat"}


def test_an_age_is_stated_by_the_writer_alone(rules: Rules) -> None:
    for line in (
        "im seventeen",
        "14/f",
        "born in 2012",
        "freshman in high school",
        "well, im 14 nd u",
        "mein 15. geburtstag",
        "私 14歳です",
    ):
        assert "age.claim" in {one.rule for one in rules.find(line)}, line
    for line in (
        "my cat just turned 14",
        "seat 14f on the plane",
        "its 15 f outside",
        "looking for 14 m cable",
        "im 14 points ahead",
        "he thinks im 14",
    ):
        assert rules_of(rules, line) == set(), line
    assert [one.rule for one in rules.find("17")] == ["age.number"]
    assert [(one.rule, one.age) for one in rules.find("i'm fourteen")] == [("age.claim", 14)]


def test_harmless_words_hide_nothing_behind_them(rules: Rules) -> None:
    for harmless in ("im 14% ", "a ", "my 1 ", "9 am "):
        for piece in (harmless * 60, "x" * 80 + " " + harmless * 60):
            assert "threat" in rules_of(rules, f"{piece[:164]} i will kill you"), piece
            assert "threat" in rules_of(rules, f"{piece[:400]} i will kill you"), piece


def test_what_excuses_an_extortion_excuses_its_hint(rules: Rules) -> None:
    assert [one.rule for one in rules.find("do what i say")] == ["threat.hint"]
    assert rules.find("lets play the do what i say game") == []


@pytest.mark.parametrize(
    "line",
    [
        "i want to die", "I just wanna die.", "ich will sterben", "quiero morir", "je veux mourir", "quero morrer", "jeg vil dø", "я хочу умереть",
        "死にたい", "أريد أن أموت",
    ],
)  # fmt: skip
def test_the_wish_to_die_brings_help_to_the_writer_and_is_no_case(rules: Rules, line: str) -> None:
    kinds = [one.kind for one in rules.find(line)]
    assert ("self-harm", "high") in kinds
    follows = CONSEQUENCES[kinds[kinds.index(Kind("self-harm"))]]
    assert (follows.writer, follows.receiver) == ("help", "support")
    assert {kind.name for kind in kinds}.isdisjoint(LIMITS)


def test_a_threat_is_of_low_confidence_beside_laughter_and_if_another_is_its_subject(rules: Rules) -> None:
    for line in (
        "i will kill you tonight",
        "im gonna find you and kill you",
        "i know where you live and i will kill you",
    ):
        assert "threat" in {one.rule for one in rules.find(line)}, line
    for line in (
        "i will kill you tonight xd", "i'll beat your ass \U0001f602", "hahaha i will kill you", "he was gonna blow up the school",
        "i aint gonna kill you",
    ):  # fmt: skip
        assert {one.rule for one in rules.find(line)} == {"threat.hint"}, line
    assert "self-harm" not in {one.rule for one in rules.find("they are probably going to end it tonight")}


def test_one_phrase_of_a_long_line_is_of_low_confidence_and_two_are_not(rules: Rules) -> None:
    talk = "so we went to the new place by the river and the food took an hour and then my sister said "
    assert {one.rule for one in rules.find(f"{talk} i will kill you tonight")} == {"threat.hint"}
    assert "threat" in {one.rule for one in rules.find(f"i will kill you tonight {talk} i will find you and kill you")}
    assert [one.rule for one in rules.find(f"{talk} im 15 years old")] == ["age.hint"]
    assert [one.rule for one in rules.find(f"hey im 15 years old, {talk}")] == ["age.claim"]


def test_a_quotation_is_of_low_confidence(rules: Rules) -> None:
    assert [one.rule for one in rules.find('he said "i will kill you" in that film scene')] == []
    assert [one.rule for one in rules.find('they sing "i will kill you" so loud')] == ["threat.hint"]


def test_a_class_that_is_found_is_not_told_again_as_a_hint(rules: Rules) -> None:
    assert [one.rule for one in rules.find("add me on snap: annax22, my snap is best")].count("contact.hint") == 0
    for line in ("youtube.com or annacam.com", "add my snap annax22"):
        kinds = [one.kind for one in rules.find(line)]
        assert len({kind.name for kind in kinds if kind.name in ("link", "contact")}) == len(kinds), line
    assert {one.rule for one in rules.find("send pics, dont tell your parents")} >= {"groom.pictures", "groom.secrecy"}


def test_a_known_site_without_a_path_is_of_low_confidence(rules: Rules) -> None:
    for line, rule in (
        ("i saw it on youtube.com", "link.shape"), ("try www.amazon.com", "link.shape"), ("https://www.google.com", "link.shape"),
        ("youtube.com/watch?v=1", "link"), ("go to annacam.com", "link"), ("amazon.com.annacam.xyz", "link"), ("google.com or annacam.com", "link"),
    ):  # fmt: skip
        found = {one.rule for one in rules.find(line)}
        assert rule in found, line
        assert rule == "link" or "link" not in found, line


def test_each_request_to_a_child_has_a_rule_of_its_own(rules: Rules) -> None:
    requests = {
        "dont tell ur mom about us": "groom.secrecy", "are ur parents home": "groom.alone", "send me a selfie just for me": "groom.pictures",
        "ill buy u robux if u send a pic": "groom.gifts", "sneak out and meet me": "groom.meeting", "lets move to snap": "groom.apps",
        "age is just a number": "groom.flattery",
    }  # fmt: skip
    assert {line: rule for line, rule in requests.items() if rule not in {one.rule for one in rules.find(line)}} == {}


def test_a_phrase_over_two_sentences_is_none_but_one_of_dotted_words_is(rules: Rules) -> None:
    assert rules_of(rules, "i gotta go. kill you later in the next one") == set()
    assert rules_of(rules, "i. will. kill. you.") == {"threat"}


def test_an_operator_s_words_count_beside_ours_and_what_they_allow_does_not(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('[hate]\nwords = ["grumblefoo*", "two words"]\nallow = ["not two words"]\n')
    own = read_rules(tmp_path)
    assert rules_of(own, "you grumblefoos") == {"hate"}
    assert rules_of(own, "these two words") == {"hate"}
    assert rules_of(own, "my snap, grumblefoo") == {"contact", "hate"}
    assert rules_of(own, "not two words") == set()
    assert rules_of(own, "my snap") == {"contact"}
    before = rules_stamp(tmp_path)
    (tmp_path / "own.toml").write_text('[hate]\nwords = ["else"]\n')
    assert rules_stamp(tmp_path) != before


@pytest.mark.parametrize("words", range(60))
def test_in_a_long_line_words_and_what_says_that_they_are_not_meant_are_read_together(rules: Rules, words: int) -> None:
    before, behind = "word " * words, " word" * 100
    assert rules_of(rules, f"{before}i am 14 years old{behind}") == {"age.claim"}
    assert rules_of(rules, f"{before}my snap{behind}") == {"contact"}
    for harmless in ("i am 14 years older", "he said i want to die", "i will kill you in chess"):
        assert rules_of(rules, f"{before}{harmless}{behind}") == set()


def test_a_line_of_sentences_is_read_whole(rules: Rules) -> None:
    line = ("It\u2019s 5 o\u2019clock, and the quick brown fox jumps over the lazy dog. " * 40)[:1_980] + " my snap"
    assert rules_of(rules, line) == {"contact"}
    assert rules_of(rules, "\u043f\u0440\u0438\u0432\u0435\u0442 \u043a\u0430\u043a " * 180 + "my snap") == {"contact"}
    assert rules.unread == 0


def test_what_a_line_costs_is_bounded_whatever_it_holds(rules: Rules) -> None:
    """The worst lines that a search found (`costly.py`), each beside a piece of work that no line changes."""
    for first, most in ((False, DEAREST), (True, 1.3 * DEAREST)):
        scale = Scale(first)
        dear = {shape: weight for shape in corpus() if (weight := scale.weigh(shape.line, 10)) > most}
        assert dear == {}


def test_of_a_line_that_costs_too_much_the_rest_is_not_read_and_that_is_counted() -> None:
    rules = read_rules(None)
    rules.line_max_ns = 0
    assert rules_of(rules, "my snap " + "\ufdfa" * 1_990) == {"contact"}
    assert rules_of(rules, "\ufdfa" * 1_990 + " my snap") == set()
    assert rules.unread == 2
    rules.patterns_max_ns = 0
    assert rules_of(rules, "i will kill you " + "at 12 345 678 " * 6) == {"threat"}
    assert rules.unread == 3
    rules.unread -= 1
    assert rules_of(rules, "a line of the usual length is read whole, whatever it costs: my snap") == {"contact"}
    assert rules.unread == 2


def test_the_known_worst_lines_take_a_bounded_number_of_steps() -> None:
    """Counted, not timed: characters of a piece, and matches of phrases in it, of which each is judged. Neither grows with the line."""
    search = Search(own_phrases(None)[0], frozenset(CLASSES))
    for shape in corpus():
        for piece in split_line(shape.line):
            flags = search.scanner.scan(piece.text)
            hits = search.hits(Line(piece.text, [search]).words, flags)
            assert (len(piece.text) <= PIECE + 72, len(hits) <= STEPS_MAX) == (True, True), (shape, len(hits))

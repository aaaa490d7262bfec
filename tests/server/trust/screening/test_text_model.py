"""Check the small text model: what it reads of a line, its findings beside those of rules, its words, and that a damaged file is refused."""

from pathlib import Path

import pytest

from bench.detection.labelled_lines import SEEN, own_sets
from engine.conduct.detection_classes import HIGH, LOW, MODELLED, RULES, Kind
from server.trust.screening import text_model as module
from server.trust.screening.text_folding import PIECE, fold_line
from server.trust.screening.text_model import (
    FILE,
    FILE_MAX,
    NEVER,
    TEXT_MAX,
    BadModel,
    ModelClass,
    ModelUse,
    TextModel,
    read_model,
    read_use,
    rule_of,
    write_model,
)

NAMES = ("hate", "groom")
LINE = "you glorp and all of your snarf"


def model(of: dict[str, int], *, low: float = 1.0, high: float = 1.5) -> TextModel:
    """A model whose first class has these weights on every feature of these texts."""
    weights = bytearray(2 * 4096)
    empty = TextModel(
        [ModelClass("hate", 0.0, 1.0, low, high), ModelClass("groom", 0.0, 1.0, low, NEVER)], bytes(weights)
    )
    for text, weight in of.items():
        for bucket in empty.features(text):
            weights[2 * bucket] = weights[2 * bucket + 1] = weight
    return TextModel(empty.classes, bytes(weights))


def test_a_line_is_found_by_its_features_from_the_thresholds_on() -> None:
    made = model({LINE: 1})
    assert [(one.rule, one.kind) for one in made.find(LINE)] == [
        ("hate.model", Kind("hate", HIGH)), ("groom.model.low", Kind("groom", LOW)),
    ]  # fmt: skip
    assert made.find("are they there") == []
    assert made.scores("") == pytest.approx([made.scores("")[0]] * 2)


@pytest.mark.parametrize("line", ["glorp", "you glorp", "glorp " * 30])
def test_a_word_alone_or_repeated_has_low_confidence_whatever_its_score(line: str) -> None:
    made = model({"you glorp": 9})
    assert made.scores(line)[0] > 9 * made.classes[0].high
    assert [one.rule for one in made.find(line)] == ["hate.model.low", "groom.model.low"]


@pytest.mark.parametrize(
    "text", ["", " ", "x", "x" * 10_000, "a b " * 5_000, "你好" * 5_000, "\x00\ufdfa", "🎉" * 9_000]
)
def test_any_text_has_a_bounded_number_of_features(text: str) -> None:
    made = model({})
    features = made.features(text)
    assert len(features) <= 8 * (TEXT_MAX + 2)
    assert list(features) == list(made.features(text[:TEXT_MAX]))
    assert max(features, default=0) < 4096


def test_digits_and_repeated_letters_are_alike() -> None:
    made = model({})
    assert list(made.features("call 0151")) == list(made.features("call 9876"))
    assert list(made.features("nooooo")) == list(made.features("noo"))
    assert list(made.features("noo")) != list(made.features("no"))


def test_the_words_that_brought_a_finding_are_named_the_most_important_first() -> None:
    made = model({"glorp": 3, "snarf": 1})
    assert made.explain("well you glorp and snarf me", "hate")[:2] == ["glorp", "snarf"]
    assert len(made.explain("a glorp b glorp c snarf d glorps", "hate")) <= module.WORDS


def test_what_a_rule_has_found_is_not_found_again() -> None:
    use = ModelUse(model({LINE: 1}), None, only_tips=False)
    assert use.rules(LINE, []) == ["hate.model", "groom.model.low"]
    assert use.rules(LINE, [Kind("hate", LOW), Kind("groom", LOW)]) == ["hate.model"]
    assert use.rules(LINE, [Kind("hate"), Kind("groom")]) == []


def test_for_tips_alone_nothing_has_high_confidence_and_no_request_counts() -> None:
    use = ModelUse(model({LINE: 1}), None, only_tips=True)
    assert use.rules(LINE, []) == ["hate.model.low"]
    assert ModelUse(model({LINE: 1}), frozenset(("money",)), only_tips=False).rules(LINE, []) == []


def test_the_model_of_this_program_is_small_and_each_finding_is_a_known_rule() -> None:
    assert FILE.stat().st_size < FILE_MAX
    made = read_model()
    assert {one.name for one in made.classes} == {kind.name for rule, kind in RULES.items() if rule in MODELLED}
    assert all(one.low <= one.high for one in made.classes)
    high = {rule_of(one.name, HIGH) for one in made.classes if one.high < NEVER}
    assert high | {rule_of(one.name, LOW) for one in made.classes} == MODELLED
    assert read_use("tips").rules("hello, how are you? where are you from", []) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda body: b"",
        lambda body: b"{}\n" + body.partition(b"\n")[2],
        lambda body: body[:-20],
        lambda body: body.replace(b'"version":1', b'"version":0'),
        lambda body: body.replace(b'"name":"hate"', b'"name":"nope"'),
        lambda body: body.replace(b'"sha256":"', b'"sha256":"0'),
        lambda body: body + b"x" * FILE_MAX,
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, change: object) -> None:
    path = tmp_path / "text.model"
    write_model(path, {}, model({"glorp": 1}).classes, bytes(2 * 4096))
    assert read_model(path).find("you glorp") == []
    path.write_bytes(change(path.read_bytes()))  # type: ignore[operator]
    with pytest.raises(BadModel):
        read_model(path)


def test_the_text_that_is_read_is_a_piece_of_a_line() -> None:
    assert TEXT_MAX == PIECE


def test_where_the_same_follows_at_both_confidences_the_model_alone_is_of_low_confidence() -> None:
    use = read_use("all")
    found = {
        rule
        for one in own_sets()
        if one.half == SEEN
        for line in one.lines
        for rule in use.rules(fold_line(line.text), [])
    }
    assert {rule for rule in found if not rule.endswith(".low")} == {"threat.model", "hate.model"}
    assert found >= {"money.model.low", "self-harm.model.low"}

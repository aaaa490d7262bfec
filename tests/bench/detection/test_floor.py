"""Check that a change of the rules lowers no class and language by more than two points."""

from functools import cache
from typing import Any

import pytest

from bench.detection.conversations import conversations, fetched_conversations, right_findings
from bench.detection.detectors import DETECTORS
from bench.detection.floor import floor_of, is_worse, read_floor, worse
from bench.detection.labelled_lines import HALVES, own_sets, pinned_conversations, pinned_files, public_sets
from bench.detection.public_files import missing_files, sets_folder
from bench.detection.scores import CONFIDENCES, score_conversations, score_set

ROW: dict[str, Any] = {
    "set": "own",
    "class": "age",
    "language": "en",
    "half": "held",
    "positive": 10,
    "negative": 10,
    "found": {"all": 5, "high": 5},
    "wrong": {"all": 1, "high": 1},
}
TALK: dict[str, Any] = {
    "set": "talk",
    "half": "held",
    "conversations": 1_000,
    "lines": 9_000,
    "alarms": {"all": {"age": 2}},
}


@cache
def measured(name: str) -> dict[str, Any]:
    """Scores of a detector over the own lines and the ordinary conversations, which are always there."""
    detect = DETECTORS[name]()
    return {
        "sets": [score_set(detect, one) for one in own_sets()],
        "conversations": score_conversations(detect, conversations(), right_findings()),
    }


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", DETECTORS)
def test_no_class_and_language_is_worse_than_recorded(name: str) -> None:
    assert worse(read_floor()[name], floor_of(measured(name))) == []


@pytest.mark.parametrize("file", pinned_files(), ids=lambda file: file.name)
@pytest.mark.parametrize("name", DETECTORS)
def test_no_public_set_is_worse_than_recorded(name: str, file: Any) -> None:
    sets = public_sets(file, sets_folder())
    if not sets:
        pytest.skip(f"{file.name} is not on this machine: python -m bench detection --fetch")
    detect = DETECTORS[name]()
    found = {"sets": [score_set(detect, one) for one in sets], "conversations": []}
    assert worse(read_floor()[name], floor_of(found)) == []


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", DETECTORS)
def test_no_public_conversations_have_more_false_alarms_than_recorded(name: str) -> None:
    if lacking := missing_files(pinned_conversations(), sets_folder()):
        pytest.skip(f"{lacking[0].name} is not on this machine: python -m bench detection --fetch")
    chats = score_conversations(DETECTORS[name](), fetched_conversations(sets_folder()), right_findings())
    assert worse(read_floor()[name], floor_of({"sets": [], "conversations": chats})) == []


@pytest.mark.timeout(300)
def test_each_recorded_set_still_exists() -> None:
    files = {f"{file.about['name']} {file.about['class']} {file.language}" for file in pinned_files()}
    files |= {
        f"{file.about['name']} {half} {which}"
        for file in pinned_conversations()
        for half in HALVES
        for which in CONFIDENCES
    }
    for name, floor in read_floor().items():
        there = set(floor_of(measured(name)))
        gone = {row for row in floor if row not in there and " ".join(row.split()[:3]) not in files}
        assert not gone, "run python -m bench detection --record"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({}, None),
        ({"found": {"all": 4, "high": 5}}, "recall was 0.5, is 0.4"),
        ({"wrong": {"all": 2, "high": 1}}, "precision was 0.8333, is 0.7143"),
        ({"found": {"all": 0, "high": 0}, "wrong": {"all": 0, "high": 0}}, "recall was 0.5, is 0.0"),
        ({"half": "seen"}, "not recorded"),
    ],
)
def test_a_loss_of_more_than_two_points_is_told_and_so_is_a_new_set(change: dict[str, Any], fault: str | None) -> None:
    recorded = floor_of({"sets": [ROW], "conversations": [TALK]})
    faults = worse(recorded, floor_of({"sets": [{**ROW, **change}], "conversations": [TALK]}))
    assert (faults == []) if fault is None else fault in " ".join(faults)


def test_more_false_alarms_are_told() -> None:
    recorded = floor_of({"sets": [], "conversations": [TALK]})
    more = floor_of({"sets": [], "conversations": [{**TALK, "alarms": {"all": {"age": 4}}}]})
    assert worse(recorded, more) == ["talk held all: age was 2.0, is 4.0"]


@pytest.mark.parametrize(
    ("figure", "before", "value", "expected"),
    [
        ("recall", 0.5, 0.4801, False),
        ("recall", 0.5, 0.4799, True),
        ("precision", 0.5, None, True),
        ("precision", None, 0.1, False),
        ("age", 0.5, 1.5, False),
        ("age", 0.5, 1.51, True),
        ("age", None, 1.01, True),
    ],
)
def test_the_margin_is_two_points_or_one_alarm_in_a_thousand(
    figure: str, before: float | None, value: float | None, expected: bool
) -> None:
    assert is_worse(figure, before, value) is expected

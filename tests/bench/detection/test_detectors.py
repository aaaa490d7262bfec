"""Check that each rule of the screening process belongs to a class that is measured."""

from bench.detection.detectors import CLASSES_OF_SERVICE, UNMEASURED, Hit, detect_by_rules
from bench.detection.tables import GOALS
from engine.conduct.detection_classes import RULES
from engine.conduct.detection_consequences import BEGUN


def test_each_rule_of_words_has_a_class_that_is_measured() -> None:
    assert {kind.name for kind in RULES.values()} - BEGUN - UNMEASURED == set(CLASSES_OF_SERVICE)
    assert set(CLASSES_OF_SERVICE.values()) == set(GOALS)


def test_the_built_in_rules_are_what_detects() -> None:
    assert Hit("age", "age.claim") in detect_by_rules()("i'm 14")
    assert detect_by_rules()("hello there") == []

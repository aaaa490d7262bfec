"""Detectors: each rule of the screening process belongs to a class that is measured."""

from bench.detection.detectors import CLASS_OF_RULE, Hit, detect_by_rules
from bench.detection.tables import GOALS
from server.trust.screening.screening_rules import WORDED


def test_each_rule_has_a_class_and_each_class_a_rule() -> None:
    assert set(WORDED) == set(CLASS_OF_RULE)
    assert set(CLASS_OF_RULE.values()) == set(GOALS)


def test_the_built_in_rules_are_what_detects() -> None:
    assert Hit("age", "age.claim") in detect_by_rules()("i'm 14")
    assert detect_by_rules()("hello there") == []

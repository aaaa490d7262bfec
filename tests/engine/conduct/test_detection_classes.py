"""Rules: each has a class that something follows from, and each class has a rule of its own."""

from engine.conduct.detection_classes import HIGH, LOW, RULES
from engine.conduct.detection_consequences import CLASSES, CONSEQUENCES


def test_each_rule_is_of_a_class_and_each_class_has_a_rule_of_its_name() -> None:
    assert {kind.name for kind in RULES.values()} == set(CLASSES)
    assert {name for name in CLASSES if RULES[name].name == name} == set(CLASSES)
    assert set(RULES.values()) == set(CONSEQUENCES)


def test_words_of_operators_count_as_certain_and_a_bare_number_does_not() -> None:
    assert {RULES[name].confidence for name in CLASSES} == {HIGH}
    assert RULES["age.number"].confidence == LOW

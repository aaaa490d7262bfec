"""Rules: each has a class that something follows from, and each class has a rule of its own."""

from engine.conduct.detection_classes import HIGH, LOW, RULES
from engine.conduct.detection_tips import EFFECTS


def test_each_rule_is_of_a_class_and_each_class_has_a_rule_of_its_name() -> None:
    assert {kind.name for kind in RULES.values()} == set(EFFECTS)
    assert {name for name in EFFECTS if RULES[name].name == name} == set(EFFECTS)


def test_words_of_operators_count_as_certain_and_a_bare_number_does_not() -> None:
    assert {RULES[name].confidence for name in EFFECTS} == {HIGH}
    assert RULES["age.number"].confidence == LOW

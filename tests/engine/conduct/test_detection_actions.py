"""The table of rules: class, confidence and tips."""

from engine.conduct.detection_actions import EFFECTS, KINDS, OWN, WRITER, class_of


def test_kinds_have_bits_that_never_move() -> None:
    """A session that migrates has them as a number, below 2**16 (`engine.migrate.session_record`)."""
    assert KINDS[:7] == ("link", "contact", "money", "secrecy", "minor", "help", "private")
    assert KINDS[7:] == ("support", "threat", "hate", "opener")
    assert {kind for effect in EFFECTS.values() for kind in (effect.tip, effect.also) if kind} == set(KINDS)


def test_a_rule_of_a_class_tells_the_same_side_as_the_others_of_that_class() -> None:
    assert class_of("self-harm.low") == class_of("self-harm") == "self-harm"
    to_writer = {class_of(rule) for rule, effect in EFFECTS.items() if effect.to == WRITER}
    assert to_writer == {*OWN, "hate"}
    assert {class_of(rule) for rule, effect in EFFECTS.items() if effect.to != WRITER}.isdisjoint(to_writer)


def test_a_rule_of_low_confidence_has_a_tip_of_its_class_or_none() -> None:
    for rule, effect in EFFECTS.items():
        if effect.low:
            assert effect.tip in ("", EFFECTS.get(class_of(rule), effect).tip)

"""The table of what follows from a finding."""

from engine.conduct.detection_actions import EFFECTS, KINDS, RECEIVER, WRITER


def test_kinds_have_bits_that_never_move() -> None:
    """A session that goes to another process has them as a number."""
    assert KINDS == ("link", "contact", "money", "secrecy", "minor", "help", "private")


def test_who_writes_is_told_of_what_concerns_them_alone() -> None:
    assert {effect.to for effect in EFFECTS.values()} == {RECEIVER, WRITER}
    assert {rule for rule, effect in EFFECTS.items() if effect.to == WRITER} == {"self-harm", "private"}

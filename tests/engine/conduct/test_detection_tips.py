"""Test the table of classes and their tips."""

from engine.conduct.detection_tips import EFFECTS, KINDS, OWN, WRITER


def test_kinds_have_bits_that_never_move() -> None:
    """A session that migrates has them as a number, below 2**16 (`engine.migrate.session_record`)."""
    assert KINDS[:7] == ("link", "contact", "money", "secrecy", "minor", "help", "private")
    assert KINDS[7:] == ("support", "threat", "hate", "opener")
    assert {kind for effect in EFFECTS.values() for kind in (effect.tip, effect.also) if kind} == set(KINDS)


def test_the_writer_gets_the_tips_about_their_own_lines() -> None:
    assert {name for name, effect in EFFECTS.items() if effect.to == WRITER} == {*OWN, "hate"}

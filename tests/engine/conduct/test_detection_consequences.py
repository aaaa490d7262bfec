"""Test the table of classes, confidences and what follows."""

from engine.conduct.detection_classes import LOW, RULES
from engine.conduct.detection_consequences import ANSWERS, CONSEQUENCES, KINDS, LIMITS, OWN


def test_kinds_have_bits_that_never_move() -> None:
    """A session that migrates has them as a number, below 2**16 (`engine.migrate.session_record`)."""
    assert KINDS[:7] == ("link", "contact", "money", "secrecy", "minor", "help", "private")
    assert KINDS[7:] == ("support", "threat", "hate", "opener")
    assert {tip for row in CONSEQUENCES.values() for tip in (row.writer, row.receiver) if tip} == set(KINDS)


def test_the_writer_gets_the_tips_about_their_own_lines() -> None:
    assert {kind.name for kind, row in CONSEQUENCES.items() if row.writer} == {*OWN, "hate"}


def test_from_low_confidence_nothing_follows_that_costs_somebody_time() -> None:
    low = [row for kind, row in CONSEQUENCES.items() if kind.confidence == LOW]
    assert [row for row in low if row.holds or row.points or row.friction or row.case] == []


def test_help_follows_at_any_confidence() -> None:
    for name in ("self-harm", "threat", "private", "hate", "link", "contact", "money"):
        tips = {(row.writer, row.receiver) for kind, row in CONSEQUENCES.items() if kind.name == name}
        assert len(tips) == 1, name


def test_only_a_number_has_a_row_beside_its_class_and_nudity_a_limit_without_a_rule() -> None:
    assert [RULES[rule].name for rule in ANSWERS] == ["age.claim"]
    assert {name: tuple(limit) for name, limit in LIMITS.items()} == {
        "threat": (0, 1),
        "hate": (3, 5),
        "nudity": (0, 3),
    }

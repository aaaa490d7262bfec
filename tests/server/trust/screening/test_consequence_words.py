"""Test that each consequence of the table is said in words."""

from engine.conduct.detection_consequences import CONSEQUENCES, Consequence, consequence_of
from server.trust.screening.consequence_words import words_of


def test_each_part_of_a_consequence_is_said() -> None:
    every = Consequence("hate", "threat", True, True, True, 3, 5, True, "more")
    assert words_of(every).split(", ") == [
        "tip hate to the writer",
        "tip threat to the receiver",
        "the chat is held until the writer answers",
        "counts for challenges",
        "a challenge from chat 3 of a day",
        "a case from chat 5 of a day",
        "a second such line of the chat counts as one of high confidence",
        "more",
    ]
    assert words_of(Consequence()) == "counted"


def test_two_consequences_that_differ_are_said_in_other_words() -> None:
    assert len({words_of(row) for row in CONSEQUENCES.values()}) == len(set(CONSEQUENCES.values()))
    assert words_of(consequence_of("age.number")).startswith(words_of(Consequence(asks=True, holds=True)))

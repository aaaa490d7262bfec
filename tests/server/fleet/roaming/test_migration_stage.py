"""Where a crossing stands after each word and each cut."""

from __future__ import annotations

from server.fleet.roaming.migration_stage import Leg, Stands
from server.fleet.roaming.migration_target import GO, TOOK


def test_where_a_crossing_stands_after_each_word_and_cut() -> None:
    after: dict[str, Stands] = {}
    for said in (
        "",
        "taken",
        "refused",
        "taken took",
        "taken other",
        "taken end",
        "cut",
        "taken cut",
        "taken took cut",
        "refused cut",
    ):
        leg = Leg()
        for word in said.split():
            match word:
                case "taken":
                    assert leg.taken() == GO
                case "refused":
                    leg.refused()
                case "cut":
                    leg.cut()
                case _:
                    leg.heard({"took": TOOK, "other": b"x", "end": b""}[word])
        after[said] = leg.stands
    assert after == {
        "": Stands.ASKED,
        "taken": Stands.GOING,
        "refused": Stands.REFUSED,
        "taken took": Stands.GIVEN,
        "taken other": Stands.DOUBTFUL,
        "taken end": Stands.DOUBTFUL,
        "cut": Stands.BACK,
        "taken cut": Stands.DOUBTFUL,
        "taken took cut": Stands.GIVEN,
        "refused cut": Stands.REFUSED,
    }

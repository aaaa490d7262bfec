"""Test that each example case has an answer that the console could give."""

from server.ops.config.moderation_policy import REPORTS, RULES
from server.trust.console.practice_case_routes import CHOICES
from server.trust.moderators.example_cases import EXAMPLES
from server.trust.sanctions.sanction_scale import MEASURES


def test_every_example_is_a_report_with_an_answer() -> None:
    assert len({one.name for one in EXAMPLES}) == len(EXAMPLES)
    for one in EXAMPLES:
        assert one.reason in REPORTS
        assert set(one.measures) <= {*MEASURES, "pass"}
        assert one.measures[0] in CHOICES
        assert (one.rule == "") == (one.measures == ("none",))
        assert not one.rule or one.rule in RULES
        assert any(side for side, _ in one.lines)

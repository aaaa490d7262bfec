"""The rules of the engine are those of the settings."""

from server.main.parts.worker_parts import rules_of
from server.ops.config.settings import Settings


def test_rules_and_thresholds_are_the_settings() -> None:
    settings = Settings(session={"grace": 7}, matching={"any_after": 3.0})
    rules, thresholds = rules_of(settings)
    assert (rules.grace, rules.limits, thresholds.any_after) == (7, True, 3.0)

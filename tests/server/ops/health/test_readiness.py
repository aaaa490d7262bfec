"""Ready, degraded, draining: people are sent elsewhere only where they cannot be served here."""

import orjson
import pytest

from server.ops.health.readiness import Health


def told(health: Health) -> tuple[int, dict[str, object]]:
    answer = health.answer("/readyz")
    assert answer is not None
    assert answer.headers["Cache-Control"] == "no-store"
    assert isinstance(answer.body, bytes)
    return answer.status, orjson.loads(answer.body)


@pytest.mark.parametrize(
    ("phase", "unwell", "status", "word"),
    [
        ("starting", [], 503, "starting"),
        ("ready", [], 200, "ready"),
        ("ready", ["store: away"], 200, "degraded"),
        ("draining", ["store: away"], 503, "draining"),
    ],
)
def test_a_part_that_is_away_degrades_and_only_a_start_or_a_stop_turns_people_away(
    phase: str, unwell: list[str], status: int, word: str
) -> None:
    health = Health()
    health.phase = phase  # type: ignore[assignment]
    health.checks += [lambda: unwell, lambda: ["task x: failed"][:0]]
    assert told(health) == (status, {"status": word, "degraded": unwell})


def test_whoever_answers_lives() -> None:
    answer = Health().answer("/healthz")
    assert answer is not None
    assert answer.status == 200


def test_another_path_is_not_answered_here() -> None:
    assert Health().answer("/metrics") is None

"""Check that a form needs a puzzle beyond its usual rate alone, and that each solution opens one form once."""

import base64
import json
from types import SimpleNamespace
from typing import cast

import altcha

from server.http.request.site_services import Services
from server.ops.config.settings import Settings
from server.trust.challenge.altcha_puzzles import Puzzles
from server.trust.challenge.form_puzzle import LEVEL, FormPuzzle

KEY = bytes(range(32))


def solved(puzzle: dict[str, object]) -> str:
    """Return what a browser answers."""
    challenge = altcha.v2.Challenge.from_dict(puzzle)  # type: ignore[arg-type]
    solution = altcha.solve_challenge(challenge)
    assert solution is not None
    return base64.b64encode(json.dumps({"challenge": puzzle, "solution": solution.to_dict()}).encode()).decode()


async def test_beyond_the_usual_rate_each_form_needs_a_solution_of_its_own() -> None:
    now = 10.0
    puzzles = Puzzles(KEY, cost=1)
    services = cast(Services, SimpleNamespace(settings=Settings(), puzzles=puzzles))
    form, other = (FormPuzzle(services, number, 2.0, 1.0, lambda: now) for number in (1, 2))
    assert form.accepts("")
    assert await form.make() == ""
    for _ in range(2):
        form.count()
        other.count()
    now = 10.5
    answer = solved(json.loads(await form.make()))
    assert not other.accepts(answer)
    assert form.accepts(answer)
    assert not form.accepts(answer)
    for wrong in ("", "x", base64.b64encode(b"{}").decode(), solved(puzzles.make(1, LEVEL + 1))):
        assert not form.accepts(wrong)
    now = 11.0
    assert form.accepts(""), "one a second is usual"


async def test_without_limits_no_form_needs_a_puzzle() -> None:
    settings = Settings.model_validate({"limits": {"enabled": False}})
    form = FormPuzzle(cast(Services, SimpleNamespace(settings=settings, puzzles=Puzzles(KEY))), 1, 1.0, 1.0)
    form.count()
    assert form.accepts("")
    assert await form.make() == ""

"""Check that a form needs a puzzle beyond its usual rate alone, and that each solution opens one form once."""

import base64
import json

import altcha

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
    puzzles = Puzzles(KEY, cost=1)
    form, other = (FormPuzzle(puzzles, number, 2.0, 1.0) for number in (1, 2))
    assert not form.is_needed(10.0)
    for _ in range(2):
        form.count(10.0)
    assert form.is_needed(10.5)
    assert not form.is_needed(11.0), "one a second is usual"
    answer = solved(await form.make())
    assert not other.is_solved(answer)
    assert form.is_solved(answer)
    assert not form.is_solved(answer)
    for wrong in ("", "x", base64.b64encode(b"{}").decode()):
        assert not form.is_solved(wrong)
    assert not form.is_solved(solved(puzzles.make(1, LEVEL + 1)))

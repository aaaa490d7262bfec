"""Ask for a puzzle (ALTCHA) with a form that needs no account, while more of them arrive than usual.

A flood from many networks then costs its sender a second of computing for each form. **Invariant:** at the usual rate no form needs a script.
"""

import asyncio
from typing import Any, Final

from server.http.request.site_services import PuzzleMaker
from server.ops.security.token_buckets import Buckets

LEVEL: Final = 2  # of `altcha_puzzles.TRIES`: half a second of a desktop, some seconds of a phone
MAKING_MAX: Final = 4  # puzzles made at once, each a millisecond of a thread


class FormPuzzle:
    """Puzzle of one form. `number`: in place of a session, so that the puzzle of one form opens no other one; `burst` forms at once, and `rate` a
    second, are usual.
    """

    def __init__(self, puzzles: PuzzleMaker, number: int, burst: float, rate: float) -> None:
        self._puzzles = puzzles
        self._number = number
        self._all = Buckets(burst, rate)
        self._making = asyncio.Semaphore(MAKING_MAX)

    def is_needed(self, now: float) -> bool:
        """Whether a form needs a puzzle at `now` (monotonic seconds)."""
        return self._all.wait("", now) > 0.0

    def count(self, now: float) -> None:
        """Count a form that was accepted."""
        self._all.take("", now)

    async def make(self) -> dict[str, Any]:
        """Return a puzzle for the page, as JSON values."""
        async with self._making:
            return await asyncio.to_thread(self._puzzles.make, self._number, LEVEL)

    def is_solved(self, response: str) -> bool:
        """Whether `response` solves a puzzle of this form; it is accepted once."""
        return self._puzzles.right(self._number, LEVEL, response)

"""Ask for a puzzle (ALTCHA) with a form that needs no account, while more of them arrive than usual.

A flood from many networks then costs its sender a second of computing for each form. **Invariant:** at the usual rate no form needs a script.
"""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Final

from server.http.request.site_services import PuzzleMaker, Services
from server.ops.security.token_buckets import Buckets

LEVEL: Final = 2  # of `altcha_puzzles.TRIES`: half a second of a desktop, some seconds of a phone
MAKING_MAX: Final = 4  # puzzles made at once, each a millisecond of a thread


class FormPuzzle:
    """Puzzle of one form. `number`: in place of a session, so that the puzzle of one form opens no other one; `burst` forms at once, and `rate` a
    second, are usual. `clock`: monotonic seconds.
    """

    def __init__(
        self, services: Services, number: int, burst: float, rate: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._services = services
        self._number = number
        self._all = Buckets(burst, rate)
        self._clock = clock
        self._making = asyncio.Semaphore(MAKING_MAX)

    def _needed(self) -> PuzzleMaker | None:
        """Return the maker of puzzles if a form needs one now."""
        on = self._services.settings.limits.enabled and self._all.wait("", self._clock()) > 0.0
        return self._services.puzzles if on else None

    async def make(self) -> str:
        """Return a puzzle for the page, as JSON; empty: none is needed."""
        puzzles = self._needed()
        if puzzles is None:
            return ""
        async with self._making:
            return json.dumps(await asyncio.to_thread(puzzles.make, self._number, LEVEL))

    def accepts(self, solution: str) -> bool:
        """Whether a form with this solution may be accepted: none is needed, or it is right, which it is once."""
        puzzles = self._needed()
        return puzzles is None or puzzles.right(self._number, LEVEL, solution)

    def count(self) -> None:
        """Count a form that was accepted."""
        self._all.take("", self._clock())

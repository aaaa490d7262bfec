"""The questions that are out. Rule: each is answered once, within five minutes, and for what it was asked; the oldest go when there are too many."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

LIFE = 300.0  # seconds
MOST = 2000  # about 400 bytes each


class Challenges:
    """In memory: a restart takes them, and the page asks again. `clock`: seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, most: int = MOST) -> None:
        self._clock = clock
        self._most = most
        self._out: OrderedDict[bytes, tuple[float, str, Any]] = OrderedDict()

    def put(self, challenge: bytes, purpose: str, state: Any) -> None:
        """Remember a question. `state`: what its answer is checked against."""
        now = self._clock()
        self._out[challenge] = (now + LIFE, purpose, state)
        while len(self._out) > self._most or next(iter(self._out.values()))[0] <= now:
            self._out.popitem(last=False)

    def take(self, challenge: bytes, purpose: str) -> Any | None:
        """The state of a question that is out, which it is no more from here on; None for any other."""
        found = self._out.pop(challenge, None)
        if found is None or found[0] <= self._clock() or found[1] != purpose:
            return None
        return found[2]

    def __len__(self) -> int:
        """Questions that are out."""
        return len(self._out)

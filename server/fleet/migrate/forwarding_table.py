"""Where people went from here. Rule: who has been sent is asked for here until the other process has them, and a moment longer.

Without it somebody who comes back while their session moves would be told by each process that it is not there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

KEEP: Final = 1.0  # seconds: whoever asks waits for `whereabouts.WITHIN`
_KEYS: Final = ("id", "key", "used")  # of a session's record: what a token may hold


class Forwarding:
    """Of one process. `answer`: told (who asked, key) when what they asked for can be answered."""

    def __init__(self, answer: Callable[[str, int], None]) -> None:
        self._answer = answer
        self._wanted: dict[int, list[str]] = {}  # by the key of who goes next: who asked for it
        self._sent: dict[tuple[str, int], tuple[int, ...]] = {}  # keys by the process and the number of the message
        self._flying: dict[int, list[str]] = {}  # by the key: who asked for it
        self._gone: dict[int, str] = {}  # by the key: which process took it

    def sent(self, to: str, number: int, people: list[Mapping[str, Any]]) -> None:
        """These were sent."""
        keys = self._sent[to, number] = tuple({one[name] for one in people for name in _KEYS if name in one})
        self._flying.update({key: self._wanted.pop(key, []) for key in keys})

    def took(self, to: str, number: int) -> None:
        """They are there."""
        keys = self._sent.get((to, number), ())
        self._gone.update(dict.fromkeys(keys, to))
        if keys:
            asyncio.get_running_loop().call_later(KEEP, self._forget, keys, to)
        self.back(to, number)

    def back(self, to: str, number: int) -> None:
        """They are not on the way any more."""
        for key in self._sent.pop((to, number), ()):
            for asker in self._flying.pop(key, ()):
                self._answer(asker, key)

    def dead(self, to: str) -> None:
        """Nobody is on the way there."""
        for name, number in [sent for sent in self._sent if sent[0] == to]:
            self.back(name, number)

    def wanted(self, asker: str, key: int) -> None:
        """Its session goes next: who asks is answered when it has arrived."""
        self._wanted.setdefault(key, []).append(asker)

    def waits(self, asker: str, key: int) -> bool:
        """Whether a key is on its way: who asks is answered when it has arrived."""
        if key not in self._flying:
            return False
        self._flying[key].append(asker)
        return True

    def where(self, key: int) -> str | None:
        """Which process took it, a moment ago."""
        return self._gone.get(key)

    def _forget(self, keys: tuple[int, ...], to: str) -> None:
        for key in keys:
            if self._gone.get(key) == to:
                del self._gone[key]

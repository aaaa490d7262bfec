"""Remember for a day which users wrote that they are under 18, and how they answered the age question.

**Invariant:** in memory only; an entry holds no chat line, and at most MOST users are remembered: the oldest entry is dropped first.
"""

from typing import Any, Final, NamedTuple

from engine.wire.protocol import ADULT, MINOR
from ext.base.ageing_map import AgeingMap

ASKED: Final = "asked"  # not answered yet: no search begins
# ADULT: answered "18 or over"; another such line is then shown to a moderator. MINOR: answered "under 18", and is kept out
AGE_STATES: Final = (ASKED, ADULT, MINOR)
KEPT: Final = 86_400.0  # seconds
MOST: Final = 100_000  # people
OLDEST: Final = 18  # a user who wrote a lower age is asked


class AgeAnswer(NamedTuple):
    """Answer of a person. `age`: the age that they wrote, 0: unknown; `until`: monotonic time at which the entry expires."""

    state: str
    age: int
    until: float


class AgeAnswers:
    """Age answers by person."""

    def __init__(self, most: int = MOST) -> None:
        self._said: AgeingMap[int, AgeAnswer] = AgeingMap(most)  # by person

    def __len__(self) -> int:
        return len(self._said)

    def of(self, person: int, now: float) -> AgeAnswer | None:
        """Return the answer of a person, or None."""
        return self._said.get(person, now)

    def put(self, person: int, state: str, now: float, age: int = 0) -> None:
        """Store the answer of a person for KEPT seconds; `age`: the age that they wrote, 0: unknown."""
        self._said.put(person, AgeAnswer(state, age, now + KEPT), now + KEPT, now)

    def forget(self, person: int) -> None:
        """Delete the entry of a session without identity that ended."""
        self._said.pop(person)

    # migration

    def leave(self, person: int, now: float, keep: bool) -> list[Any] | None:
        """Export the entry of a migrating person: answer, age, seconds left. It is deleted here unless `keep`. None if the person has no entry."""
        said = self.of(person, now)
        if not keep:
            self._said.pop(person)
        return None if said is None else [said.state, said.age, said.until - now]

    def enter(self, person: int, record: list[Any], now: float) -> None:
        """Import an entry that `leave` exported, unless the one here is newer."""
        state, age, left = record
        known = self.of(person, now)
        if left > 0 and (known is None or known.until < now + left):
            until = now + min(left, KEPT)
            self._said.put(person, AgeAnswer(state, age, until), until, now)

    def rest(self, now: float) -> list[tuple[int, list[Any]]]:
        """Export all entries as (person, exported entry), oldest first."""
        return [(person, [said.state, said.age, said.until - now]) for person, said in self._said.items(now)]

"""Who wrote that they are under 18, and what they answered when they were asked. Rule: in memory, for a day, of a bounded number of people.

What is known of one goes along to another process. No line is here: only how somebody stands, and the age that they wrote, while they are asked.
"""

from collections import OrderedDict
from typing import Any, Final, NamedTuple

from engine.wire.protocol import ADULT, MINOR

ASKED: Final = "asked"  # they have not answered yet: no search begins
# ADULT: they said that they are 18 or over, and another such line is for people to look at; MINOR: under 18, and they are kept out
STANDS: Final = (ASKED, ADULT, MINOR)
KEPT: Final = 86_400.0  # seconds
MOST: Final = 100_000  # people; then those who said something the longest ago are forgotten
OLDEST: Final = 18  # who wrote less is asked


class Said(NamedTuple):
    """How somebody stands. `age`: what they wrote, 0: not known; `until`: monotonic seconds, when it is forgotten."""

    stands: str
    age: int
    until: float


class Ages:
    """All of whom something is known."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._said: OrderedDict[int, Said] = OrderedDict()  # by person, those of the longest ago first

    def __len__(self) -> int:
        return len(self._said)

    def of(self, person: int, now: float) -> Said | None:
        """How somebody stands; None where nothing is known."""
        if not self._said:
            return None
        said = self._said.get(person)
        return said if said is not None and said.until > now else None

    def put(self, person: int, stands: str, now: float, age: int = 0) -> None:
        """From now on they stand so, for KEPT seconds; `age`: what they wrote, 0: not known."""
        self._keep(person, Said(stands, age, now + KEPT), now)

    def _keep(self, person: int, said: Said, now: float) -> None:
        table = self._said
        table[person] = said
        table.move_to_end(person)
        while len(table) > self._most or next(iter(table.values())).until <= now:
            table.popitem(last=False)
            if not table:
                return

    def forget(self, person: int) -> None:
        """A session without identity is over."""
        if self._said:
            self._said.pop(person, None)

    # from and to another process

    def leave(self, person: int, now: float, keep: bool) -> list[Any] | None:
        """What goes with a person: how they stand, the age, seconds left; forgotten here unless `keep`. None: nothing is known."""
        said = self.of(person, now)
        if not keep:
            self._said.pop(person, None)
        return None if said is None else [said.stands, said.age, said.until - now]

    def enter(self, person: int, record: list[Any], now: float) -> None:
        """What `leave` gave elsewhere, unless what is known here is newer."""
        stands, age, left = record
        known = self.of(person, now)
        if left > 0 and (known is None or known.until < now + left):
            self._keep(person, Said(stands, age, now + min(left, KEPT)), now)

    def rest(self, now: float) -> list[tuple[int, list[Any]]]:
        """Of everybody: person, and what `leave` says; the longest ago first."""
        rows = [(person, self.leave(person, now, keep=True)) for person in list(self._said)]
        return [(person, record) for person, record in rows if record is not None]

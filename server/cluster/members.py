"""Which hosts of a cell there are. Rule: who is not heard is not there; nobody is asked, and no list is kept.

         beat                  1 s of silence            2 s, or it says that it ends
(none) ────────► serving ◄──────────────────► suspect ────────────────────────────────► (none)
                                 beat
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

SUSPECT: Final = 1.0  # seconds of silence
DEAD: Final = 2.0
MOST: Final = 256  # hosts of a cell
SERVING: Final = "serving"
STATES: Final = (SERVING, "suspect")  # before SUSPECT, and behind it


class Beat(NamedTuple):
    """What a host says of itself four times a second. `time`: Unix seconds, its own; `ends`: it says so for the last time."""

    node: str  # 40 random bits, drawn anew by each generation of its processes
    address: str  # of its cluster port
    version: str
    people: int
    time: float
    ends: bool = False


class Host(NamedTuple):
    """One that was heard. `ahead`: seconds that its clock is before ours, its way here taken for nothing."""

    node: str
    address: str
    version: str
    state: str
    people: int
    ahead: float


class _Heard:
    __slots__ = ("ahead", "at", "beat")

    def __init__(self, beat: Beat, at: float, ahead: float) -> None:
        self.beat = beat
        self.at = at
        self.ahead = ahead


class Members:
    """All of a cell but this host. `now`: monotonic seconds; `wall`: Unix seconds."""

    def __init__(self, node: str) -> None:
        self._node = node
        self._heard: dict[str, _Heard] = {}
        self.own: float | None = (
            None  # when this host heard itself last: what it says arrives, and what others say does
        )

    def heard(self, beat: Beat, now: float, wall: float) -> None:
        """A host says that it is there. Beyond MOST hosts a further one is passed over."""
        if beat.node == self._node:
            self.own = now
        elif beat.ends:
            self._heard.pop(beat.node, None)
        elif beat.node in self._heard or len(self._heard) < MOST:
            self._heard[beat.node] = _Heard(beat, now, beat.time - wall)

    def advance(self, now: float) -> None:
        """Forget who was silent for too long."""
        for node in [node for node, one in self._heard.items() if one.at + DEAD <= now]:
            del self._heard[node]

    def others(self, now: float) -> list[Host]:
        """Who is there, by their numbers."""
        return [
            Host(node, one.beat.address, one.beat.version, STATES[one.at + SUSPECT <= now], one.beat.people, one.ahead)
            for node, one in sorted(self._heard.items())
        ]

    @property
    def people(self) -> int:
        """Of all other hosts."""
        return sum(one.beat.people for one in self._heard.values())


def read(fields: Any) -> Beat | None:
    """A beat as it came; None: it is none. Fields that are not known are a newer release's, and passed over."""
    match fields:
        case {
            "node": str(node),
            "address": str(address),
            "version": str(version),
            "people": int(people),
            "time": float(time),
            "ends": bool(ends),
        } if len(node) <= 16 and len(address) <= 64 and len(version) <= 64 and people >= 0:
            return Beat(node, address, version, people, time, ends)
    return None

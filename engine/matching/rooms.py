"""One pool as the lobby sees it: its number in the matcher, its relatives of other languages, how many come."""

from engine.matching.thresholds import Arrivals
from engine.matching.tickets import Pool, Ticket


class Room:
    """One pool as the lobby sees it."""

    __slots__ = ("arrivals", "family", "fresh", "members", "number", "pool")

    def __init__(self, pool: Pool, number: int, family: "list[Room]") -> None:
        self.pool = pool
        self.number = number
        self.family = family  # all pools that differ by nothing but the language
        self.arrivals = Arrivals()
        self.members: dict[int, Ticket] = {}  # who waits, in order of age; kept only where windows pair
        self.fresh = False  # somebody came since the last window

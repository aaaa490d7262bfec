"""Define a row of the matcher's figures, and take the median of several rounds. All of a row is of one round, except its spread."""

from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass
class Row:
    """Figures of one scenario; 0: the scenario has no such figure."""

    scenario: str
    mode: str = ""
    arrivals_per_s: float = 0.0
    slowest_per_s: float = 0.0  # of spans of 50,000 arrivals: a tenth of them was slower than this
    fastest_per_s: float = 0.0  # and a tenth faster than this
    p50_ns: float = 0.0
    p99_ns: float = 0.0
    max_ns: float = 0.0
    matched: float = 0.0
    mean_overlap: float = 0.0
    overlap_of_exact: float = 0.0
    bytes_per_ticket: float = 0.0
    postings_read: float = 0.0
    arrivals: int = 0
    over_1_ms: int = 0  # timed arrivals, by the wall: being interrupted counts
    over_1_ms_own: int = 0  # of these, in batches of which the thread's own CPU time says that the matcher did it
    slowest_round_per_s: float = 0.0  # the rates of the slowest and the fastest of the rounds
    fastest_round_per_s: float = 0.0


def middle(rounds: Sequence[Sequence[Row]]) -> list[Row]:
    """Return, per scenario, the round with the median rate (the slower of two), with the spread of all."""
    return [_median(list(found)) for found in zip(*rounds, strict=True)]


def _median(found: list[Row]) -> Row:
    found.sort(key=lambda row: row.arrivals_per_s)
    slowest, fastest = found[0].arrivals_per_s, found[-1].arrivals_per_s
    return replace(found[(len(found) - 1) // 2], slowest_round_per_s=slowest, fastest_round_per_s=fastest)

"""Collect the figures of a load test: counts, times, errors, and how busy the testing program itself was.

**Invariant:** memory does not grow with the length of a test: times are counted in buckets 2 % wide.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

WIDTH: Final = math.log(1.02)  # of a bucket
LEAST_S: Final = 1e-5  # shorter times are in the first bucket
FULL: Final = 0.85  # share of a core from which on a program of one thread is the limit
LATE_S: Final = 0.02  # delay of this program itself (p99) from which on it is a part of every time


class Times:
    """A distribution of seconds."""

    def __init__(self) -> None:
        self._buckets: Counter[int] = Counter()
        self.count = 0
        self.most = 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        self._buckets[max(0, math.ceil(math.log(max(seconds, LEAST_S) / LEAST_S) / WIDTH))] += 1
        self.count += 1
        self.most = max(self.most, seconds)

    def quantile(self, share: float) -> float | None:
        """Return the time that this share does not exceed, 2 % too long at most; None without any."""
        left = math.ceil(self.count * share)
        for bucket in sorted(self._buckets):
            left -= self._buckets[bucket]
            if left <= 0:
                return min(self.most, LEAST_S * math.exp(bucket * WIDTH))
        return None

    def summary(self) -> dict[str, Any]:
        """Return the figures, in milliseconds."""
        times = {"p50": self.quantile(0.5), "p99": self.quantile(0.99), "max": self.most if self.count else None}
        return {"count": self.count} | {
            name: None if one is None else round(one * 1000, 2) for name, one in times.items()
        }


@dataclass
class LoadFigures:
    """Figures of one test, since the last `begin`; the errors are those of all of it."""

    connect: Times = field(default_factory=Times)
    match: Times = field(default_factory=Times)
    line: Times = field(default_factory=Times)
    delay: Times = field(default_factory=Times)  # of this program: how late its timers are
    chats: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    _since: tuple[float, float] = (0.0, 0.0)  # wall clock, CPU time
    _until: tuple[float, float] | None = None

    def begin(self) -> None:
        """Forget what came before: users were still arriving."""
        self.connect, self.match, self.line, self.delay, self.chats = Times(), Times(), Times(), Times(), 0
        self._since = (time.monotonic(), time.process_time())

    def end(self) -> None:
        """Stop the clock. What is under way still counts its errors."""
        self._until = (time.monotonic(), time.process_time())

    @property
    def open(self) -> bool:
        """Whether times and chats are counted."""
        return self._until is None

    def summary(self) -> dict[str, Any]:
        """Return all of it as JSON has it."""
        wall, cpu = (now - then for now, then in zip(self._until or self._since, self._since, strict=True))
        busy, late = cpu / max(wall, 1e-9), self.delay.quantile(0.99) or 0.0
        return {
            "seconds": round(wall, 2),
            "chats": self.chats,
            "chats_per_second": round(self.chats / max(wall, 1e-9), 2),
            "lines": self.line.count,
            "lines_per_second": round(self.line.count / max(wall, 1e-9), 2),
            "connect_ms": self.connect.summary(),
            "match_ms": self.match.summary(),
            "line_ms": self.line.summary(),
            "errors": dict(self.errors.most_common()),
            "own": {
                "cpu": round(busy, 3),
                "delay_ms": self.delay.summary(),
                "limits": busy >= FULL or late >= LATE_S,
            },
        }


def table(figures: dict[str, Any]) -> str:
    """Return a summary as text."""
    rows = [f"{'':16}{'count':>10}{'per second':>14}"]
    rows += [f"{name:16}{figures[name]:>10}{figures[f'{name}_per_second']:>14}" for name in ("chats", "lines")]
    rows += ["", f"{'ms':16}{'count':>10}{'p50':>10}{'p99':>10}{'max':>10}"]
    for title, name in (("connect", "connect_ms"), ("time to match", "match_ms"), ("line", "line_ms")):
        shown = ("-" if figures[name][one] is None else figures[name][one] for one in ("count", "p50", "p99", "max"))
        rows.append(f"{title:16}" + "".join(f"{one:>10}" for one in shown))
    errors = [f"{count} × {name}" for name, count in figures["errors"].items()]
    own = figures["own"]
    delay = own["delay_ms"]["p99"] or 0.0
    rows += ["", f"errors: {', '.join(errors) or 'none'}"]
    rows += [f"this program: {own['cpu']:.0%} of a core, its own timers late by {delay} ms (p99)"]
    if own["limits"]:
        rows += [
            "This program or its machine was the limit: the times contain its own delays, and the server may do more than this.",
            "Test with fewer users, or with several such programs on other cores or machines.",
        ]
    return "\n".join(rows)

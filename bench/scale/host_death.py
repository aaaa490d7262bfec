"""Simulate the death of a host: how soon its users are back at the others. The pauses are read from the page (`client/js/backoff.js`).

Each user retries after their own pause; the other hosts accept so many handshakes a second and queue a moment's worth; a refused user retries
later. The load balancer sends no user to the dead host.
"""

import re
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.scale.assumptions import Assumed
from bench.support.results import ROOT

PAGE: Final = ROOT / "client/js/backoff.js"
STEP: Final = 0.01  # seconds
LONGEST: Final = 600.0  # seconds
POINTS: Final = 20  # of the curve that is kept
CASES: Final = ((10, 100_000), (2, 100_000), (40, 250_000), (2, 250_000))  # hosts, and people of each
Times = NDArray[np.float64]


class Pauses(NamedTuple):
    """Seconds: the steps, and the longest of them in a waiting chat."""

    steps: tuple[float, ...]
    soon: float


def pauses() -> Pauses:
    """Return those of the page. Raises ValueError if it has none."""
    text = PAGE.read_text()
    found = [re.search(rf"{name} = (\d+)", text) for name in ("FIRST", "MOST", "SOON")]
    first, most, soon = (int(number[1]) / 1000 if number else 0.0 for number in found)
    if not (first and most and soon):
        raise ValueError(f"{PAGE} has no steps")
    steps = [first]
    while steps[-1] < most:
        steps.append(min(2 * steps[-1], most))
    return Pauses(tuple(steps), soon)


class Crowd:
    """Users of the dead host. `talking`: in a chat, whose pauses are short as long as the chat may wait."""

    def __init__(self, people: int, world: Assumed, seed: int) -> None:
        self._dice = np.random.default_rng(seed)
        self._pauses = pauses()
        self._grace = world.grace
        self._talking = self._dice.random(people) < world.talking
        self._tries = np.zeros(people, np.int64)
        self._next = np.zeros(people)
        self.back: Times = np.full(people, np.nan)
        self.refused = 0
        self._wait(np.arange(people), 0.0)

    def _wait(self, who: NDArray[np.int64], now: float) -> None:
        """Schedule the next try after half to all of the step."""
        steps = np.asarray(self._pauses.steps)[np.minimum(self._tries[who], len(self._pauses.steps) - 1)]
        if now < self._grace:
            steps = np.where(self._talking[who], np.minimum(steps, self._pauses.soon), steps)
        self._next[who] = now + steps * self._dice.uniform(0.5, 1.0, len(who))
        self._tries[who] += 1

    def knock(self, room: int, now: float) -> int:
        """Admit up to `room` of those who try by now, in random order; return how many."""
        here = np.flatnonzero(np.isnan(self.back) & (self._next <= now))
        if not len(here):
            return 0
        order = self._dice.permutation(here)
        self.back[order[:room]] = now
        self.refused += len(order[room:])
        self._wait(order[room:], now)
        return min(room, len(here))


def run(hosts: int, people: int, world: Assumed, seed: int) -> Crowd:
    """Simulate the death of one of the hosts, with `people` on it, until all are back, or LONGEST."""
    crowd = Crowd(people, world, seed)
    rate = (hosts - 1) * world.tls
    free, now = 0.0, 0.0
    while now < LONGEST and np.isnan(crowd.back).any():
        now += STEP
        free = min(rate * world.queue, free + rate * STEP)
        free -= crowd.knock(int(free), now)
    return crowd


def figures(hosts: int, people: int, world: Assumed, seed: int) -> dict[str, Any]:
    """Return a row: when users are back, how often each was refused, how many find their session at another host."""
    crowd = run(hosts, people, world, seed)
    back = np.where(np.isnan(crowd.back), LONGEST, crowd.back)
    p50, p90, p99, last = (round(float(at), 2) for at in np.quantile(back, (0.5, 0.9, 0.99, 1.0)))
    return {
        "hosts": hosts, "people": people, "p50_s": p50, "p90_s": p90, "p99_s": p99, "last_s": last,
        "least_s": round(people / ((hosts - 1) * world.tls), 2), "refused": round(crowd.refused / people, 3),
        "in_grace": round(float(np.mean(back <= world.grace)), 4),
        "curve": [round(float(at), 2) for at in np.quantile(back, np.linspace(0.0, 1.0, POINTS + 1))],
    }  # fmt: skip


def everything(world: Assumed, seed: int) -> list[dict[str, Any]]:
    """Return all cases."""
    return [figures(hosts, people, world, seed) for hosts, people in CASES]

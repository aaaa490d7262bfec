"""A host dies: how soon its people are back at the others. Rule: the pauses are the page's own (`server/site/web/backoff.js`), read from it.

Each tries after a pause of its own; the fronts of the other hosts take so many handshakes a second and keep a moment's worth waiting; who
is refused tries again later. The balancer sends nobody to the dead host.
"""

import re
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.scale.assumed import Assumed
from bench.support.results import ROOT

PAGE: Final = ROOT / "server/site/web/backoff.js"
STEP: Final = 0.01  # seconds
LONGEST: Final = 600.0  # seconds
POINTS: Final = 20  # of the curve that is kept
CASES: Final = ((10, 100_000), (2, 100_000), (40, 250_000), (2, 250_000))  # hosts, and people of each
Times = NDArray[np.float64]


class Pauses(NamedTuple):
    """Seconds: the steps, and the longest of them while a chat waits."""

    steps: tuple[float, ...]
    soon: float


def pauses() -> Pauses:
    """Those of the page. Raises ValueError where it does not have them."""
    text = PAGE.read_text()
    steps, soon = re.search(r"STEPS = \[([\d, ]+)\]", text), re.search(r"SOON = (\d+)", text)
    if steps is None or soon is None:
        raise ValueError(f"{PAGE} has no steps")
    return Pauses(tuple(int(step) / 1000 for step in steps[1].split(",")), int(soon[1]) / 1000)


class Crowd:
    """The people of the dead host. `talking`: in a chat, whose pauses are short as long as it may wait."""

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
        """They try again after a pause, between half of their step and all of it."""
        steps = np.asarray(self._pauses.steps)[np.minimum(self._tries[who], len(self._pauses.steps) - 1)]
        if now < self._grace:
            steps = np.where(self._talking[who], np.minimum(steps, self._pauses.soon), steps)
        self._next[who] = now + steps * self._dice.uniform(0.5, 1.0, len(who))
        self._tries[who] += 1

    def knock(self, room: int, now: float) -> int:
        """Who tries by now: `room` of them, in no order, are let in; how many were."""
        here = np.flatnonzero(np.isnan(self.back) & (self._next <= now))
        if not len(here):
            return 0
        order = self._dice.permutation(here)
        self.back[order[:room]] = now
        self.refused += len(order[room:])
        self._wait(order[room:], now)
        return min(room, len(here))


def run(hosts: int, people: int, world: Assumed, seed: int) -> Crowd:
    """One of so many hosts dies, with `people` on it; until all are back, or LONGEST."""
    crowd = Crowd(people, world, seed)
    rate = (hosts - 1) * world.tls
    free, now = 0.0, 0.0
    while now < LONGEST and np.isnan(crowd.back).any():
        now += STEP
        free = min(rate * world.queue, free + rate * STEP)
        free -= crowd.knock(int(free), now)
    return crowd


def figures(hosts: int, people: int, world: Assumed, seed: int) -> dict[str, Any]:
    """A row: when they are back, how often each was refused, and how many find their session still there elsewhere."""
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
    """All cases."""
    return [figures(hosts, people, world, seed) for hosts, people in CASES]

"""Simulate waits in one waiting room, in one per cluster, and in one per cluster with a common one behind, over the service's `Lobby`.

Users of a pool arrive by Poisson at their clusters; half name interests (`bench.matching.workloads`). A user handed to the common room waits in
both, and the first match removes them from the other. Left out: the delay between clusters, and users who give up.

    one      all clusters share one waiting room
    clusters    each has its own, and nothing else
    thin     each has its own; a user of a pool that is thin there also waits in a common one
    common   as `thin`, and so does every user without a match by the first step
"""

from collections.abc import Sequence
from heapq import heappop, heappush
from typing import Any, Final, NamedTuple

import numpy as np

from bench.matching.workloads import Stream
from bench.scale.assumptions import Assumed
from engine.matching.lobby import Lobby
from engine.matching.thresholds import Thresholds
from engine.matching.tickets import Match, Pool, Ticket
from ext.match.interner import Ids

ONE, CLUSTERS, THIN, COMMON = "one", "clusters", "thin", "common"
WAYS: Final = (ONE, CLUSTERS, THIN, COMMON)
RULES: Final = Thresholds()
POOL: Final = Pool()
BEGIN: Final = 600.0  # seconds on the clock when the first comes: the rooms know a minute of arrivals before
ARRIVED: Final = 5.0  # seconds in which arrivals are counted together (`Arrivals.lately`)
MINUTE: Final = round(60 / ARRIVED)  # spans that a room remembers
LATEST: Final = 120.0  # seconds after the last arrival: who has met nobody by then is counted as waiting
FEWEST: Final = 20_000  # arrivals of a pool
SPAN: Final = 15.0  # seconds of arrivals, where these are more
RANKS: Final = (1, 5, 20, 60, 120)  # of languages
PART: Final = 0.01  # of the last language: a pool of one college, or of a role, in it


class Waiting(NamedTuple):
    """A user who searches at a cluster."""

    cluster: int
    since: float
    words: list[str]


class Meeting(NamedTuple):
    """A match, and its time."""

    match: Match
    at: float


class Room:
    """A waiting room, and the words that its tickets hold."""

    def __init__(self, rate: float) -> None:
        """Take `rate`, the arrivals a second in the last minute."""
        self.lobby = Lobby(RULES)
        self.lobby.take_pace(POOL, [round(rate * ARRIVED)] * MINUTE, BEGIN)
        self._ids: dict[int, Ids] = {}

    def hand_in(self, client: int, waiting: Waiting, now: float) -> Match | None:
        """Submit a ticket, with the age of its wait."""
        ids = self._ids[client] = self.lobby.intern(waiting.words)
        return self.lobby.submit(Ticket(client, POOL, ids, person=client + 1, since=waiting.since), now)

    def out(self, client: int, now: float) -> None:
        """Remove a user matched here or in another room; a second call does nothing."""
        ids = self._ids.pop(client, None)
        if ids is not None:
            self.lobby.cancel(client, now)
            self.lobby.release(ids)


class Rooms:
    """Waiting rooms of one pool. `rates`: arrivals a second by cluster."""

    def __init__(self, way: str, rates: Sequence[float], thin: float) -> None:
        self._rates = rates
        self._thin = thin
        self._steps_too = way == COMMON
        self._own = [Room(sum(rates))] if way == ONE else [Room(rate) for rate in rates]
        self._common = Room(0.0) if way in (THIN, COMMON) else None
        self._all = [*self._own, self._common] if self._common is not None else self._own
        self._steps: list[tuple[float, int]] = []  # when who is handed to the common room
        self.waiting: dict[int, Waiting] = {}
        self.met: list[Meeting] = []
        self.asked = 0  # tickets of the common room

    def come(self, client: int, waiting: Waiting) -> None:
        """Let a user search, later than all before."""
        cluster, now = waiting.cluster, waiting.since
        self.until(now)
        self.waiting[client] = waiting
        if self._handed(self._own[cluster if len(self._own) > 1 else 0], client, waiting, now) or self._common is None:
            return
        if self._rates[cluster] < self._thin:
            self._ask(client, now)
        elif self._steps_too:
            heappush(self._steps, (now + RULES.any_at(self._rates[cluster]), client))

    def until(self, now: float) -> None:
        """Do what is due up to `now`, in order."""
        while True:
            at, room = now, None
            for one in self._all:
                due = one.lobby.due()
                if due is not None and due <= at:
                    at, room = due, one
            if self._steps and self._steps[0][0] <= at:
                at, client = heappop(self._steps)
                if client in self.waiting:
                    self._ask(client, at)
            elif room is not None:
                for match in room.lobby.advance(at)[0]:
                    self._meet(match, at)
            else:
                return

    def _ask(self, client: int, now: float) -> None:
        if self._common is not None:
            self.asked += 1
            self._handed(self._common, client, self.waiting[client], now)

    def _handed(self, room: Room, client: int, waiting: Waiting, now: float) -> bool:
        match = room.hand_in(client, waiting, now)
        if match is not None:
            self._meet(match, now)
        return match is not None

    def _meet(self, match: Match, now: float) -> None:
        for client in (match.a, match.b):
            del self.waiting[client]  # KeyError for who met somebody already: that is a fault, and ends the bench
            for room in self._all:
                room.out(client, now)
        self.met.append(Meeting(match, now))


def shares(world: Assumed, rank: int) -> list[float]:
    """Return the share of a language's users by cluster: many are in the one that is its home."""
    clusters = world.clusters
    if clusters == 1:
        return [1.0]
    found = [(1 - world.home) / (clusters - 1)] * clusters
    found[(rank - 1) % clusters] = world.home
    return found


def sizes(world: Assumed) -> list[float]:
    """Return the share of each language, largest first."""
    weights = [1 / rank**world.exponent for rank in range(1, world.languages + 1)]
    return [weight / sum(weights) for weight in weights]


def coming(rates: Sequence[float], world: Assumed, arrivals: int, seed: int) -> list[Waiting]:
    """Return the users in order of arrival."""
    dice = np.random.default_rng(seed)
    total = sum(rates)
    times = BEGIN + np.cumsum(dice.exponential(1 / total, arrivals))
    clusters = dice.choice(len(rates), arrivals, p=np.asarray(rates) / total)
    named = dice.random(arrivals) < world.interests
    block = Stream(seed).take(arrivals)
    return [
        Waiting(cluster, at, [f"i{number}" for number in block.ids(client)] if names else [])
        for client, (cluster, at, names) in enumerate(
            zip(clusters.tolist(), times.tolist(), named.tolist(), strict=True)
        )
    ]


def run(way: str, rates: Sequence[float], people: Sequence[Waiting], thin: float) -> Rooms:
    """Let them arrive; then let time run until hardly anything can happen."""
    rooms = Rooms(way, rates, thin)
    for client, person in enumerate(people):
        rooms.come(client, person)
    rooms.until(people[-1].since + LATEST)
    return rooms


def compared(rates: Sequence[float], world: Assumed, arrivals: int, seed: int) -> dict[str, dict[str, float]]:
    """Run all modes for the same users."""
    people = coming(rates, world, arrivals, seed)
    return {way: figures(run(way, rates, people, world.thin), people) for way in WAYS}


def figures(rooms: Rooms, people: Sequence[Waiting]) -> dict[str, float]:
    """Return the figures of users who arrived in the middle of the time, when the rooms were full; unmatched ones wait at least until the end."""
    arrivals, end = len(people), people[-1].since + LATEST
    waits = np.array([end - one.since for one in people])
    crossing = shared = 0
    for match, _ in rooms.met:
        waits[match.a], waits[match.b] = match.waited_a, match.waited_b
        crossing += people[match.a].cluster != people[match.b].cluster
        shared += bool(match.common)
    part = slice(round(0.3 * arrivals), round(0.8 * arrivals))
    middle, plain = waits[part], np.array([not one.words for one in people])[part]
    pairs = max(1, len(rooms.met))
    p50, p90, p99 = (round(float(wait), 3) for wait in np.quantile(middle, (0.5, 0.9, 0.99)))
    plain_p99 = round(float(np.quantile(middle[plain], 0.99)), 3)  # of those who name no interest
    return {
        "p50_s": p50, "p90_s": p90, "p99_s": p99, "plain_p99_s": plain_p99, "mean_s": round(float(middle.mean()), 3),
        "crossing": round(crossing / pairs, 4),
        "asked": round(rooms.asked / arrivals, 4), "by_interest": round(shared / pairs, 4),
        "waiting": len(rooms.waiting), "met": 2 * len(rooms.met), "arrivals": arrivals,
    }  # fmt: skip


def many(rate: float, scale: float) -> int:
    """Return the number of arrivals of a pool: those of SPAN seconds, FEWEST at least; `scale`: of a shorter run."""
    return max(200, round(max(FEWEST, rate * SPAN) * scale))


def languages(world: Assumed, seed: int, scale: float = 1.0) -> list[dict[str, Any]]:
    """Return one row per language (`RANKS`), and one for a thin pool in the last of them: all modes."""
    finds, parts = world.people * world.talking / world.find_every, sizes(world)
    rows = []
    for rank, part in [*((rank, 1.0) for rank in RANKS), (RANKS[-1], PART)]:
        rate = finds * parts[rank - 1] * part
        rates = [rate * share for share in shares(world, rank)]
        ways = compared(rates, world, many(rate, scale), seed + rank)
        rows.append({"rank": rank, "part": part, "share": parts[rank - 1] * part, "rate": rate, "ways": ways})
    return rows


def small(world: Assumed, seed: int, scale: float = 1.0) -> list[dict[str, Any]]:
    """Return one row per service of few users on two hosts, one pool: all modes, a cluster being a host."""
    rows = []
    for people in (300, 3_000, 30_000):
        rate = people * world.talking / world.find_every
        rows.append({"people": people, "rate": rate, "ways": compared([rate / 2] * 2, world, many(rate, scale), seed)})
    return rows

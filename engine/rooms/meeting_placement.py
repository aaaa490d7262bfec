"""Choose the worker where users of several workers meet after a match, by the number of users of each worker.

Within a host the worker with the fewest users is chosen. Users of two hosts meet at one of the two, because each user of the other host costs a
relayed connection.
**Invariant:** a chat is never placed at a host that none of its users is connected to.
"""

# The users of a `fixed` worker do not migrate within their host: partners come to them; only to a fixed worker of another host do they migrate, at a
# higher cost. A worker is a number: that of its host, with that of the worker in the lowest HOST_BITS. Two hosts between which every migration fails
# (a cut network, a wrong clock) are not matched with each other for CUT_FOR seconds at a time. This is expressed by placement groups
# (`Ticket.place`), so it costs a match nothing.

from itertools import combinations
from typing import Final

HOST_BITS: Final = 8  # bits of a worker's number in its host
FAILS: Final = 8  # failed matches of two hosts in a row, after which they count as cut off from each other
CUT_FOR: Final = 10.0  # seconds
OTHERS: Final = 0xFFFF  # the group of hosts that are cut off from some host, but not from each other
HOMES_MAX: Final = 256  # the index keeps a byte of a ticket's home; workers or hosts beyond have none
NOBODY: Final[list[int]] = []
EMPTIER: Final = 0.75  # a worker with fewer than this share of the users of the members' emptiest worker takes them all


class Placement:
    """Workers of one hub, their users and hosts."""

    __slots__ = ("_cut", "_failed", "_fixed", "_free", "_homes", "_numbers", "_places", "apart", "leaving", "people")

    def __init__(self) -> None:
        self.people: dict[int, int] = {}  # by worker
        self.leaving: set[int] = set()  # workers that accept no newcomers
        self._fixed: set[int] = set()  # workers whose users stay within their host
        self._free: dict[int, list[int]] = {}  # by host, the other workers that accept newcomers
        self._places: dict[int, int] = {}  # group by worker; a worker without one is not in it
        self._homes: dict[int, int] = {}  # see `home`, by worker
        self._numbers: dict[int, int] = {}  # group by host, from 1 on; reused when no worker of its host is left
        self._failed: dict[tuple[int, int], int] = {}  # failed matches in a row, by pair of hosts
        self._cut: dict[tuple[int, int], float] = {}  # pair of hosts to the end of their separation, earliest first
        self.apart = False  # there is more than one host

    def joined(self, worker: int, people: int, fixed: bool) -> None:
        """Add a worker. `fixed`: partners of its users come to them, except those of another fixed worker."""
        self.people[worker] = people
        if fixed:
            self._fixed.add(worker)
        self._opened()

    def gone(self, worker: int) -> None:
        """Remove a dead worker."""
        self.people.pop(worker, None)
        self._fixed.discard(worker)
        self.leaving.discard(worker)
        self._opened()

    def leaves(self, worker: int) -> None:
        """Send no newcomers to a worker: it drains, or does not serve yet."""
        self.leaving.add(worker)
        self._opened()

    def stays(self, worker: int) -> None:
        """Accept newcomers for a worker again."""
        self.leaving.discard(worker)
        self._opened()

    def place(self, worker: int) -> int:
        """Return the placement group of a worker's tickets (`Ticket.place`)."""
        place: int = self._places.get(worker, 0)
        return place

    def home(self, worker: int) -> int:
        """Return the number by which users who need not migrate to meet know each other (`Ticket.home`): of the host, if there are several."""
        home: int = self._homes.get(worker, 0)
        return home

    # hosts that are cut off from each other

    def met(self, homes: list[int]) -> None:
        """Note a match of these workers that succeeded."""
        for pair in _hosts(homes):
            self._failed.pop(pair, None)

    def missed(self, homes: list[int], now: float) -> None:
        """Note a match of these workers that failed."""
        for pair in _hosts(homes):
            failed = self._failed[pair] = self._failed.get(pair, 0) + 1
            if failed >= FAILS and pair not in self._cut:
                self._cut[pair] = now + CUT_FOR
                self._put()

    def due(self) -> float | None:
        """Return when `advance` has work next; None: never."""
        return next(iter(self._cut.values())) if self._cut else None

    def advance(self, now: float) -> list[int]:
        """Try hosts again whose separation is over, once. Return the workers whose group changed."""
        if not self._cut:
            return NOBODY
        over = [pair for pair, until in self._cut.items() if until <= now]
        for pair in over:
            del self._cut[pair]
            self._failed[pair] = FAILS - 1
        before = self._places
        self._put()
        return [worker for worker, place in before.items() if self._places.get(worker, 0) != place]

    def _put(self) -> None:
        """Assign the groups. The hosts cut off from most others get one each, so that all others stay together."""
        numbers = self._number()
        self._failed = {
            pair: count for pair, count in self._failed.items() if pair[0] in numbers and pair[1] in numbers
        }
        self._cut = {pair: until for pair, until in self._cut.items() if pair[0] in numbers and pair[1] in numbers}
        cut = set(self._cut)
        places = {host: OTHERS for pair in cut for host in pair}
        while cut:
            worst = max(places, key=lambda host: (sum(host in pair for pair in cut), host))
            places[worst] = numbers[worst]
            cut = {pair for pair in cut if worst not in pair}
        self._places = {}
        for worker in self.people:
            place = places.get(worker >> HOST_BITS, 0)
            if place:
                self._places[worker] = place

    def _number(self) -> dict[int, int]:
        """Return a number for each host; 0 for a host that is alone."""
        hosts = {worker >> HOST_BITS for worker in self.people}
        self._numbers = {host: number for host, number in self._numbers.items() if host in hosts}
        taken = set(self._numbers.values())
        for host in sorted(hosts - set(self._numbers)):
            number = next(one for one in range(1, len(taken) + 2) if one not in taken) if host else 0
            self._numbers[host] = number
            taken.add(number)
        return self._numbers

    # where they meet

    def where(self, homes: list[int]) -> int:
        """Return the worker where users of these workers meet: a fixed one, else the emptiest."""
        if homes.count(homes[0]) == len(homes):
            return homes[0]
        fixed = [home for home in homes if home in self._fixed] if self._fixed else NOBODY
        if fixed:
            return fixed[0] if fixed.count(fixed[0]) == len(fixed) else self._of_fixed(homes, fixed)
        if self.apart:
            homes = self._of_one_host(homes)
        people, free = self.people, self._free.get(homes[0] >> HOST_BITS)
        there = [home for home in homes if home not in self.leaving] if self.leaving else homes
        least = self._emptiest(there or homes)
        other = self._emptiest(free) if free else least
        return other if people[other] < EMPTIER * people[least] else least

    def _of_fixed(self, homes: list[int], fixed: list[int]) -> int:
        """Return the fixed worker, of several hosts: one that accepts newcomers, at the host of most members, with the fewest users."""
        hosts = [home >> HOST_BITS for home in homes]
        there = [home for home in fixed if home not in self.leaving] or fixed
        return min(there, key=lambda home: (-hosts.count(home >> HOST_BITS), self.people[home], home))

    def _of_one_host(self, homes: list[int]) -> list[int]:
        """Return the members' workers at the host where all meet: it accepts newcomers, has most members, and the fewest users per worker."""
        by_host: dict[int, list[int]] = {}
        for home in homes:
            by_host.setdefault(home >> HOST_BITS, []).append(home)
        if len(by_host) == 1:
            return homes
        hosts = [host for host in by_host if self._free.get(host)] or list(by_host)
        return by_host[min(hosts, key=lambda host: (-len(by_host[host]), self._mean(host), host))]

    def _mean(self, host: int) -> float:
        """Return the mean number of users of a host's workers that accept newcomers."""
        there = self._free.get(host) or [worker for worker in self.people if worker >> HOST_BITS == host]
        return sum([self.people[worker] for worker in there]) / len(there)

    def _emptiest(self, workers: list[int]) -> int:
        """Return the worker with the fewest users; of several the first."""
        found, fewest = workers[0], self.people[workers[0]]
        for worker in workers:
            there = self.people[worker]
            if there < fewest or (there == fewest and worker < found):
                found, fewest = worker, there
        return found

    def _opened(self) -> None:
        """Update the tables after a change of the workers."""
        self._free = {}
        for worker in self.people:
            if worker not in self._fixed and worker not in self.leaving:
                self._free.setdefault(worker >> HOST_BITS, []).append(worker)
        self.apart = len({worker >> HOST_BITS for worker in self.people}) > 1
        shift = HOST_BITS if self.apart else 0
        named: dict[int, int] = {}
        for worker in sorted(self.people):
            named.setdefault(worker >> shift, len(named) + 1)
        self._homes = {worker: min(named[worker >> shift], HOMES_MAX) % HOMES_MAX for worker in self.people}
        self._put()


def _hosts(homes: list[int]) -> list[tuple[int, int]]:
    """Return all pairs of different hosts of workers, smaller number first."""
    return list(combinations(sorted({home >> HOST_BITS for home in homes}), 2))

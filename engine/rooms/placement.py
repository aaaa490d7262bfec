"""Where people of several workers meet: which workers there are, how many people each has, who may go to which.

Rule: who meets stays within the hosts that they are at. Of one host it is the emptiest of its workers, a third one too; of two hosts it is at one
of them, for each person who is at another costs that host a connection and both of them every line.

A worker is a number: its host's, with that of the worker in the lowest HOST_BITS.

Who does not move where there is one host (`fixed`) is come to, and goes to another such one of another host, which costs more.

Who cannot go to each other are not matched: those of two hosts between which nobody comes over (a network that is cut, a clock that is off), for
CUT_FOR seconds at a time. That is said by places (`Ticket.place`), so that it costs a pair nothing.
"""

from itertools import combinations
from typing import Final

HOST_BITS: Final = 8  # of a worker in its host
FAILS: Final = 8  # matches of two hosts that come to nothing, none in between that does not, until they are taken to be cut off from each other
CUT_FOR: Final = 10.0  # seconds
OTHERS: Final = 0xFFFF  # the place of all who are cut off from somebody and not from each other
NOBODY: Final[list[int]] = []
EMPTIER: Final = 0.75  # of the people of those who meet: a worker with fewer takes them all


class Placing:
    """Of one hub."""

    __slots__ = ("_cut", "_failed", "_fixed", "_free", "_numbers", "_places", "apart", "leaving", "people")

    def __init__(self) -> None:
        self.people: dict[int, int] = {}  # by worker
        self.leaving: set[int] = set()  # workers that nobody is to come to
        self._fixed: set[int] = set()  # workers whose people stay within their host
        self._free: dict[int, list[int]] = {}  # all others that take people, by host
        self._places: dict[int, int] = {}  # by worker; who is not there has none
        self._numbers: dict[int, int] = {}  # by host, from 1 on; one is given again when nobody of its host waits
        self._failed: dict[tuple[int, int], int] = {}  # matches in a row, by their two hosts
        self._cut: dict[tuple[int, int], float] = {}  # until when two hosts are, the soonest first
        self.apart = False  # there is more than one host

    def joined(self, worker: int, people: int, fixed: bool) -> None:
        """A worker is there. `fixed`: whom its people meet comes to them, but for those of another such one."""
        self.people[worker] = people
        if fixed:
            self._fixed.add(worker)
        self._opened()

    def gone(self, worker: int) -> None:
        """A worker is dead."""
        self.people.pop(worker, None)
        self._fixed.discard(worker)
        self.leaving.discard(worker)
        self._opened()

    def leaves(self, worker: int) -> None:
        """Nobody is to come to a worker: its people go elsewhere and it ends, or it does not serve yet."""
        self.leaving.add(worker)
        self._opened()

    def stays(self, worker: int) -> None:
        """People may come to it."""
        self.leaving.discard(worker)
        self._opened()

    def place(self, worker: int) -> int:
        """Of the tickets of a worker (`Ticket.place`)."""
        place: int = self._places.get(worker, 0)
        return place

    # two hosts that are cut off from each other

    def met(self, homes: list[int]) -> None:
        """People of these workers did."""
        for pair in _hosts(homes):
            self._failed.pop(pair, None)

    def missed(self, homes: list[int], now: float) -> None:
        """They did not."""
        for pair in _hosts(homes):
            failed = self._failed[pair] = self._failed.get(pair, 0) + 1
            if failed >= FAILS and pair not in self._cut:
                self._cut[pair] = now + CUT_FOR
                self._put()

    def due(self) -> float | None:
        """When `advance` has something to do; None: never."""
        return next(iter(self._cut.values()), None)

    def advance(self, now: float) -> list[int]:
        """Who was cut off for so long is tried again, once: the workers whose people have another place by that."""
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
        """Give each worker the place of its people. The hosts most cut off have one each, so that all others go on together."""
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
        """A number for each host; that of one that is alone, and has no other to be told from, is 0."""
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
        """Where people of these workers meet: where somebody is come to, else where the fewest are."""
        if homes.count(homes[0]) == len(homes):
            return homes[0]
        fixed = [home for home in homes if home in self._fixed]
        if fixed:
            return fixed[0] if fixed.count(fixed[0]) == len(fixed) else self._of_fixed(homes, fixed)
        if self.apart:
            homes = self._of_one_host(homes)
        people, free = self.people, self._free.get(homes[0] >> HOST_BITS)
        least = self._emptiest([home for home in homes if home not in self.leaving] or homes)
        other = self._emptiest(free) if free else least
        return other if people[other] < EMPTIER * people[least] else least

    def _of_fixed(self, homes: list[int], fixed: list[int]) -> int:
        """Of those who are come to, of several hosts: one that takes people, where most of all are, with the fewest people."""
        hosts = [home >> HOST_BITS for home in homes]
        there = [home for home in fixed if home not in self.leaving] or fixed
        return min(there, key=lambda home: (-hosts.count(home >> HOST_BITS), self.people[home], home))

    def _of_one_host(self, homes: list[int]) -> list[int]:
        """Those of them at the host where all meet: one that takes people, where most of them are, with the fewest people a worker."""
        by_host: dict[int, list[int]] = {}
        for home in homes:
            by_host.setdefault(home >> HOST_BITS, []).append(home)
        if len(by_host) == 1:
            return homes
        hosts = [host for host in by_host if self._free.get(host)] or list(by_host)
        return by_host[min(hosts, key=lambda host: (-len(by_host[host]), self._mean(host), host))]

    def _mean(self, host: int) -> float:
        """People a worker that takes some."""
        there = self._free.get(host) or [worker for worker in self.people if worker >> HOST_BITS == host]
        return sum([self.people[worker] for worker in there]) / len(there)

    def _emptiest(self, workers: list[int]) -> int:
        """The one with the fewest people; of several the first."""
        found, fewest = workers[0], self.people[workers[0]]
        for worker in workers:
            there = self.people[worker]
            if there < fewest or (there == fewest and worker < found):
                found, fewest = worker, there
        return found

    def _opened(self) -> None:
        """Who comes, ends or leaves changes where people may go."""
        self._free = {}
        for worker in self.people:
            if worker not in self._fixed and worker not in self.leaving:
                self._free.setdefault(worker >> HOST_BITS, []).append(worker)
        self.apart = len({worker >> HOST_BITS for worker in self.people}) > 1
        self._put()


def _hosts(homes: list[int]) -> list[tuple[int, int]]:
    """Each two different hosts of workers, the smaller number first."""
    return list(combinations(sorted({home >> HOST_BITS for home in homes}), 2))

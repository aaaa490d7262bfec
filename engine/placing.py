"""Where people of several workers meet: which workers there are, how many people each has, who may go to which.

Rule: who meets stays within the hosts that they are at. Of one host it is the emptiest of its workers, a third one too; of two hosts it is at one
of them, for each person who is at another costs that host a connection and both of them every line.

A worker is a number: its host's, with that of the worker in the lowest HOST_BITS.
"""

from typing import Final

HOST_BITS: Final = 8  # of a worker in its host
EMPTIER: Final = 0.75  # of the people of those who meet: a worker with fewer takes them all


class Placing:
    """Of one hub."""

    __slots__ = ("_apart", "_fixed", "_free", "_places", "leaving", "people")

    def __init__(self) -> None:
        self.people: dict[int, int] = {}  # by worker
        self.leaving: set[int] = set()  # workers that nobody is to come to
        self._fixed: set[int] = set()  # workers whose people do not move
        self._free: dict[int, list[int]] = {}  # all others whose people move, by host
        self._places: dict[int, int] = {}  # of fixed workers, where there are several hosts: a number each from 1 on
        self._apart = False  # there is more than one host

    def joined(self, worker: int, people: int, fixed: bool) -> None:
        """A worker is there. `fixed`: its people do not move, whom they meet comes to them."""
        self.people[worker] = people
        if fixed:
            self._fixed.add(worker)
            if worker >> HOST_BITS and worker not in self._places:
                taken = set(self._places.values())
                self._places[worker] = next(place for place in range(1, len(taken) + 2) if place not in taken)
        self._opened()

    def gone(self, worker: int) -> None:
        """A worker is dead."""
        self.people.pop(worker, None)
        self._fixed.discard(worker)
        self._places.pop(worker, None)
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

    def where(self, homes: list[int]) -> int:
        """Where people of these workers meet: where somebody cannot move, else where the fewest are."""
        if homes.count(homes[0]) == len(homes):
            return homes[0]
        fixed = [home for home in homes if home in self._fixed]
        if fixed:
            return min(fixed)
        if self._apart:
            homes = self._of_one_host(homes)
        people, free = self.people, self._free.get(homes[0] >> HOST_BITS)
        least = self._emptiest([home for home in homes if home not in self.leaving] or homes)
        other = self._emptiest(free) if free else least
        return other if people[other] < EMPTIER * people[least] else least

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
        free = self._free.get(host)
        return sum([self.people[worker] for worker in free]) / len(free) if free else 0.0

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
        self._apart = len({worker >> HOST_BITS for worker in self.people}) > 1

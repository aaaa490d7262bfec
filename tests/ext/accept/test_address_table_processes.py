"""Test the host's table of addresses with processes that use it at once, some of which are killed.

**Invariant:** a moment is hit by many attempts, never by waiting; the assertions hold whichever process is first.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from ext.accept.address_limits import WIDE4, wide_of
from ext.accept.address_table import AddressTable, make
from ext.reactor.debug_hooks import counted, slots
from tests.ext.accept.test_address_table import HOME, KEY

PEOPLE = 3  # processes
ROUNDS = 60
KILLS = 12
STATE, SETTLED = 0xFF, 1
Told = tuple[dict[str, tuple[int, int]], int]  # what a process of hammering holds, and how often there was no room


class Worker:
    """A process of tests.ext.net.hammering."""

    def __init__(self, fd: int, column: int) -> None:
        command = [sys.executable, "-m", "tests.ext.net.hammering", str(fd), KEY.hex(), str(column)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, pass_fds=[fd]
        )

    def tell(self, *words: object) -> None:
        """What it is to do."""
        assert self.process.stdin is not None
        print(*words, file=self.process.stdin, flush=True)

    def line(self) -> str:
        """What it says next."""
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        assert said, "it ended"
        return said.strip()

    def answer(self) -> Any:
        """What it says next but dots."""
        while (said := self.line()) == ".":
            pass
        return json.loads(said)

    def end(self, how: int = signal.SIGKILL) -> None:
        """It is gone."""
        self.process.send_signal(how)
        self.process.communicate()


class Host:
    """A table, and processes that have it."""

    def __init__(self, slots: int) -> None:
        self.fd = make(PEOPLE, slots)
        self.table = AddressTable(self.fd, KEY)
        self.people = [Worker(self.fd, column) for column in range(PEOPLE)]

    def all(self, *words: object) -> list[Any]:
        """What each answers, all being told at once."""
        for process in self.people:
            process.tell(*words)
        return [process.answer() for process in self.people]

    def replace(self, column: int) -> None:
        """One is killed, wherever it is, and another takes its column."""
        self.people[column].end()
        self.table.clear(column, 1.0)
        assert not any(cells[column] for _, cells in slots(self.table))
        self.people[column] = Worker(self.fd, column)

    def end(self) -> None:
        """Nobody is left."""
        for process in self.people:
            process.end()
        os.close(self.fd)


@pytest.fixture
def host(request: pytest.FixtureRequest) -> Iterator[Host]:
    """As many slots as the test's parameter says, else plenty."""
    made = Host(getattr(request, "param", 4_096))
    yield made
    made.end()


def test_however_many_come_at_once_no_more_get_in_than_may(host: Host) -> None:
    for turn in range(ROUNDS):
        assert sum(host.all("burst", 1000 * turn, 20, HOME)) <= 5
        found = counted(host.table, HOME)
        assert found is not None
        assert host.all("burst", 1000 * turn, 0, HOME) == [cell >> 16 for cell in cells_of(host, HOME)]
        host.people[0].tell("burst", 1000 * turn, 20, HOME)
        host.people[0].answer()
        assert sum(host.all("leave", 1000 * turn)) == 5, "who comes alone is not refused for others"
        assert counted(host.table, HOME) == (0, 0, found[2])


def cells_of(host: Host, key: str) -> list[int]:
    """What each process has of an address in the table, which has nothing but it and its network."""
    found = [cells for word, cells in slots(host.table) if word and any(cells)]
    assert len(found) == 2, f"{key} and the network around it"
    assert found[0] == found[1]
    return found[0]


def test_however_many_come_at_once_they_spend_one_bucket_and_all_of_it(host: Host) -> None:
    clock = count(1000, 1000)
    for _ in range(ROUNDS):
        now = next(clock)
        inside = 0
        for _ in range(4):  # 5 may be open at once: so 10 take three turns
            host.all("burst", now, 8, HOME)
            inside += sum(host.all("leave", now))
        assert inside <= 10
        host.people[0].tell("burst", now, 8, HOME)
        assert inside + host.people[0].answer() >= 10
        host.all("leave", now)


def test_however_many_come_at_once_their_network_has_its_share(host: Host) -> None:
    keys = [f"192.0.2.{number}" for number in range(40)]
    for turn in range(ROUNDS // 4):
        assert sum(host.all("burst", 1000 * turn, 3, *keys)) <= 5 * WIDE4
        found = counted(host.table, wide_of(HOME))
        assert found is not None
        assert found[0] == sum(host.all("leave", 1000 * turn))
        assert counted(host.table, wide_of(HOME)) == (0, 0, found[2])


def test_a_process_that_is_killed_anywhere_leaves_exactly_what_the_others_have(host: Host) -> None:
    for kill in range(KILLS):
        for column, process in enumerate(host.people):
            process.tell("run", 200, kill * PEOPLE + column)
        victim = kill % PEOPLE
        for process in host.people:
            process.line()  # it runs: what it is told next it does not read ahead
        host.replace(victim)
        others = [process for column, process in enumerate(host.people) if column != victim]
        told = stopped(others)
        assert not any(alone for _, alone in told)
        for key, parts in by_key(told).items():
            found = counted(host.table, key)
            assert (found[:2] if found is not None else (0, 0)) == tuple(map(sum, zip(*parts, strict=True))), key
        for process in others:
            process.tell("leave", 1000)
            process.answer()
        assert not any(any(cells) for _, cells in slots(host.table))


def stopped(people: list[Worker]) -> list[Told]:
    """What each has that ran until now."""
    for process in people:
        process.tell("stop")
    told = [process.answer() for process in people]
    assert all(process.answer() == "stopped" for process in people)
    return told


def by_key(told: list[Told]) -> dict[str, list[tuple[int, int]]]:
    """(open, newcomers) of each process, by address and by network."""
    found: dict[str, list[tuple[int, int]]] = {}
    for place, (held, _) in enumerate(told):
        for key, had in held.items():
            for name in (key, wide_of(key)):
                parts = found.setdefault(name, [(0, 0)] * len(told))
                parts[place] = (parts[place][0] + had[0], parts[place][1] + had[1])
    return found


def sums(parts: list[tuple[int, int]]) -> set[tuple[int, int]]:
    """What some of them have together."""
    found = {(0, 0)}
    for had in parts:
        found |= {(one + had[0], other + had[1]) for one, other in found}
    return found


@pytest.mark.parametrize("host", [16, 64], indirect=True)
def test_in_a_table_that_is_far_too_small_nothing_is_left_behind_and_nobody_stops(host: Host) -> None:
    for kill in range(KILLS):
        for column, process in enumerate(host.people):
            process.tell("run", 200, kill * PEOPLE + column)
        for process in host.people:
            process.line()
        host.replace(kill % PEOPLE)
        host.people[kill % PEOPLE].tell("run", 200, 1)
        for process in host.people:
            process.line()
        told = stopped(host.people)
        assert any(alone for _, alone in told)
        for key, parts in by_key(told).items():
            found = counted(host.table, key)
            assert (found[:2] if found is not None else (0, 0)) in sums(parts), f"{key}: all of a process or nothing"
        assert not any(word & STATE not in {0, SETTLED} for word, _ in slots(host.table))
        host.all("leave", 1000)
        assert not any(any(cells) for _, cells in slots(host.table))
    for column in range(PEOPLE):
        host.people[column].end()
        host.table.clear(column, 1e6)
        host.people[column] = Worker(host.fd, column)
    assert host.table.used == 0

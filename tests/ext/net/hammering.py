"""Run a process that shares a table of addresses with others, and obeys commands by line: `python -m tests.ext.net.hammering FD KEY COLUMN`.

burst NOW TRIES KEY…  enters each key so often, in turn, keeps what was accepted, and prints the number
leave NOW             leaves all that it holds, and prints how many that were
stop                  prints "stopped": the line that ends a run
run KEYS SEED         enters and leaves at random until a line is read, printing a dot after every thousand; then prints what it
                      holds, by key, and how often there was no room
"""

import json
import random
import select
import sys
from collections import Counter

from ext.accept.address_limits import Addresses
from ext.accept.address_table import AddressTable
from ext.reactor.debug_hooks import arrive, settle


class Process:
    """The limits of one process, and the connections that it holds."""

    def __init__(self, fd: int, key: bytes, column: int) -> None:
        self.addresses = Addresses(
            open_max=5, burst=10, rate=1, limits=True, coming_max=3, host=AddressTable(fd, key), column=column
        )
        self.held: Counter[str] = Counter()
        self.coming: Counter[str] = Counter()

    def burst(self, now: float, tries: int, keys: list[str]) -> int:
        """Enter each key so often; return how many were accepted."""
        for _ in range(tries):
            for key in keys:
                self.held[key] += self.addresses.enter(key, now)
        return self.held.total()

    def leave(self, now: float) -> int:
        """Leave all; return how many."""
        count = self.held.total()
        for key in self.held.elements():
            self.addresses.leave(key, now)
        self.held.clear()
        for key in self.coming.elements():
            settle(self.addresses, key, now)
        self.coming.clear()
        return count

    def run(self, keys: int, seed: int) -> tuple[dict[str, tuple[int, int]], int]:
        """Enter and leave at random until a line can be read; return open connections and newcomers by key, and how often the table had no room."""
        chance, now = random.Random(seed), 1.0
        while True:
            for _ in range(1_000):
                now += 0.01
                key = f"10.0.{chance.randrange(keys) // 10}.{chance.randrange(10)}"
                self.step(chance.randrange(5), key, now)
            self.addresses.forget(now)
            print(".", flush=True)
            if select.select([0], [], [], 0)[0]:
                found = {key: (self.held[key], self.coming[key]) for key in self.held | self.coming}
                return found, self.addresses.alone

    def step(self, what: int, key: str, now: float) -> None:
        """Apply one operation to an address."""
        if what < 2:
            self.held[key] += self.addresses.enter(key, now)
        elif what == 2 and self.held[key]:
            self.held[key] -= 1
            self.addresses.leave(key, now)
        elif what == 3:
            self.coming[key] += arrive(self.addresses, key, now)
        elif self.coming[key]:
            self.coming[key] -= 1
            settle(self.addresses, key, now)


def main() -> None:
    """Obey commands until the input ends."""
    process = Process(int(sys.argv[1]), bytes.fromhex(sys.argv[2]), int(sys.argv[3]))
    sys.stdin = open(0, buffering=1, newline="\n")  # noqa: SIM115 - it is the process's own
    while line := sys.stdin.readline():
        verb, *rest = line.split()
        if verb == "burst":
            told: object = process.burst(float(rest[0]), int(rest[1]), rest[2:])
        elif verb == "leave":
            told = process.leave(float(rest[0]))
        elif verb == "run":
            told = process.run(int(rest[0]), int(rest[1]))
        else:
            told = "stopped"
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()

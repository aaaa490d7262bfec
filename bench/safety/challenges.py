"""Make two hundred challenges a second and check as many solutions: the cost of each, and how long the event loop is blocked.

    python -m bench challenges [--rate N] [--seconds N] [--rounds N] [--keep]

Challenges are made in threads and solutions checked in the loop, as in the service. The loop turns without a pause, and each turn is timed, alone
and then beside the challenges; the longest turn of each 10 ms is recorded. Goal: 99 of 100 of these are at most 2 ms (median of the rounds). The
solutions are of puzzles made and solved before, with fewer rounds of the hash: checking one takes as long.
"""

import argparse
import asyncio
import statistics
import time
from typing import Any, Final

import altcha
import uvloop

from bench.attacks.bystanders import in_ms
from bench.support.documents import fill, table
from bench.support.machine import machine
from bench.support.results import ROOT, write
from server.trust.challenge.altcha_puzzles import Puzzles

USUAL: Final = (200, 5.0, 3)  # a second, seconds of a phase, rounds
STALL: Final = 2.0  # ms: the goal
WINDOW: Final = 0.01  # seconds, of which the longest turn counts
KEY: Final = bytes(range(32))
LEVEL: Final = 1
EASY: Final = 20  # rounds of the hash, of those that are solved before


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Choose rate, duration, rounds, and whether to keep the result."""
    parser.add_argument("--rate", type=int, default=USUAL[0], help="challenges a second")
    parser.add_argument("--seconds", type=float, default=USUAL[1], help="of a phase")
    parser.add_argument("--rounds", type=int, default=USUAL[2])
    parser.add_argument("--keep", action="store_true", help="keep the results, and the table of the document")


def main(chosen: argparse.Namespace) -> int:
    """Measure, and print the table; return 1 if the goal is missed."""
    about, answers = machine(), solved(int(chosen.rate * chosen.seconds))
    rounds = [uvloop.run(measured(answers, chosen.rate, chosen.seconds)) for _ in range(chosen.rounds)]
    row = {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}
    print(lines(row))
    if chosen.keep:
        write({"machine": about, "seconds": chosen.seconds, **row, "rounds": rounds}, "challenges", ordered=False)
        told = f"Medians of {chosen.rounds} rounds of {chosen.seconds:g} s; load before: {about['load']:.1f}.\n"
        fill(ROOT / "docs" / "performance.md", "challenges", f"{lines(row)}\n{told}")
    return 0 if row["stall_p99_ms"] <= STALL and row["right"] == row["made"] else 1


def solved(number: int) -> list[tuple[int, str]]:
    """Return answers, each with its session."""
    easy, found = Puzzles(KEY, cost=EASY), []
    for session in range(1, number + 1):
        challenge = altcha.Challenge.from_dict(easy.make(session, LEVEL))
        solution = altcha.solve_challenge(challenge)
        if solution is None:
            raise RuntimeError("a puzzle that cannot be solved")
        found.append((session, altcha.Payload(challenge, solution).to_base64()))
    return found


async def measured(answers: list[tuple[int, str]], rate: int, seconds: float) -> dict[str, float]:
    """Run one round."""
    puzzles = Puzzles(KEY)
    alone, beside = Turns(), Turns()
    await alone.during(asyncio.sleep(seconds))
    made: list[float] = []
    looked: list[float] = []
    right = 0

    async def one(session: int, answer: str, after: float) -> None:
        nonlocal right
        await asyncio.sleep(after)
        begun = time.perf_counter()
        await asyncio.to_thread(puzzles.make, session, LEVEL)
        made.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        right += puzzles.right(session, LEVEL, answer)
        looked.append(time.perf_counter() - begun)

    asked = [one(session, answer, place / rate) for place, (session, answer) in enumerate(answers)]
    await beside.during(asyncio.gather(*asked))
    return {
        "rate": rate, "made": len(made), "right": right,
        "made_p50_ms": in_ms(made, 0.5), "made_p99_ms": in_ms(made, 0.99),
        "look_us": round(statistics.median(looked) * 1e6, 1),
        "alone_p99_ms": alone.longest(0.99), "stall_p99_ms": beside.longest(0.99), "stall_max_ms": beside.longest(1.0),
    }  # fmt: skip


class Turns:
    """Durations of a loop's turns while other work runs in it."""

    def __init__(self) -> None:
        self._longest: list[float] = []  # of each WINDOW, in seconds
        self._going = False

    async def during(self, what: Any) -> None:
        """Turn until that work is done."""
        loop = asyncio.get_running_loop()
        self._going = True
        self._last = self._began = time.perf_counter()
        self._most = 0.0
        loop.call_soon(self._turn, loop)
        try:
            await what
        finally:
            self._going = False

    def _turn(self, loop: asyncio.AbstractEventLoop) -> None:
        now = time.perf_counter()
        self._most, self._last = max(self._most, now - self._last), now
        if now - self._began >= WINDOW:
            self._longest.append(self._most)
            self._began, self._most = now, 0.0
        if self._going:
            loop.call_soon(self._turn, loop)

    def longest(self, share: float) -> float:
        """Return the longest turn, in ms, that `share` of the windows do not exceed."""
        return in_ms(self._longest, share)


def lines(row: dict[str, Any]) -> str:
    """Return the figures as a table of Markdown."""
    return table(
        (
            "challenges a second",
            "made p50, p99 ms, in a thread",
            "a solution looked at, µs",
            "the loop stands still p99 ms, alone, beside; longest",
            "right",
        ),
        [
            (
                f"{row['rate']:,.0f}",
                f"{row['made_p50_ms']:,} / {row['made_p99_ms']:,}",
                f"{row['look_us']:,}",
                f"{row['alone_p99_ms']:,} / {row['stall_p99_ms']:,}; {row['stall_max_ms']:,}",
                f"{row['right']:,.0f} of {row['made']:,.0f}",
            )
        ],
    )

"""Kill random processes of a host and upgrade it, again and again, while users chat; give a verdict at the end.

    python -m bench hosts --minutes 10 --upgrade 20 --kill 7

Only what clients receive counts, not what the server says. Pairs exchange numbered lines, leave, and others come; a chat may end, and a connection
drop, only right after a worker was killed, and then both sides learn it. A line that is lost, doubled or foreign, a chat that ended on one side,
and two who do not find each other each fail. So does an undisturbed upgrade that was not completed.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bench.load.numbered_line_pairs import FAULTS, Heard, meet_and_talk
from bench.load.upgrade_run import answers
from bench.support.machine import machine
from bench.support.results import write
from bench.support.serving import Serving
from server.ops.process.control_socket import ask

AFTER: Final = 5.0  # seconds after a worker's death in which its people's connections may drop and their chats end
AGAIN: Final = 20.0  # seconds until who died serves again
POLL: Final = 0.1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Choose duration, number of pairs and intervals."""
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--pairs", type=int, default=60)
    parser.add_argument("--pace", type=float, default=0.1, help="seconds between two lines of a side")
    parser.add_argument("--kill", type=float, default=7.0, help="seconds between two deaths; 0: nobody is killed")
    parser.add_argument("--upgrade", type=float, default=20.0, help="seconds between two upgrades; 0: none")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="write bench/results/hosts.json")


@dataclass(slots=True)
class Done:
    """What was done to the host. `deaths`: (monotonic seconds, process, its users)."""

    deaths: list[tuple[float, str, int]] = field(default_factory=list)
    never_again: list[str] = field(default_factory=list)  # who was not back in time
    upgrades: list[float] = field(default_factory=list)  # seconds that each took
    refused: list[str] = field(
        default_factory=list
    )  # what was said of those that did not come about, with a death in them
    failed: list[str] = field(default_factory=list)  # the same, without one


def main(chosen: argparse.Namespace) -> int:
    """Run it; return 1 if the verdict is bad."""
    before = machine()
    settings = {"SERENDIP_WORKERS": str(chosen.workers)}
    heard, done = Heard(), Done()
    with Serving(**settings) as server:
        asyncio.run(run(server, chosen, heard, done))
    found = {"machine": before, "asked": vars(chosen), **figures(heard, done), "verdicts": judged(heard, done, chosen)}
    if not all(found["verdicts"].values()):
        sys.stderr.writelines(line for line in server.said if '"level":"info"' not in line)
    print(json.dumps(found, indent=1))
    for name, good in found["verdicts"].items():
        print(f"{'good' if good else 'BAD '} {name}", file=sys.stderr)
    if chosen.keep:
        write(found, "hosts", ordered=False)
    return 0 if all(found["verdicts"].values()) else 1


async def run(server: Serving, chosen: argparse.Namespace, heard: Heard, done: Done) -> None:
    """Run talk, deaths and upgrades together until the time is over."""
    over = asyncio.Event()
    url = f"ws://127.0.0.1:{server.port}/ws"
    async with asyncio.TaskGroup() as group:
        for number in range(chosen.pairs):
            group.create_task(meet_and_talk(url, number, heard, chosen.pace, over))
        rest = [asyncio.create_task(deaths(server.data, chosen, done))] if chosen.kill else []
        rest += [asyncio.create_task(upgrades(server.data, chosen.upgrade, done))] if chosen.upgrade else []
        end = time.monotonic() + chosen.minutes * 60
        while time.monotonic() < end and not any(task.done() for task in rest):
            await asyncio.sleep(min(10.0, max(0.0, end - time.monotonic())))
            said = f"{heard.lines:,} lines, {heard.chats:,} chats, {len(done.deaths)} deaths, {len(done.upgrades)} upgrades"
            wrong = {name: count for name, count in heard.faults.items() if count}
            print(said, wrong or "", file=sys.stderr, flush=True)
        for task in rest:
            task.cancel()
        ended = await asyncio.gather(*rest, return_exceptions=True)
        done.failed += [str(error) for error in ended if isinstance(error, Exception)]  # nobody answers any more
        over.set()


async def deaths(data: Path, chosen: argparse.Namespace, done: Done) -> None:
    """Kill one process after the other at random; each must be back before the next."""
    dice = random.Random(chosen.seed)
    while True:
        await asyncio.sleep(dice.uniform(0.5, 1.5) * chosen.kill)
        stands = await status(data)
        victim = dice.choice([one for one in stands if one["pid"] is not None])
        try:
            os.kill(victim["pid"], signal.SIGKILL)
        except ProcessLookupError:
            continue  # an upgrade has ended it meanwhile
        done.deaths.append((time.monotonic(), victim["process"], victim["people"]))
        if not await serving(data):
            done.never_again.append(victim["process"])


async def upgrades(data: Path, every: float, done: Done) -> None:
    """Upgrade again and again; an upgrade disturbed by a death may be refused, with the reason."""
    while True:
        await asyncio.sleep(every)
        begun, said = time.monotonic(), "no answer"
        async for told in answers(data, {"do": "upgrade", "program": None}):
            if "done" in told:
                said = "" if told["done"] else str(told.get("said", told))
        if not said:
            done.upgrades.append(time.monotonic() - begun)
        elif any(when >= begun - AGAIN for when, _, _ in done.deaths):
            done.refused.append(said)
        else:
            done.failed.append(said)


async def serving(data: Path) -> bool:
    """Wait until every process serves; False if that takes longer than AGAIN."""
    end = time.monotonic() + AGAIN
    while time.monotonic() < end:
        stands = await status(data)
        if stands and all(one["phase"] == "ready" for one in stands):
            return True
        await asyncio.sleep(POLL)  # a poll: nobody tells
    return False


async def status(data: Path) -> list[dict[str, Any]]:
    """Return the processes, as `serendip status` reports them."""
    told = await asyncio.to_thread(lambda: list(ask(data, {"do": "status"})))
    processes: list[dict[str, Any]] = told[-1]["processes"]
    return processes


def unexplained(times: list[float], done: Done) -> int:
    """Count the moments that are not within AFTER of a worker's death."""
    killed = [when for when, process, _ in done.deaths if process.startswith("worker")]
    return sum(not any(0 <= moment - when <= AFTER for when in killed) for moment in times)


def figures(heard: Heard, done: Done) -> dict[str, Any]:
    """Return the figures."""
    apart = sorted(heard.apart)
    by_process: dict[str, int] = {}
    for _, process, _ in done.deaths:
        by_process[process] = by_process.get(process, 0) + 1
    return {
        "lines": heard.lines, "chats": heard.chats, "faults": heard.faults,
        "deaths": by_process, "people_of_the_dead": sum(people for _, _, people in done.deaths),
        "drops": len(heard.drops), "ends": len(heard.ends),
        "apart_longest_s": round(apart[-1], 3) if apart else None,
        "upgrades": len(done.upgrades), "upgrade_longest_s": round(max(done.upgrades, default=0.0), 2),
        "upgrades_refused": done.refused, "upgrades_failed": done.failed,
    }  # fmt: skip


def judged(heard: Heard, done: Done, asked: argparse.Namespace) -> dict[str, bool]:
    """Return the verdicts. Without a death, or an upgrade, there is nothing to judge, and it fails."""
    wrong = ", ".join(f"{heard.faults[name]} {name}" for name in FAULTS)
    drops, ends = unexplained(heard.drops, done), unexplained(heard.ends, done)
    return {
        f"{heard.lines:,} lines in {heard.chats:,} chats heard: {wrong}": heard.lines > 0
        and not any(heard.faults.values()),
        f"{len(heard.drops)} connections dropped, {drops} of them without a worker's death": drops == 0,
        f"{len(heard.ends)} ends of chats heard, {ends} of them without a worker's death": ends == 0,
        f"{len(done.deaths)} deaths; not back within {AGAIN:.0f} s: {done.never_again}": not done.never_again
        and (not asked.kill or bool(done.deaths)),
        f"{len(done.upgrades)} upgrades, {len(done.refused)} refused over a death, failed: {done.failed}": not done.failed
        and (not asked.upgrade or bool(done.upgrades)),
    }

"""Upgrade a server under load, and check that users who talk, wait and arrive notice nothing; give a verdict at the end.

    python -m bench upgrade --talk 2000 --messages 9400 --waiting 6000 --times 3
    python -m bench upgrade --from /opt/serendip-1/bin/serendip --to /opt/serendip-2/bin/serendip --times 2

Only what clients receive counts, not what the server says. Chats exchange numbered lines both ways; a line that is lost, doubled, changed or out of
order, a connection that is cut and a newcomer who is not served are counted; anything but 0 fails. Times are figures, not verdicts, since the
machine may be busy. On an idle one `--times-too` judges them: the migration is over within WITHIN seconds, and meanwhile the 99.9th percentile of a
line equals that without an upgrade (before or after, in the same run), give or take APART.

With `--from` another installed program serves first; then `--to` (default: this checkout's) takes over, and they alternate. Whether a message costs
more than before is shown by `python -m bench instructions` and `make bench-quick bench-compare`.
"""

import argparse
import asyncio
import json
import resource
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import uvloop

from bench.load import generator
from bench.load.upgrade_newcomers import Newcomers
from bench.load.upgrade_run import NotUpgradedError, moves, upgraded
from bench.support.documents import fill, table
from bench.support.machine import machine
from bench.support.process_inspection import free_port, spent
from bench.support.results import ROOT, write
from bench.support.serving import OWN, Serving

DEPTH: Final = 2  # lines of a chat on the way or rested over at once: so both may talk at the same time
FAULTS: Final = ("lost", "doubled", "wrong_order", "wrong_text", "wrong_partner", "cut")
PHASES: Final = ("before", "starting", "moving", "after")
WITHIN: Final = 4.0  # seconds, of 10,000 people
APART: Final = 1.25  # times: two runs of five seconds without an upgrade are as far apart


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Choose the load, and the programs."""
    parser.add_argument("--talk", type=int, default=2_000, help="chats that talk")
    parser.add_argument("--messages", type=int, default=9_400, help="lines a second, of all chats together")
    parser.add_argument("--waiting", type=int, default=6_000, help="people who wait beside")
    parser.add_argument("--newcomers", type=float, default=20.0, help="a second: they connect, search and go")
    parser.add_argument("--times", type=int, default=1, help="upgrades, one after the other; 0: a server that stays")
    parser.add_argument("--seconds", type=float, default=5.0, help="of talk before, between and after upgrades")
    parser.add_argument(
        "--from", dest="first", help="an installed `serendip` that serves first (left out: this checkout)"
    )
    parser.add_argument("--to", dest="then", help="an installed `serendip` to upgrade to (left out: this checkout)")
    parser.add_argument(
        "--times-too", action="store_true", help="judge the times as well, on a machine without other work"
    )
    parser.add_argument("--keep", action="store_true", help="write bench/results/upgrade.json and its table")


def main(chosen: argparse.Namespace) -> int:
    """Run it; return 1 if anything was lost."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    metrics = free_port()
    before = machine()
    settings = {"SERENDIP_METRICS__ENABLED": "true", "SERENDIP_METRICS__PORT": str(metrics)}
    with Serving(program=[chosen.first] if chosen.first else OWN, **settings) as server:
        found = {"machine": before, **uvloop.run(measured(server, chosen, metrics))}
    found["verdicts"] = judged(found) | (timed(found) if chosen.times_too else {})
    if not all(found["verdicts"].values()):
        sys.stderr.writelines(line for line in server.said if '"level":"info"' not in line)
    print(json.dumps(found, indent=1))
    for name, good in found["verdicts"].items():
        print(f"{'good' if good else 'BAD '} {name}", file=sys.stderr)
    if chosen.keep:
        write(found, "upgrade", ordered=False)
        fill(ROOT / "docs" / "performance.md", "upgrade", lines(found))
    return 0 if all(found["verdicts"].values()) else 1


async def measured(server: Serving, chosen: argparse.Namespace, metrics: int) -> dict[str, Any]:
    """Run the whole experiment."""
    people = chosen.talk * 2
    newcomers = Newcomers(server.port, chosen.newcomers)
    with ExitStack() as stack:
        waiting = talking = None
        if chosen.waiting:
            words = ["wait", "-n", str(chosen.waiting), "-x", str(people)]
            waiting = stack.enter_context(generator.start(words, server.port))
            await asyncio.to_thread(generator.ready, waiting)
        rest = f"{chosen.talk * DEPTH * 1e3 / chosen.messages:.3f}"
        talking = stack.enter_context(
            generator.start(["relay", "-i", "-n", str(people), "-d", str(DEPTH), "-z", rest, "-w", "0"], server.port)
        )
        await asyncio.to_thread(generator.ready, talking)
        coming = asyncio.create_task(newcomers.run())
        found = await talked(server, chosen, talking)
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)
        told = await asyncio.to_thread(generator.figures, talking)
        waited = (
            await asyncio.to_thread(generator.figures, waiting) if waiting is not None else {"open": 0, "errors": 0}
        )
        out = await asyncio.to_thread(moves, metrics)
    return {
        "talk": chosen.talk, "waiting": chosen.waiting, "asked_messages_s": chosen.messages, "newcomers_s": chosen.newcomers,
        **found,
        "lines": told.get("messages", 0), "faults": {name: told.get(name, -1) for name in FAULTS},
        "waited": {"open": waited.get("open", 0), "errors": waited["errors"]}, "newcomers": newcomers.figures(), "out_of_service": out,
    }  # fmt: skip


async def talked(server: Serving, chosen: argparse.Namespace, talking: subprocess.Popen[str]) -> dict[str, Any]:
    """Run the phases of the load, with the upgrades within them."""
    await asyncio.sleep(chosen.seconds / 2)
    warm, used = generator.phase(talking), spent(server.pid)
    await asyncio.sleep(chosen.seconds)
    before = generator.phase(talking)
    serving = (spent(server.pid) - used) / before["seconds"]
    upgrades, after, failed = [], before, ""
    for number in range(chosen.times):
        program = program_of(chosen, number)
        try:
            server.pid, figures = await upgraded(
                server.data, server.pid, program, lambda: generator.phase(talking), serving
            )
        except NotUpgradedError as error:
            failed = str(error)
            break
        await asyncio.sleep(chosen.seconds)
        after = generator.phase(talking)
        upgrades.append({**figures, "after": after})
        said = f"upgrade {number + 1} of {chosen.times}: {figures['people']:,} people in {figures['seconds']} s"
        print(said, file=sys.stderr, flush=True)
    if failed:
        await asyncio.sleep(chosen.seconds)  # the old one goes on, and so do its people
        after = generator.phase(talking)
    return {
        "serving_cores": round(serving, 3), "before": before, "upgrades": upgrades, "failed": failed,
        "strangers_frames": after["other"] - warm["other"],
    }  # fmt: skip


def program_of(chosen: argparse.Namespace, number: int) -> str | None:
    """Return the target program of an upgrade, by its number from 0; None: the running one restarts itself."""
    if chosen.first is None and chosen.then is None:
        return None
    return absolute(chosen.then if number % 2 == 0 else chosen.first)


def absolute(program: str | None) -> str:
    """Return the whole path of an installed program; default: this checkout's. Raises SystemExit if it does not exist."""
    path = shutil.which(program or Path(sys.executable).with_name("serendip"))
    if path is None:
        raise SystemExit(f"missing: {program or 'serendip beside this Python'}, a program that this user may run")
    return str(Path(path).absolute())


def judged(found: dict[str, Any]) -> dict[str, bool]:
    """Return the verdicts."""
    faults, newcomers, waited = found["faults"], found["newcomers"], found["waited"]
    wrong = ", ".join(f"{faults[name]} {name.replace('_', ' ')}" for name in FAULTS if name != "cut")
    moved = [upgrade["people"] for upgrade in found["upgrades"]]
    return {
        f"{found['lines']:,} lines heard: {wrong}": found["lines"] > 0
        and not any(count for name, count in faults.items() if name != "cut"),
        f"{faults['cut']} connections of {2 * found['talk']:,} who talk cut": faults["cut"] == 0,
        f"{waited['open']:,} of {found['waiting']:,} who wait are there, {waited['errors']} errors": waited["errors"]
        == 0
        and waited["open"] == found["waiting"],
        f"{found['strangers_frames']} frames that nobody should see": found["strangers_frames"] == 0,
        f"{newcomers['served']} newcomers served, {newcomers['unserved']} not": newcomers["unserved"] == 0,
        f"{newcomers['pages']} pages over one connection, {newcomers['unanswered']} not answered": newcomers[
            "unanswered"
        ]
        == 0,
        f"{len(moved)} upgrades{found['failed'] and ', then: ' + found['failed']}": not found["failed"],
        f"people who moved: {moved}": all(people >= 2 * found["talk"] + found["waiting"] for people in moved),
    }


def timed(found: dict[str, Any]) -> dict[str, bool]:
    """Return the verdicts on times: each upgrade's duration, and a line's time in it beside the phases without one."""
    quiet = [found["before"], *(upgrade["after"] for upgrade in found["upgrades"])]
    usual = max((phase["p999_us"] for phase in quiet), default=0.0)
    verdicts = {}
    for number, upgrade in enumerate(found["upgrades"], 1):
        tail = upgrade["moving"]["p999_us"]
        verdicts[f"upgrade {number}: moved in {upgrade['seconds']} s of {WITHIN:.0f}"] = upgrade["seconds"] <= WITHIN
        said = f"upgrade {number}: 99.9 of 100 lines within {milliseconds(tail)}, without one {milliseconds(usual)}"
        verdicts[said] = tail <= usual * APART
    return verdicts


def lines(found: dict[str, Any]) -> str:
    """Return the table of the manual: a line's time in each phase of the last upgrade."""
    last, faults = found["upgrades"][-1], found["faults"]
    phases = dict(zip(PHASES, (found["before"], last["starting"], last["moving"], last["after"]), strict=True))
    rows = [
        [
            name,
            f"{phase['seconds']:.1f} s",
            f"{phase['messages']:,}",
            *(milliseconds(phase[key]) for key in ("p50_us", "p99_us", "p999_us")),
        ]
        for name, phase in phases.items()
    ]
    out = found["out_of_service"]
    return (
        f"{last['people']:,} people, {found['talk']:,} chats of them talking at {found['asked_messages_s']:,} lines a second, "
        f"{found['waiting']:,} waiting: moved in {last['seconds']:.1f} s ({last['people_s']:,} a second, {last['move_us']:.0f} µs of CPU each, both "
        f"sides), after {last['seconds_until_ready']:.1f} s in which the new process started. Out of service: half of them for {out['p50_ms']} ms at "
        f"the most, 99 of 100 for {out['p99_ms']} ms. Of {found['lines']:,} numbered lines {faults['lost']} lost, {faults['doubled']} doubled, "
        f"{faults['wrong_order']} out of order; {faults['cut']} connections cut.\n\n"
        + table(("", "for", "lines", "p50", "p99", "p99.9"), rows)
        + f"\n{found['machine']['cores']} shared cores ({found['machine']['cpu']}), the load on the same; `python -m bench upgrade --keep`, "
        "[figures](../bench/results/upgrade.json).\n"
    )


def milliseconds(microseconds: float) -> str:
    """Format milliseconds for a table."""
    return f"{microseconds / 1e3:.1f} ms"

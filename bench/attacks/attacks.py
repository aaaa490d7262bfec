"""Run attacks on the real server one after the other, and measure what a chatting pair and newcomers notice of each.

    python -m bench attacks --only "slow interests" --seconds 5

Beside each attack PAIRS pairs chat, each five lines a second, and a newcomer connects every half second. With limits on, 99 of 100 lines must arrive
within 100 ms and 99 of 100 newcomers be connected within 250 ms, and no line may be lost. Afterwards, with limits on or off, the server's
descriptors are back at the start, and its memory except what allocators keep. The server has one core, all others another: who measures first, if
the system allows it, the attackers at a lower priority. Challenges are off, since all connections come from one address. A failed row is repeated:
a fault of the service recurs, one of a busy machine does not. The try with the fewest faults is kept, and among those the quickest.

Without that precedence the bench measures itself: a user's line that arrives while an attacker computes waits for the end of its slice, up to 4 ms.
What is left of the machine is in the wait of an echo, on the server's core and ahead of the server.
"""

import argparse
import asyncio
import gc
import multiprocessing
import os
import resource
import time
from collections.abc import Sequence
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any, Final

from bench.attacks.attack_list import ATTACKS, RESOURCES, Attack
from bench.attacks.attack_sockets import Aim
from bench.attacks.bystanders import Bystanders, in_ms
from bench.attacks.echo import Echo
from bench.support.documents import fill, table
from bench.support.machine import machine
from bench.support.precedence import ahead
from bench.support.process_inspection import resident
from bench.support.results import ROOT, write
from bench.support.serving import LOAD_CPU, SERVER_CPU, Serving

LINE: Final = 100.0  # ms: the slowest of a hundred lines
NEWCOMER: Final = 250.0  # ms: the slowest of a hundred who come
# MB that stay: glibc's arenas keep what a flood had, and a third flood adds 5 (measured); a leak of one request in ten is beyond it at once.
ROOM: Final = 96.0
TENTH: Final = 16.0  # MB: a tenth of a server at rest
FILES: Final = 12  # more than at rest: up to five connections to SQLite, each with its database and WAL
PATIENCE: Final = 40.0  # seconds until all is back: an idle HTTP connection is ended after 35, a held poll after 30
LOOK: Final = 0.1  # seconds between two looks at the server
PAIRS: Final = 5  # who chat, so that 8 s have 200 lines
TRIES: Final = 3
SETTINGS: Final = {
    "SERENDIP_SESSION__GRACE": "2",
    "SERENDIP_SERVER__DRAIN": "1",
    "SERENDIP_CHALLENGE__ENABLED": "false",  # attackers and who is measured come from one address
}
COLUMNS: Final = (
    "attack",
    "limits",
    "line p50, p99 ms",
    "newcomer p99 ms",
    "lost",
    "RSS MB",
    "descriptors",
    "done",
    "tries",
    "",
)
RESOURCE_COLUMNS: Final = (
    "attack",
    "limits",
    "line p50 ms, rest → attack",
    "p99 ms, rest → attack",
    "ratio",
    "echo p99 ms, rest → attack",
    "lost",
    "RSS MB",
    "memory that stays",
    "a second one adds",
    "done",
)
Row = dict[str, Any]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Choose attacks, and the time of each."""
    parser.add_argument(
        "--only", action="append", choices=ATTACKS, metavar="NAME", help=f"of: {', '.join(ATTACKS)}".replace("%", "%%")
    )
    parser.add_argument(
        "--resources",
        action="store_true",
        help="once each, what costs a stranger little; beside each row its server at rest",
    )
    parser.add_argument("--seconds", type=float, default=6.0, help="of each attack")


def main(chosen: argparse.Namespace) -> int:
    """Run the chosen attacks; return 1 if a verdict is bad. Results are kept if all ran."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {int(LOAD_CPU)})
    if not ahead():
        print("without precedence over the attackers, which needs root: waits are the bench's own in part")
    gc.freeze()  # a full collection of what is imported takes longer than a line
    if chosen.resources:
        return resources(chosen.only or RESOURCES, chosen.seconds)
    rows, before = [], os.getloadavg()[0]
    for name in chosen.only or ATTACKS:
        for limits in ATTACKS[name].limits:
            rows.append(least(name, ATTACKS[name], limits, chosen.seconds))
            print(lines(rows[-1:]).splitlines()[-1], flush=True)
    print(lines(rows))
    if not chosen.only:
        loads = [round(load, 1) for load in (before, os.getloadavg()[0])]
        write({"machine": machine(), "load": loads, "seconds": chosen.seconds, "rows": rows}, "attacks", ordered=False)
        told = f"{chosen.seconds:g} s each, load of the machine {loads[0]} before and {loads[1]} after.\n"
        fill(ROOT / "docs" / "performance.md", "attacks", f"{lines(rows)}\n{told}")
    return 1 if any(row["faults"] for row in rows) else 0


def resources(names: Sequence[str], seconds: float) -> int:
    """Measure each attack once, with limits on if it has such a row, beside the same server at rest; write the table of the manual."""
    rows, before = [], os.getloadavg()[0]
    for name in names:
        rows.append(measured(name, ATTACKS[name], ATTACKS[name].limits[0], seconds, seconds, TENTH))
        print(" | ".join(beside_rest(rows[-1])), flush=True)
    shown = table(RESOURCE_COLUMNS, map(beside_rest, rows))
    print(shown)
    if tuple(names) != RESOURCES:
        return 0
    loads = [round(load, 1) for load in (before, os.getloadavg()[0])]
    write({"machine": machine(), "load": loads, "seconds": seconds, "rows": rows}, "resources", ordered=False)
    said = f"{seconds:g} s of rest and {seconds:g} s each, once, load of the machine {loads[0]} before and {loads[1]} after.\n"
    fill(ROOT / "docs" / "operate" / "security.md", "resources", f"{shown}\n{said}")
    return 0


def beside_rest(row: Row) -> list[str]:
    """Return a line of the manual's table: a ratio of 1 is the server at rest."""
    rest, (first, _, last) = row["rest_p99_ms"], row["rss_mb"]
    return [
        row["attack"],
        row["limits"],
        f"{row['rest_p50_ms']:,} → {row['line_p50_ms']:,}",
        f"{rest:,} → {row['line_p99_ms']:,}",
        f"{row['line_p99_ms'] / max(rest, 0.1):.1f}",
        " → ".join(map(str, row["echo_p99_ms"])),
        str(row["lost"]),
        " → ".join(f"{value:.0f}" for value in row["rss_mb"]),
        f"{100 * (last / first - 1):+.0f} %",
        "" if row["again_mb"] is None else f"{100 * (row['again_mb'] - last) / first:+.0f} %",
        f"{row['done']:,}",
    ]


def least(name: str, attack: Attack, limits: str, seconds: float) -> Row:
    """Return the best of a few tries; one without a fault is enough."""
    tries: list[Row] = []
    while len(tries) < TRIES:
        tries.append(measured(name, attack, limits, seconds))
        if not tries[-1]["faults"]:
            break
    return {**min(tries, key=lambda row: (len(row["faults"]), row["line_p99_ms"])), "tries": len(tries)}


def measured(name: str, attack: Attack, limits: str, seconds: float, rest: float = 1.0, room: float = ROOM) -> Row:
    """Measure one row on a new server: `rest` seconds without the attack, the attack, the bystanders, and what is left afterwards: `room` MB may.

    If more memory is left, the attack comes again: what stays once is remembered or kept free, what grows each time would never end.
    """
    settings = {**SETTINGS, "SERENDIP_LIMITS__ENABLED": "true" if limits == "on" else "false", **attack.settings}
    core, again = SERVER_CPU if (os.cpu_count() or 1) > 1 else "", None
    with Serving(core=core, **settings) as server, Echo(core) as echo:
        if attack.files:
            resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (attack.files, attack.files))
        # the store opens its connections with the first chats
        resting, _, _ = asyncio.run(felt(server.port, echo.port, rest, None))
        before = look(server.pid)
        bystanders, peak, done = asyncio.run(felt(server.port, echo.port, seconds, Offence(name, server)))
        after = settled(server.pid, before, room)
        if after[0] > before[0] + room:
            asyncio.run(felt(server.port, echo.port, seconds, Offence(name, server)))
            again = settled(server.pid, before, room)[0]
    row: Row = {
        "attack": name,
        "limits": limits,
        "done": done,
        "rest_p50_ms": in_ms(resting.lines, 0.5),
        "rest_p99_ms": in_ms(resting.lines, 0.99),
        "line_p50_ms": in_ms(bystanders.lines, 0.5),
        "line_p99_ms": in_ms(bystanders.lines, 0.99),
        "newcomer_p99_ms": in_ms(bystanders.came, 0.99),
        "echo_p99_ms": [in_ms(resting.echoed, 0.99), in_ms(bystanders.echoed, 0.99)],
        "slowest_ms": [in_ms(resting.lines, 1.0), in_ms(bystanders.lines, 1.0)],
        "lost": bystanders.lost,
        "rss_mb": [before[0], max(peak, before[0]), after[0]],
        "again_mb": again,
        "descriptors": [before[1], after[1]],
    }
    return {**row, "faults": faults(row)}


class Offence:
    """An attack in its own process."""

    def __init__(self, name: str, server: Serving) -> None:
        self.name = name
        self.server = server
        context = multiprocessing.get_context("spawn")
        self._said: Queue[int] = context.Queue()
        self._make = context.Process

    def begin(self, seconds: float) -> None:
        """Attack for `seconds`."""
        self._process = self._make(target=offend, args=(self.name, self.server.port, seconds, self._said))
        self._process.start()

    def end(self) -> int:
        """Return how often it did its act; -1 if it failed."""
        self._process.join(PATIENCE)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        return self._said.get(timeout=1) if self._process.exitcode == 0 else -1


def offend(name: str, port: int, seconds: float, said: "Queue[int]") -> None:
    """Run the attacker's process."""
    os.nice(10)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with Aim(port, time.monotonic() + seconds) as aim:
        said.put(ATTACKS[name].run(aim))


async def felt(port: int, echo: int, seconds: float, offence: Offence | None) -> tuple[Bystanders, float, int]:
    """Return the bystanders' waits beside an attack, the server's peak memory in MB, and the attack's count."""
    bystanders = Bystanders(port, PAIRS, echo)
    await bystanders.meet()
    if offence is None:
        await bystanders.watch(seconds)
        return bystanders, 0.0, 0
    peak = Peak(offence.server.pid)
    watching = asyncio.ensure_future(peak.watch())
    offence.begin(seconds)
    await bystanders.watch(seconds)
    done = await asyncio.to_thread(offence.end)
    watching.cancel()
    return bystanders, peak.memory, done


class Peak:
    """Peak resident memory of a watched process, in MB."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.memory = 0.0

    async def watch(self) -> None:
        """Sample it until cancelled."""
        while True:
            self.memory = max(
                self.memory, megabytes(self._pid)
            )  # no more: to list its descriptors takes longer than a line
            await asyncio.sleep(LOOK)


def megabytes(pid: int) -> float:
    """Return the resident memory of a process in MB."""
    return round(resident(pid) / 1e6, 1)


def look(pid: int) -> tuple[float, int]:
    """Return (resident memory in MB, descriptors) of a process."""
    return megabytes(pid), len(list(Path(f"/proc/{pid}/fd").iterdir()))


def settled(pid: int, before: tuple[float, int], room: float) -> tuple[float, int]:
    """Return the first sample at which all is back; the last one if that takes longer than PATIENCE."""
    end = time.monotonic() + PATIENCE
    while not back(before, at := look(pid), room) and time.monotonic() < end:
        time.sleep(0.2)  # a poll: another process has no event for us
    return at


def back(before: Sequence[float], after: Sequence[float], room: float) -> bool:
    """Whether memory and descriptors are at their values of the start."""
    return after[0] <= before[0] + room and after[1] <= before[1] + FILES


def faults(row: Row) -> list[str]:
    """Return the faults of a row; waits are not judged if the limits are off."""
    memory, descriptors = row["rss_mb"], row["descriptors"]
    judged = row["limits"] == "on"
    return [
        name
        for name, bad in {
            "lines": judged and row["line_p99_ms"] > LINE,
            "newcomers": judged and row["newcomer_p99_ms"] > NEWCOMER,
            "lost": judged and row["lost"] > 0,
            "memory": memory[2] > memory[0] + ROOM,
            "descriptors": descriptors[1] > descriptors[0] + FILES,
            "attacker": row["done"] <= 0 and row["attack"] != "none",
        }.items()
        if bad
    ]


def lines(rows: Sequence[Row]) -> str:
    """Return the table, as Markdown."""
    return table(COLUMNS, [cells(row) for row in rows])


def cells(row: Row) -> list[str]:
    """Return a line of it."""
    return [
        row["attack"],
        row["limits"],
        f"{row['line_p50_ms']:,} / {row['line_p99_ms']:,}",
        f"{row['newcomer_p99_ms']:,}",
        str(row["lost"]),
        " → ".join(f"{value:.0f}" for value in row["rss_mb"]),
        " → ".join(map(str, row["descriptors"])),
        f"{row['done']:,}",
        str(row["tries"]),
        ", ".join(row["faults"]) or "good",
    ]

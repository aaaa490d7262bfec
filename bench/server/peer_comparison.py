"""Measure the whole server beside its peers: the same load for each, in turn, several rounds. A run with an error is discarded.

Figures are medians over the rounds; ratios to the floor (a relay of raw TCP) are taken per round, so that drift cancels.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from bench.load import generator
from bench.server import chat_cpu, documents, servers
from bench.server.servers import Server
from bench.support.machine import machine
from bench.support.process_inspection import family_spent, listed, memory, settled
from bench.support.results import write
from bench.support.serving import LOAD_CPU

PINNED = ("taskset", "-c", LOAD_CPU)


class Scenario(NamedTuple):
    """`load`: arguments of the generator; `figure`: the number that counts; `native`: Serendip only; `floor`: also raw TCP; `kept`: with records."""

    name: str
    load: tuple[str, ...]
    figure: str
    words: str
    native: bool = False
    floor: bool = True
    kept: bool = True


SCENARIOS = (
    Scenario("relay", ("relay", "-n", "2000"), "cpu_s_per_M", "1,000 pairs, one message on the way, 64 bytes"),
    Scenario("pipelined", ("relay", "-n", "200", "-d", "16"), "cpu_s_per_M", "100 pairs, 16 messages on the way"),
    Scenario("kilobyte", ("relay", "-n", "2000", "-s", "1024"), "cpu_s_per_M", "1,000 pairs, 1 KiB"),
    Scenario(
        "chat",
        ("chat", "-n", "200", "-c", "16"),
        "chat_us",
        "connect, match, a message each, close, until its record is written",
        floor=False,
    ),
    Scenario(
        "chat again",
        ("chat", "-n", "200", "-k"),
        "chat_us",
        "on open connections: find, match, a message each, until its record is written",
        native=True,
    ),
    Scenario(
        "chat again unkept",
        ("chat", "-n", "200", "-k"),
        "chat_us",
        "the same without a store",
        native=True,
        kept=False,
    ),
    Scenario("waiting", ("wait", "-n", "10000"), "bytes", "connected and waiting, nobody shares anything"),
)
SIZES = (32, 64, 128, 256, 512, 1024, 1900)  # bytes of a message, up to the bound of 2,000 code points


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Choose how much to measure."""
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each run")
    parser.add_argument("--only", type=some, default=(), help="scenarios, with commas: they are printed and not kept")
    parser.add_argument(
        "--beside",
        default=(),
        type=servers.other_build,
        metavar="TREE",
        help="another checkout, built, compared in the same run (`to_other`); not kept",
    )


def some(words: str) -> tuple[str, ...]:
    """Return names of scenarios, separated by commas. Raises argparse.ArgumentTypeError for an unknown one."""
    known = tuple(scenario.name for scenario in SCENARIOS)
    names = tuple(words.split(","))
    for name in names:
        if name not in known:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(known)}")
    return names


def main(chosen: argparse.Namespace) -> int:
    """Measure; keep the results if they are of all scenarios and of no other build, and write the documents."""
    everyone = [servers.SERENDIP, servers.UNSCREENED, *chosen.beside, servers.floor(), *servers.peers()]
    document = measure(everyone, chosen.rounds, chosen.seconds, chosen.only)
    if chosen.only or chosen.beside:
        print(documents.tables(document), end="")
        return 0
    document["sizes"] = sizes(everyone, chosen.seconds / 2)
    write(document, "whole")
    documents.write()
    return 0


def measure(everyone: Sequence[Server], rounds: int, seconds: float, names: Sequence[str] = ()) -> dict[str, Any]:
    """Measure the scenarios over the servers, all if no `names` are given. `seconds`: of each run."""
    before, found = machine(), {}
    for scenario in SCENARIOS:
        if not names or scenario.name in names:
            taking_part = [server for server in everyone if fits(scenario, server)]
            found[scenario.name] = summed(scenario, in_turn(scenario, taking_part, rounds, seconds))
    return {"machine": before, "rounds": rounds, "seconds": seconds, "scenarios": found, "sizes": {}}


def in_turn(
    scenario: Scenario, taking_part: list[Server], rounds: int, seconds: float
) -> dict[str, list[dict[str, Any]]]:
    """Return the runs of each server; a peer that fails is dropped with its runs."""
    runs: dict[str, list[dict[str, Any]]] = {server.name: [] for server in taking_part}
    for _ in range(rounds):
        for server in taking_part:
            if server.name not in runs:
                continue
            try:
                run = one(scenario, server, seconds)
            except (RuntimeError, subprocess.TimeoutExpired) as error:
                if server.native or server.raw:
                    raise
                print(f"{scenario.name}: {server.name} is out: {error}", file=sys.stderr)
                del runs[server.name]
                continue
            runs[server.name].append(run)
            line = f"{scenario.name:12} {server.name:24} {run[scenario.figure]:10.3f} {scenario.figure}"
            print(line, file=sys.stderr, flush=True)
    return runs


def fits(scenario: Scenario, server: Server) -> bool:
    """Whether the server can run the scenario."""
    return server.native or not (scenario.native or (server.raw and not scenario.floor))


def one(scenario: Scenario, server: Server, seconds: float) -> dict[str, Any]:
    """Run once against a newly started server."""
    settings = {} if scenario.kept else {"SERENDIP_STORE__ENABLED": "false"}
    with servers.running(server, **settings) as (port, pid, metrics):
        kind = ["-r"] if server.raw else [] if server.native else ["-b"]
        words = [*scenario.load, *kind, "-P", listed(pid), "-t", str(seconds)]
        if scenario.load[0] == "wait":
            return waiting(words, port, pid, seconds)
        if metrics and scenario.figure == "chat_us":
            return chat_cpu.run(words, port, pid, metrics, PINNED)
        found = generator.ended(generator.start(words, port, PINNED))
        if not found["messages"]:
            raise RuntimeError("not one message came in the time that was measured")
        return found


def waiting(words: Sequence[str], port: int, pid: int, seconds: float) -> dict[str, Any]:
    """Measure waiting clients: bytes of each, CPU while idle."""
    before = memory(pid)
    with generator.start(words, port, PINNED) as process:
        ready = generator.ready(process)
        settled(pid)  # what the arrival left behind
        held, began = memory(pid), family_spent(pid)
        time.sleep(seconds)
        idle = (family_spent(pid) - began) / seconds
        found = generator.ended(process)
    return {**found, **ready, "bytes": (held - before) / ready["ready"], "idle_cpu": idle}


def sizes(everyone: Sequence[Server], seconds: float) -> dict[str, dict[str, float]]:
    """Return the curves of all servers."""
    found = {}
    for server in everyone:
        print(f"sizes        {server.name}", file=sys.stderr, flush=True)
        found[server.name] = curve(server, seconds)
    return found


def curve(server: Server, seconds: float) -> dict[str, float]:
    """Return CPU seconds per million messages, by size in bytes, without sizes at which a peer failed."""
    found = {}
    for size in SIZES:
        scenario = Scenario("size", ("relay", "-n", "200", "-d", "4", "-s", str(size)), "cpu_s_per_M", "")
        try:
            found[str(size)] = one(scenario, server, seconds)["cpu_s_per_M"]
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            if server.native or server.raw:
                raise
            print(f"{size} bytes: {server.name} is out: {error}", file=sys.stderr)
    return found


def summed(scenario: Scenario, by_server: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Return medians of numbers, and ratios per round: to the floor, and to another build as it ships if one takes part."""
    found = {}
    others = {"to_floor": "floor", "to_other": next((name for name in by_server if name.startswith(servers.OTHER)), "")}
    for name, runs in by_server.items():
        numbers = [key for key, value in runs[0].items() if isinstance(value, int | float)]
        middle = {key: statistics.median(run[key] for run in runs) for key in numbers}
        for ratio, other in others.items():
            bases = [run[scenario.figure] for run in by_server.get(other, [])]
            if bases and name != other and all(base > 0 for base in bases):  # a client of the floor may take no memory
                pairs = zip(runs, bases, strict=True)
                middle[ratio] = statistics.median(run[scenario.figure] / base for run, base in pairs)
        middle["spread"] = max(run[scenario.figure] for run in runs) - min(run[scenario.figure] for run in runs)
        found[name] = middle
    return {"figure": scenario.figure, "words": scenario.words, "servers": found}

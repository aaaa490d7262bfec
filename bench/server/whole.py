"""The whole server beside its peers: the same load for each, in turn, several rounds. Rule: a run with an error proves nothing.

Figures are medians over the rounds; ratios to the floor are taken round by round, so that drift cancels.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bench.machine import machine
from bench.server import servers
from bench.server.servers import Server

RESULTS = Path(__file__).resolve().parents[1] / "results"


class Scenario(NamedTuple):
    """`load`: arguments of the generator; `figure`: the number that matters; `native`: only for Serendip; `floor`: also raw."""

    name: str
    load: tuple[str, ...]
    figure: str
    words: str
    native: bool = False
    floor: bool = True


SCENARIOS = (
    Scenario("relay", ("relay", "-n", "2000"), "cpu_s_per_M", "1,000 pairs, one message on the way, 64 bytes"),
    Scenario("pipelined", ("relay", "-n", "200", "-d", "16"), "cpu_s_per_M", "100 pairs, 16 messages on the way"),
    Scenario("kilobyte", ("relay", "-n", "2000", "-s", "1024"), "cpu_s_per_M", "1,000 pairs, 1 KiB"),
    Scenario(
        "chat", ("chat", "-n", "200", "-c", "16"), "chat_us", "connect, match, a message each, close", floor=False
    ),
    Scenario(
        "chat again",
        ("chat", "-n", "200", "-k"),
        "chat_us",
        "on open connections: find, match, a message each",
        native=True,
    ),
    Scenario("waiting", ("wait", "-n", "10000"), "bytes", "connected and waiting, nobody shares anything"),
)
SIZES = (32, 64, 128, 256, 512, 1024, 1900)  # bytes of a message, up to the bound of 2,000 code points


def measure(rounds: int, seconds: float, names: Sequence[str], sizes: bool, peers: bool = True) -> dict[str, Any]:
    """All scenarios over all servers. `seconds`: of each run."""
    load = servers.build_load()
    everyone = [servers.serendip(), servers.floor(), *(servers.peers() if peers else [])]
    runs: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for scenario in SCENARIOS:
        if names and scenario.name not in names:
            continue
        taking_part = [server for server in everyone if fits(scenario, server)]
        for _ in range(rounds):
            for server in list(taking_part):
                try:
                    run = one(load, scenario, server, seconds)
                except (RuntimeError, subprocess.TimeoutExpired) as error:
                    if server.native or server.raw:
                        raise
                    print(
                        f"{scenario.name}: {server.name} is out: {error}", file=sys.stderr
                    )  # a peer's fault is no figure
                    taking_part.remove(server)
                    runs.get(scenario.name, {}).pop(server.name, None)
                    continue
                runs.setdefault(scenario.name, {}).setdefault(server.name, []).append(run)
                print(
                    f"{scenario.name:12} {server.name:12} {run[scenario.figure]:10.3f} {scenario.figure}",
                    file=sys.stderr,
                    flush=True,
                )
    document: dict[str, Any] = {
        "machine": machine(),
        "rounds": rounds,
        "seconds": seconds,
        "scenarios": {},
        "sizes": {},
    }
    for scenario in SCENARIOS:
        if scenario.name in runs:
            document["scenarios"][scenario.name] = summed(scenario, runs[scenario.name])
    if sizes:
        for server in everyone:
            print(f"sizes        {server.name}", file=sys.stderr, flush=True)
            document["sizes"][server.name] = curve(load, server, seconds / 2)
    return document


def quick() -> None:
    """Serendip and the floor alone, in two minutes; writes quick.json, which git does not keep."""
    write(measure(3, 1.5, (), sizes=False, peers=False), "quick")


def fits(scenario: Scenario, server: Server) -> bool:
    """Whether the server can do that."""
    return server.native or not (scenario.native or (server.raw and not scenario.floor))


def one(load: Path, scenario: Scenario, server: Server, seconds: float) -> dict[str, Any]:
    """One run against a server started for it."""
    with servers.running(server) as (port, pid):
        flags = ["-r"] if server.raw else [] if server.native else ["-b"]
        command = [
            "taskset",
            "-c",
            servers.LOAD_CPU,
            str(load),
            *scenario.load,
            *flags,
            "-p",
            str(port),
            "-P",
            str(pid),
            "-t",
            str(seconds),
        ]
        if scenario.load[0] == "wait":
            return waiting(command, pid, seconds)
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        found = checked(done.returncode, done.stdout, done.stderr)
        if not found["messages"]:
            raise RuntimeError("not one message came in the time that was measured")
        return found


def waiting(command: list[str], pid: int, seconds: float) -> dict[str, Any]:
    """People who only wait: bytes of each, CPU while nothing happens."""
    before = servers.memory(pid)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the generator has no pipes")
        line = process.stdout.readline()
        if not line:
            raise RuntimeError("the clients did not come")
        ready = json.loads(line)
        servers.settled(pid)  # what the arrival left behind
        held, began = servers.memory(pid), spent(pid)
        time.sleep(seconds)
        idle = (spent(pid) - began) / seconds
        process.stdin.close()
        rest = process.stdout.read()
    found = checked(process.returncode, rest, "")
    return {**found, **ready, "bytes": (held - before) / ready["ready"], "idle_cpu": idle}


def spent(pid: int) -> float:
    """CPU seconds of a process, to the nanosecond."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def checked(code: int, out: str, err: str) -> dict[str, Any]:
    """The generator's figures; RuntimeError where it found an error or did not get so far."""
    lines = out.strip().splitlines()
    if code != 0 or not lines:
        raise RuntimeError(f"the load ended with {code}: {lines[-1:] or ''} {err[-500:]}")
    found: dict[str, Any] = json.loads(lines[-1])
    return found


def curve(load: Path, server: Server, seconds: float) -> dict[str, float]:
    """CPU seconds per million messages, by size in bytes; a peer's fault leaves out that size."""
    found = {}
    for size in SIZES:
        scenario = Scenario("size", ("relay", "-n", "200", "-d", "4", "-s", str(size)), "cpu_s_per_M", "")
        try:
            found[str(size)] = one(load, scenario, server, seconds)["cpu_s_per_M"]
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            if server.native or server.raw:
                raise
            print(f"{size} bytes: {server.name} is out: {error}", file=sys.stderr)
    return found


def summed(scenario: Scenario, by_server: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Medians, and ratios to the floor round by round."""
    floor = [run[scenario.figure] for run in by_server.get("floor", [])]
    found = {}
    for name, runs in by_server.items():
        middle = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        if floor and name != "floor":
            middle["to_floor"] = statistics.median(
                run[scenario.figure] / base for run, base in zip(runs, floor, strict=True)
            )
        middle["spread"] = max(run[scenario.figure] for run in runs) - min(run[scenario.figure] for run in runs)
        found[name] = middle
    return {"figure": scenario.figure, "words": scenario.words, "servers": found}


def write(document: dict[str, Any], name: str) -> Path:
    """Keep the document in bench/results/."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n")
    return path

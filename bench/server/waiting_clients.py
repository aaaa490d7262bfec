"""Connect up to a million waiting clients on one machine, both ends here; print figures and a plot.

As many server processes as the descriptor limit asks for, each with its own clients; stops early, and says so, if memory or time is short. Figures:
memory of the servers, of everything, time to connect, CPU while all wait. A million also takes two descriptors and two epoll entries per client, in
the whole kernel.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.load import generator
from bench.support.machine import machine
from bench.support.plots import pyplot, save
from bench.support.process_inspection import memory, spent
from bench.support.results import write
from bench.support.serving import Serving

SPARE = 1_000  # descriptors of a process that are not clients
RESERVE = 2 << 30  # bytes that are left to the machine
IDLE = 10.0  # seconds of waiting that are measured
LONGEST = 1_500.0  # seconds for all to come; then it goes on with those who are there


def available() -> int:
    """Return the bytes that the kernel can still give."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0


def obstacles(clients: int) -> list[str]:
    """Return kernel settings that are too small, both ends counted."""
    wanted = {"fs/file-max": 2 * clients, "fs/epoll/max_user_watches": 2 * clients}
    if setting("net/netfilter/nf_conntrack_count"):  # connections are tracked here
        wanted["net/netfilter/nf_conntrack_max"] = clients
    return [
        f"{name.replace('/', '.')} is {found:,}, {least:,} are needed"
        for name, least in wanted.items()
        if (found := setting(name)) is not None and found < least
    ]


def setting(name: str) -> int | None:
    """Return a number under /proc/sys; None if the kernel does not have it."""
    path = Path("/proc/sys") / name
    return int(path.read_text()) if path.exists() else None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Choose the number of clients."""
    parser.add_argument("--clients", type=int, default=1_000_000)


def main(chosen: argparse.Namespace) -> int:
    """Start process by process; return 1 if fewer connected than asked."""
    clients = chosen.clients
    if missing := obstacles(clients):
        print("the kernel's settings are too small:", *missing, sep="\n  ", file=sys.stderr)
        return 1
    crowd = Crowd()
    with ExitStack() as stack:
        while crowd.clients < clients and crowd.grown(stack, clients):
            print(
                f"{crowd.clients:9,} clients, {len(crowd.pids)} processes, machine {crowd.taken() / 1e9:.2f} GB",
                file=sys.stderr,
                flush=True,
            )
        print(f"all wait; {IDLE:.0f} s are measured", file=sys.stderr, flush=True)
        document = crowd.figures(clients, crowd.idle())
        print("all leave", file=sys.stderr, flush=True)
    write(document, "million")
    plot(crowd.steps)
    print(json.dumps({key: value for key, value in document.items() if key not in ("machine", "steps")}, indent=1))
    return 0 if crowd.clients >= clients else 1


@dataclass
class Crowd:
    """Servers and their clients so far."""

    before: dict[str, Any] = field(default_factory=machine)
    free: int = field(default_factory=available)
    start: float = field(default_factory=time.monotonic)
    clients: int = 0
    pids: list[int] = field(default_factory=list)  # of the servers
    generators: list[int] = field(default_factory=list)
    steps: list[dict[str, float]] = field(default_factory=list)

    def taken(self) -> int:
        """Bytes of the machine that are used since the start."""
        return self.free - available()

    def grown(self, stack: ExitStack, asked: int) -> bool:
        """Add a server with its clients; False, with the reason printed, if there is no room or time for it."""
        if available() - RESERVE < self.taken() / max(1, len(self.pids)):
            print(f"memory is short: stopped at {self.clients:,}", file=sys.stderr)
            return False
        if time.monotonic() - self.start > LONGEST:
            print(f"time is short: stopped at {self.clients:,}", file=sys.stderr)
            return False
        count = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1] - SPARE, asked - self.clients) // 2 * 2
        server = stack.enter_context(Serving(SERENDIP_STORE__ENABLED="false", SERENDIP_SESSION__GRACE="0"))
        held = memory(server.pid)
        words = ["wait", "-n", str(count), "-P", str(server.pid), "-c", "128", "-x", str(self.clients)]
        process = generator.start(words, server.port)
        stack.callback(ended, process)
        try:
            ready = generator.ready(process)
        except RuntimeError as error:
            print(f"process {len(self.pids) + 1}: {error}", file=sys.stderr)
            return False
        self.clients += ready["ready"]
        self.pids.append(server.pid)
        self.generators.append(process.pid)
        now = memory(server.pid)
        self.steps.append({
            "clients": self.clients, "seconds": time.monotonic() - self.start, "bytes": (now - held) / ready["ready"],
            "server": float(now), "machine": float(self.taken()), "connect_us": ready["connect_us"],
        })  # fmt: skip
        return True

    def idle(self) -> float:
        """Return the cores that the servers use while all wait."""
        used = sum(map(spent, self.pids))
        time.sleep(IDLE)
        return (sum(map(spent, self.pids)) - used) / IDLE

    def figures(self, asked: int, idle: float) -> dict[str, Any]:
        """Return the document, while all are connected."""
        held, steps = sum(map(memory, self.pids)), self.steps
        return {
            "machine": self.before,
            "asked": asked,
            "clients": self.clients,
            "processes": len(self.pids),
            "servers_bytes": held,
            "servers_bytes_per_client": held / max(1, self.clients),
            "growth_bytes_per_client": sum(step["bytes"] for step in steps) / max(1, len(steps)),
            "generators_bytes": sum(map(memory, self.generators)),
            "machine_bytes": self.taken(),
            "seconds_to_come": steps[-1]["seconds"] if steps else 0.0,
            "idle_cpu_cores": idle,
            "steps": steps,
        }


def ended(process: subprocess.Popen[str]) -> None:
    """End a generator by closing its input."""
    try:
        process.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


def plot(steps: list[dict[str, float]]) -> None:
    """Plot memory against clients."""
    if not steps:
        return
    plt = pyplot()
    figure, axis = plt.subplots(figsize=(6, 4))
    clients = [step["clients"] for step in steps]
    axis.plot(clients, [step["machine"] / 1e9 for step in steps], label="the machine: servers, clients, kernel")
    total = 0.0
    totals = []
    for step in steps:
        total += step["server"]
        totals.append(total / 1e9)
    axis.plot(clients, totals, label="the servers", color="#d6336c")
    axis.set_xlabel("clients connected and waiting")
    axis.set_ylabel("GB")
    axis.legend()
    save(figure, "million")

"""Many clients connected and waiting on one machine, both ends of every connection here: its figures and its plot.

Rule: as many server processes as the descriptor limit asks for, each with its own clients; stops early, and says so,
where memory or time is short. Figures: memory of the servers, of everything, time to come, CPU while all wait.
What a million takes, beside memory: two descriptors and two entries of epoll a client, in the kernel's whole.
"""

import json
import resource
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.machine import machine
from bench.server import servers
from bench.server.report import pyplot, save
from bench.server.whole import spent, write

SPARE = 1_000  # descriptors of a process that are not clients
RESERVE = 2 << 30  # bytes that are left to the machine
IDLE = 10.0  # seconds of waiting that are measured
LONGEST = 1_500.0  # seconds for all to come; then it goes on with those who are there


def available() -> int:
    """Bytes that the kernel could still give."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0


def obstacles(clients: int) -> list[str]:
    """Kernel settings that are too small for so many, both ends counted."""
    wanted = {"fs/file-max": 2 * clients, "fs/epoll/max_user_watches": 2 * clients}
    if setting("net/netfilter/nf_conntrack_count"):  # connections are tracked here
        wanted["net/netfilter/nf_conntrack_max"] = clients
    return [
        f"{name.replace('/', '.')} is {found:,}, {least:,} are needed"
        for name, least in wanted.items()
        if (found := setting(name)) is not None and found < least
    ]


def setting(name: str) -> int | None:
    """A number under /proc/sys; None where the kernel has no such thing."""
    path = Path("/proc/sys") / name
    return int(path.read_text()) if path.exists() else None


def main(clients: int) -> int:
    """Brings them up process by process; 1 where fewer came than asked."""
    if missing := obstacles(clients):
        print("the kernel's settings are too small:", *missing, sep="\n  ", file=sys.stderr)
        return 1
    load = str(servers.build_load())
    each = resource.getrlimit(resource.RLIMIT_NOFILE)[1] - SPARE
    began, start = available(), time.monotonic()
    steps: list[dict[str, float]] = []
    open_clients = 0
    pids: list[int] = []
    generators: list[int] = []
    with ExitStack() as stack:
        while open_clients < clients:
            count = min(each, clients - open_clients) // 2 * 2
            if available() - RESERVE < (began - available()) / max(1, len(pids)):
                print(f"memory is short: stopped at {open_clients:,}", file=sys.stderr)
                break
            if time.monotonic() - start > LONGEST:
                print(f"time is short: stopped at {open_clients:,}", file=sys.stderr)
                break
            port, pid = stack.enter_context(
                servers.running(servers.serendip(), SERENDIP_METRICS__ENABLED="false", SERENDIP_STORE__ENABLED="false")
            )
            subprocess.run(["taskset", "-pc", "0,1", str(pid)], check=True, capture_output=True)
            before = servers.memory(pid)
            process = subprocess.Popen(
                [load, "wait", "-n", str(count), "-p", str(port), "-P", str(pid), "-c", "128", "-x", str(open_clients)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            stack.callback(ended, process)
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                print(f"process {len(pids) + 1} did not get its clients", file=sys.stderr)
                break
            ready = json.loads(line)
            open_clients += ready["ready"]
            pids.append(pid)
            generators.append(process.pid)
            held = servers.memory(pid)
            steps.append({
                "clients": open_clients, "seconds": time.monotonic() - start, "bytes": (held - before) / ready["ready"],
                "server": float(held), "machine": float(began - available()), "connect_us": ready["connect_us"],
            })  # fmt: skip
            print(
                f"{open_clients:9,} clients, {len(pids)} processes, machine {(began - available()) / 1e9:.2f} GB",
                file=sys.stderr,
                flush=True,
            )
        print(f"all wait; {IDLE:.0f} s are measured", file=sys.stderr, flush=True)
        cpu = sum(spent(pid) for pid in pids)
        time.sleep(IDLE)
        idle = (sum(spent(pid) for pid in pids) - cpu) / IDLE
        document = figures(clients, open_clients, pids, generators, steps, idle, began)
        print("all leave", file=sys.stderr, flush=True)
    write(document, "million")
    plot(steps)
    print(json.dumps({key: value for key, value in document.items() if key not in ("machine", "steps")}, indent=1))
    return 0 if open_clients >= clients else 1


def figures(
    clients: int,
    came: int,
    pids: list[int],
    generators: list[int],
    steps: list[dict[str, float]],
    idle: float,
    began: int,
) -> dict[str, Any]:
    """The document, while everybody is still there."""
    held = sum(servers.memory(pid) for pid in pids)
    return {
        "machine": machine(), "asked": clients, "clients": came, "processes": len(pids), "servers_bytes": held,
        "servers_bytes_per_client": held / max(1, came), "growth_bytes_per_client": sum(step["bytes"] for step in steps) / max(1, len(steps)),
        "generators_bytes": sum(servers.memory(pid) for pid in generators), "machine_bytes": began - available(),
        "seconds_to_come": steps[-1]["seconds"] if steps else 0.0, "idle_cpu_cores": idle, "steps": steps,
    }  # fmt: skip


def ended(process: subprocess.Popen[str]) -> None:
    """A generator goes when its input ends."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def plot(steps: list[dict[str, float]]) -> None:
    """Memory against clients."""
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

"""Read another process from /proc: its ports, CPU time and memory, without disturbing it."""

import os
import socket
import time
from contextlib import suppress
from pathlib import Path


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def listens(port: int) -> bool:
    """Whether a process listens there, from the kernel's table: a connection to a peer would be taken for a partner."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(row[3] == "0A" and row[1].endswith(f":{port:04X}") for row in rows)


def asleep(pid: int) -> bool:
    """Whether the process waits for something to happen, or has ended."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"
    return True


def family(pid: int) -> list[int]:
    """Return a process and those that it started, and they, while they run: a service's cost is the cost of all."""
    found = [pid]
    for one in found:  # which grows
        with suppress(FileNotFoundError, ProcessLookupError):
            for task in Path(f"/proc/{one}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found


def listed(pid: int) -> str:
    """Return the pids of a family as the load generator takes them."""
    return ",".join(map(str, family(pid)))


def family_times(pid: int) -> tuple[float, float]:
    """Return CPU seconds, user and system, of a process and all that it started and that run."""
    found = [0.0, 0.0]
    for one in family(pid):
        with suppress(FileNotFoundError, ProcessLookupError):
            for place, seconds in enumerate(times(one)):
                found[place] += seconds
    return found[0], found[1]


def family_spent(pid: int) -> float:
    """Return CPU seconds of all threads of a family so far, in nanosecond resolution."""
    found = 0.0
    for one in family(pid):
        with suppress(FileNotFoundError, ProcessLookupError):
            for task in Path(f"/proc/{one}/task").iterdir():
                found += int((task / "schedstat").read_text().split()[0]) / 1e9
    return found


def screened_by(pid: int) -> int:
    """Return the number of processes of a family that screen lines."""
    found = 0
    for one in family(pid):
        with suppress(FileNotFoundError, ProcessLookupError):
            found += b"screening" in Path(f"/proc/{one}/cmdline").read_bytes()
    return found


def cpu(pid: int) -> float:
    """Return CPU seconds, user and system, of all threads of a process so far; resolution 10 ms."""
    return sum(times(pid))


def times(pid: int) -> tuple[float, float]:
    """Return the same as (user, system)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    tick = os.sysconf("SC_CLK_TCK")
    return int(fields[11]) / tick, int(fields[12]) / tick


def spent(pid: int) -> float:
    """Return CPU seconds of the first thread of a process so far, in nanosecond resolution."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def memory(pid: int) -> int:
    """Return the bytes of a process (proportional set size)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def resident(pid: int) -> int:
    """Return the resident bytes of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def settled(pid: int) -> None:
    """Wait until the process has held the same memory for half a second; ten seconds at most."""
    seen = [memory(pid)]
    while len(seen) < 100 and (len(seen) < 6 or len(set(seen[-6:])) > 1):
        time.sleep(0.1)  # a poll: memory has no event
        seen.append(memory(pid))

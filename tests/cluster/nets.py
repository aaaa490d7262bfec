"""Machines of their own within this one: network namespaces on two bridges. Rule: whatever happens they go away, with every process in them.

    this process ──── public bridge ──── a machine ──── private bridge ──── this process
                                           (one of several)

All names begin with the number of the process that made them, and a letter: what a run left that was killed is found, and removed, by the next.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.support import network

NETNS = Path("/run/netns")
NEWNET = 0x40000000  # CLONE_NEWNET
OURS = 254  # this process's address on both bridges
NAME = re.compile(r"sd(\d+)[a-z].*")
PUBLIC, PRIVATE = "pub", "lan"  # a machine's interfaces
_libc = ctypes.CDLL(None, use_errno=True)
_inside: set[int] = set()  # threads that are on a machine now, of purpose


def lacking() -> str:
    """Why there can be no machines here; "": there can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    for program in ("ip", "tc"):
        if shutil.which(program) is None:
            return f"network namespaces need `{program}`: apt-get install iproute2"
    tried = subprocess.run(["unshare", "--net", "true"], check=False, capture_output=True, text=True)
    return "" if tried.returncode == 0 else f"no network namespace may be made here: {tried.stderr.strip()}"


def ip(*words: str | int) -> str:
    """Run `ip`; what it prints. Raises RuntimeError."""
    ran = subprocess.run(["ip", *map(str, words)], check=False, capture_output=True, text=True, timeout=20)
    if ran.returncode:
        raise RuntimeError(f"ip {' '.join(map(str, words))}: {ran.stderr.strip()}")
    return ran.stdout


class Machine:
    """One. `public`, `private`: its addresses."""

    def __init__(self, nets: Nets, number: int) -> None:
        self.number = number
        self.name = f"{nets.name}-{number}"
        self.public, self.private = nets.public(number), nets.private(number)
        ip("netns", "add", self.name)
        ip("-n", self.name, "link", "set", "lo", "up")
        for interface, address, bridge in (
            (PUBLIC, self.public, nets.bridges[0]),
            (PRIVATE, self.private, nets.bridges[1]),
        ):
            outer = f"{bridge}{number}"
            ip("link", "add", outer, "type", "veth", "peer", "name", interface, "netns", self.name)
            ip("link", "set", outer, "addrgenmode", "none")  # it needs no address, and one that comes disturbs windows
            ip("link", "set", outer, "master", bridge, "up")
            ip("-n", self.name, "addr", "add", f"{address}/24", "dev", interface)
            ip("-n", self.name, "link", "set", interface, "up")

    @contextmanager
    def inside(self, *, threads: bool = False) -> Iterator[None]:
        """What this thread starts meanwhile, and each socket that it makes, is on that machine. Await nothing within.

        Raises RuntimeError where a thread was begun: it stays there, and whatever it is given to do later. `threads`: those that are begun open
        no socket.
        """
        thread = threading.get_native_id()
        with open("/proc/thread-self/ns/net") as here, open(NETNS / self.name) as there:
            _inside.add(thread)
            _enter(there.fileno())
            try:
                yield
            finally:
                _enter(here.fileno())
                _inside.discard(thread)
        if threads:
            _inside.update(_elsewhere())
        elif elsewhere := _elsewhere():
            raise RuntimeError(f"threads of this process stay in another network: {elsewhere}")

    def up(self, *, link: bool) -> None:
        """Plug its private network in, or pull it out."""
        ip("-n", self.name, "link", "set", PRIVATE, "up" if link else "down")

    def black_hole(self, other: Machine, *, there: bool) -> None:
        """What this machine sends to another goes nowhere while it is `there`; what comes from it arrives."""
        ip("-n", self.name, "route", "add" if there else "del", "blackhole", f"{other.private}/32")

    def gone(self) -> None:
        """End each process, and the machine."""
        remove(self.name)


class Nets:
    """Two bridges of this process's, and machines on them. `letter`: of those of one process each has another."""

    def __init__(self, letter: str = "c") -> None:
        self.name = f"sd{os.getpid()}{letter}"
        self.bridges = (f"{self.name}p", f"{self.name}l")
        sweep()
        self._third = _free_third()
        self.machines: list[Machine] = []
        with network.changing():
            for bridge, address in zip(self.bridges, (self.public(OURS), self.private(OURS)), strict=True):
                ip("link", "add", bridge, "type", "bridge")
                ip("link", "set", bridge, "addrgenmode", "none")
                ip("addr", "add", f"{address}/24", "dev", bridge)
                ip("link", "set", bridge, "up")

    def machine(self) -> Machine:
        """A further one."""
        made = Machine(self, max((one.number for one in self.machines), default=0) + 1)
        self.machines.append(made)
        return made

    def public(self, number: int) -> str:
        """The public address of a machine."""
        return f"198.18.{self._third}.{number}"

    def private(self, number: int) -> str:
        """The private one: of the networks for benchmarks, which lead nowhere (RFC 2544)."""
        return f"198.19.{self._third}.{number}"

    def close(self) -> None:
        """Remove everything."""
        _remove_all(self.name)


def sweep() -> list[str]:
    """Remove what runs left whose process is gone; the names of the machines."""
    found = {int(match[1]) for name in _names() if (match := NAME.fullmatch(name))}
    return [name for pid in found if not Path(f"/proc/{pid}").exists() for name in _remove_all(f"sd{pid}")]


def remove(name: str) -> None:
    """A machine, with all that runs on it; nothing where there is none."""
    while pids := _pids(name):
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if not any(_runs(pid) for pid in pids):
            break
    with suppress(RuntimeError):
        ip("netns", "del", name)


def _remove_all(first: str) -> list[str]:
    """The machines and bridges whose names begin so, with what is no digit behind it."""
    names = [name for name in _names() if re.match(rf"{first}(?!\d)", name)]
    machines = [name for name in names if "-" in name]
    with network.changing():
        for name in machines:
            remove(name)
        for name in names:
            if name not in machines:
                with suppress(RuntimeError):  # a link that went with the machine at its other end
                    ip("link", "del", name)
    return machines


def _names() -> list[str]:
    """Of namespaces and links."""
    links: list[dict[str, Any]] = json.loads(ip("-j", "link") or "[]")
    return [*(path.name for path in NETNS.glob("sd*")), *(link["ifname"] for link in links)]


def _pids(name: str) -> list[int]:
    """The processes of a machine that are not dead."""
    try:
        return [int(pid) for pid in ip("netns", "pids", name).split() if _runs(int(pid))]
    except RuntimeError:
        return []


def _runs(pid: int) -> bool:
    """Whether there is such a process, and it is not one that only waits for its parent to look."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def _enter(namespace: int) -> None:
    if _libc.setns(namespace, NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def _elsewhere() -> list[int]:
    """Threads of this process that are in another network than this one, and are not there of purpose."""
    here, found = Path("/proc/thread-self/ns/net").readlink(), []
    for task in Path("/proc/self/task").iterdir():
        with suppress(OSError):  # it has ended
            if int(task.name) not in _inside and (task / "ns/net").readlink() != here and int(task.name) not in _inside:
                found.append(int(task.name))
    return found


def _free_third() -> int:
    """The third number of addresses that nobody has here."""
    used = {address["local"] for link in json.loads(ip("-j", "addr")) for address in link["addr_info"]}
    taken = {int(local.split(".")[2]) for local in used if re.match(r"198\.1[89]\.", local)}
    return next(third for third in range(os.getpid() % 200, 255) if third not in taken)


def reaches(machine: Machine, address: tuple[str, int], within: float = 5.0) -> bool:
    """Whether a connection from that machine is taken. For tests of the network itself; `within`: seconds, of which a busy machine may take some."""
    with machine.inside():
        sock = socket.socket()
    try:
        sock.settimeout(within)
        sock.connect(address)
    except OSError:
        return False
    finally:
        sock.close()
    return True

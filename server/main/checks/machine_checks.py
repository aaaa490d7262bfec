"""Check the machine: kernel settings, clock, disk and inodes, swap. Reads /proc and /sys, changes nothing.

**Invariant:** what this system does not have, or does not show to this user, is no problem.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from server.main.checks.check_finding import Finding, error, notice, ok, warning
from server.ops.config.settings import Settings

QUEUE: Final = 4096  # connections that wait to be accepted; after a restart all clients come at once
TRACKED_WARNING, TRACKED_ERROR = 0.7, 0.95  # of the table of connections
FREE_SHARE: Final = 0.1  # as the alert SerendipDiskFilling
FULL_SHARE: Final = 0.03  # as the alert SerendipDiskFull
INODES_SHARE: Final = 0.05
PORTS: Final = 40_000  # a proxy needs one for each connection to this server
TIME_ERROR: Final = 5  # what adjtimex returns if no time server sets this clock (adjtimex(2))
TIMEX_BYTES: Final = 512  # more than struct timex has
PROC, SYS = Path("/proc"), Path("/sys")


def machine(settings: Settings) -> list[Finding]:
    """Run all checks of the machine; each yields one finding at least."""
    found: list[Finding] = []
    for name, some in (("kernel", list(kernel())), ("clock", list(clock())), ("disk", list(disk(settings.data)))):
        found += some or [ok(name, "well")]
    return found


def kernel(proc: Path = PROC, system: Path = SYS) -> Iterator[Finding]:
    """Check the limits of connections, ports, files and the memory's pages."""
    for name in ("net/core/somaxconn", "net/ipv4/tcp_max_syn_backlog"):
        value = _number(proc / "sys" / name)
        if value is not None and value < QUEUE:
            key = name.replace("/", ".")
            yield warning(
                "kernel", f"{key} is {value}: newcomers are dropped after a restart", f"sysctl -w {key}={QUEUE}"
            )
    ports = _words(proc / "sys/net/ipv4/ip_local_port_range")
    if len(ports) == 2 and int(ports[1]) - int(ports[0]) < PORTS:
        said = f"net.ipv4.ip_local_port_range is {ports[0]} to {ports[1]}: a proxy on this machine carries as many people at most"
        yield warning("kernel", said, "sysctl -w net.ipv4.ip_local_port_range='1024 65535'")
    count, most = (_number(proc / f"sys/net/netfilter/nf_conntrack_{name}") for name in ("count", "max"))
    if count is not None and most and count / most > TRACKED_WARNING:
        level = error if count / most > TRACKED_ERROR else warning
        said = f"{count} of {most} connections in the firewall's table: a full one drops newcomers silently"
        yield level("kernel", said, f"sysctl -w net.netfilter.nf_conntrack_max={4 * most}")
    files = _words(proc / "sys/fs/file-nr")
    if len(files) == 3 and int(files[0]) > TRACKED_WARNING * int(files[2]):
        yield warning("kernel", f"{files[0]} of {files[2]} open files of the machine", "raise fs.file-max")
    if "[always]" in _words(system / "kernel/mm/transparent_hugepage/enabled"):
        said = "transparent huge pages are `always`: processes take more memory than they use"
        yield notice("kernel", said, "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled")
    if len(_text(proc / "swaps").splitlines()) > 1:
        said = "this machine swaps: a line of a chat may reach a disk, unless the unit forbids it (MemorySwapMax=0)"
        yield notice("kernel", said, "swapoff -a, or encrypt the swap")


def clock() -> Iterator[Finding]:
    """Check that a time server sets the clock."""
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(TIMEX_BYTES))
    except (OSError, AttributeError):
        return
    if state == TIME_ERROR:
        yield warning("clock", "no time server sets this clock", "systemctl enable --now systemd-timesyncd, or chrony")


def disk(folder: Path) -> Iterator[Finding]:
    """Check the share of bytes and of inodes that are free where the data folder is."""
    try:
        seen = os.statvfs(folder)
    except OSError:
        return  # the check `data` says why
    if seen.f_blocks and seen.f_bavail < FREE_SHARE * seen.f_blocks:
        share = seen.f_bavail / seen.f_blocks
        level, entry = (error, "SerendipDiskFull") if share < FULL_SHARE else (warning, "SerendipDiskFilling")
        yield level("disk", f"{100 * share:.0f} % are free at {folder}", f"serendip help {entry}")
    if seen.f_files and seen.f_favail < INODES_SHARE * seen.f_files:
        share = 100 * seen.f_favail / seen.f_files
        yield warning("disk", f"{share:.0f} % of the inodes are free at {folder}", "find what makes many small files")


def _text(file: Path) -> str:
    """Return a file of the kernel; empty if this user has no such file."""
    try:
        return file.read_text()
    except OSError:
        return ""


def _words(file: Path) -> list[str]:
    return _text(file).split()


def _number(file: Path) -> int | None:
    words = _words(file)
    return int(words[0]) if words and words[0].isdigit() else None

"""Take from the calling process what its work does not need, for good: the jail of each process that reads untrusted input.

A jail is a network namespace without interfaces, no root and no capability, limits of resources, no core dump, no new privilege, memory that is not
executable, the CPU time that others leave, and an allow-list of system calls.
**Invariant:** nothing that was given up is available again, to this process or to a program that replaces it.
"""

import contextlib
import ctypes
import os
import resource
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from server.ops.process.syscall_filter import (
    ALL_BITS,
    COMPUTE,
    DESCRIPTORS,
    READING,
    RUNNING,
    SOCKETS,
    Allowed,
    Only,
    SyscallFilter,
)

NOBODY: Final = 65534  # a user without files
OPEN_MAX: Final = 32  # descriptors of a process that reads files
MIB: Final = 1024 * 1024
NETWORK: Final = "network"  # rights that could not be given up
SYSCALLS: Final = "syscalls:"
_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
_PR_SET_DUMPABLE: Final = 4
_PR_SET_NO_NEW_PRIVS: Final = 38
_PR_SET_MDWE: Final = 65  # since Linux 6.3
_MDWE_REFUSE_EXEC_GAIN: Final = 1
_CLONE_NEWUSER: Final = 0x10000000  # linux/sched.h
_CLONE_NEWNET: Final = 0x40000000
_CAPABILITY_VERSION_3: Final = 0x20080522  # linux/capability.h
_CAP_DAC_OVERRIDE: Final = 1
_CAP_DAC_READ_SEARCH: Final = 2


@dataclass(frozen=True, slots=True)
class Jail:
    """The rights that a process keeps. `calls`: its system calls; `descriptors`: that it may have open; `memory`: bytes of addresses, 0: as before.

    `reads`: root stays root and reads files, else it becomes an unprivileged user; `sockets`: it stays in the network; `replaced`: another program
    replaces this one, which has threads, and code that is loaded; `parent`: the kernel ends this process with that one, 0: not; `waits`: it runs
    only while no other process wants its core, else it interrupts none, and gets its share of a full one by its niceness.
    """

    calls: tuple[Allowed, ...]
    descriptors: int
    memory: int = 0
    reads: bool = False
    sockets: bool = False
    replaced: bool = False
    parent: int = 0
    waits: bool = True


# Computes with the open descriptors: no file is opened any more.
COMPUTING: Final = (*COMPUTE, *DESCRIPTORS)
# Computes, and reads files that may change. Where the core is full, a process that waited would read one line in a hundred.
SCREENING: Final = Jail((*COMPUTING, *READING), OPEN_MAX, reads=True, waits=False)


def picture_jail(descriptors: int, memory: int) -> Jail:
    """Return the jail of a process that only computes, with so many descriptors and bytes of addresses."""
    return Jail(COMPUTING, descriptors, memory)


def keeper_jail(child: int, descriptors: int) -> Jail:
    """Return the jail of a process that computes, and may end its child process `child`."""
    return Jail((*COMPUTING, Only("kill", 0, ALL_BITS, child), "wait4"), descriptors, 512 * MIB)


def program_jail(parent: int, memory: int) -> Jail:
    """Return the jail of a program that replaces this process: it reads files, computes with threads, and can neither start another process nor open
    a socket or a file to write.
    """
    own = os.getpid()
    calls = (*COMPUTING, *READING, *RUNNING, Only("kill", 0, ALL_BITS, own), Only("tgkill", 0, ALL_BITS, own))
    return Jail(calls, 256, memory, replaced=True, parent=parent)


def client_jail(parent: int, memory: int) -> Jail:
    """Return the jail of a process that is a client of servers, and reads files such as certificates."""
    return Jail((*COMPUTING, *READING, *SOCKETS), OPEN_MAX, memory, sockets=True, parent=parent)


def confine(jail: Jail) -> list[str]:
    """Give up all that `jail` does not keep. Return the names of the rights that this kernel or container cannot take away: `user`,
    `capabilities`, `mdwe`, `network`, `syscalls:CAUSE`. Raises OSError.

    Call it in a process with one thread, which has loaded what it needs.
    """
    calls = SyscallFilter(jail.calls)
    libc = ctypes.CDLL(None, use_errno=True)
    without: list[str] = []
    apart = not jail.sockets and libc.unshare(_CLONE_NEWNET) == 0
    if os.geteuid() == 0 and not jail.reads and not _become_nobody():
        without.append("user")
    # Behind the change of user, which a new user namespace would not allow: its root stays the owner of root's files, and can read no others.
    if not apart and not jail.sockets and os.geteuid() != 0:
        apart = libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) == 0
    if not _drop_capabilities(libc, (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH) if jail.reads else ()):
        without.append("capabilities")
    for option, value in ((_PR_SET_NO_NEW_PRIVS, 1), (_PR_SET_DUMPABLE, 0)):
        if libc.prctl(option, value, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "prctl")
    _limit(jail)
    if not jail.replaced and libc.prctl(_PR_SET_MDWE, _MDWE_REFUSE_EXEC_GAIN, 0, 0, 0):
        without.append("mdwe")
    _lower_priority(os.SCHED_IDLE if jail.waits else os.SCHED_BATCH)
    if jail.parent:  # after each change of user, which would undo it
        _end_with(libc, jail.parent)
    if missing := calls.install():
        without.append(f"{SYSCALLS}{missing}")
        if not apart and not jail.sockets:  # else no call makes a socket
            without.append(NETWORK)
    return without


def _lower_priority(policy: int) -> None:
    """Run this process by a scheduling policy, if the system allows that; it has a higher niceness in any case."""
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, policy, os.sched_param(0))


def _end_with(libc: ctypes.CDLL, parent: int) -> None:
    """Let the kernel end this process with its parent, which may have ended already. Raises OSError."""
    if libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != parent:
        raise ProcessLookupError("the parent has ended")


def _become_nobody() -> bool:
    try:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    except OSError:
        return False
    return True


def _drop_capabilities(libc: ctypes.CDLL, kept: Sequence[int]) -> bool:
    """Drop all capabilities but those of `kept` that this process has: a new user namespace gives all of its own. Return whether it has no others.

    No call is made if nothing is to be dropped: the service manager of a process without privileges may refuse it. Raises OSError.
    """
    head = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    has = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; twice 32 bits
    if libc.capget(head, has):
        raise OSError(ctypes.get_errno(), "capget")
    mask = has[1] & sum(1 << one for one in kept)
    wanted = (mask, mask, 0, 0, 0, 0)
    return tuple(has) == wanted or bool(libc.capset(head, (ctypes.c_uint32 * 6)(*wanted)) == 0)


def _limit(jail: Jail) -> None:
    limits = [(resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_NOFILE, jail.descriptors)]
    if not jail.replaced:  # threads count too
        limits.append((resource.RLIMIT_NPROC, 0))
    if jail.memory:
        limits.append((resource.RLIMIT_AS, jail.memory))
    for limit, most in limits:
        resource.setrlimit(limit, (most, most))

"""Restrict this process to an allow-list of system calls (seccomp), for good: every other call fails with EPERM.

libseccomp, called by ctypes, translates the names for the processor. Distributions with systemd or apt have it; its own Python binding is built
for the distribution's interpreter alone, and other bindings are not maintained. Linux only.
**Invariant:** the filter holds for the calling thread and all that it starts; a filter that was loaded cannot be removed.
"""

import ctypes
import errno
import os
from collections.abc import Iterable
from typing import Final, NamedTuple

_LIBRARY: Final = "libseccomp.so.2"
_ALLOW: Final = 0x7FFF0000  # seccomp.h: SCMP_ACT_ALLOW
_REFUSE: Final = 0x00050000 | errno.EPERM  # SCMP_ACT_ERRNO
_LACK: Final = 0x00050000 | errno.ENOSYS
_MASKED_EQUAL: Final = 7  # SCMP_CMP_MASKED_EQ
_KERNELS_ERRNO: Final = 9  # SCMP_FLTATR_API_SYSRAWRC: `seccomp_load` returns the kernel's errno
_UNKNOWN: Final = -1  # __NR_SCMP_ERROR
_PROT_EXEC: Final = 4  # mman.h


class Only(NamedTuple):
    """A call that is allowed while the bits `mask` of its argument number `argument`, from 0 on, are `value`."""

    call: str
    argument: int
    mask: int
    value: int = 0


class Missing(NamedTuple):
    """A call that fails with ENOSYS, as in a kernel that lacks it."""

    call: str


Allowed = str | Only | Missing
ALL_BITS: Final = (1 << 64) - 1
_WRITES: Final = os.O_ACCMODE | os.O_CREAT | os.O_TRUNC | os.O_APPEND

# What an interpreter and its numeric libraries need to compute: memory that is never executable, locks, clocks, signals of its own, and its end.
COMPUTE: Final[tuple[Allowed, ...]] = (
    "brk", "munmap", "mremap", "madvise",
    Only("mmap", 2, _PROT_EXEC), Only("mmap2", 2, _PROT_EXEC), Only("mprotect", 2, _PROT_EXEC),
    "futex", "futex_time64", "membarrier", "rseq", "sched_yield", "sched_getaffinity", "getcpu",
    "clock_gettime", "clock_gettime64", "clock_getres", "clock_getres_time64", "gettimeofday", "time",
    "clock_nanosleep", "clock_nanosleep_time64", "nanosleep", "restart_syscall",
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigreturn", "sigaltstack",
    "getpid", "gettid", "getuid", "geteuid", "getgid", "getegid", "getrandom", "getrusage", "sysinfo",
    "getrlimit", "ugetrlimit", Only("prlimit64", 2, ALL_BITS),  # to read limits, not to set them
    "exit", "exit_group",
)  # fmt: skip
# To use the descriptors that are open, and to wait for them.
DESCRIPTORS: Final[tuple[Allowed, ...]] = (
    "read", "write", "recv", "recvfrom", "send", "sendto", "close", "lseek", "_llseek", "fstat", "fstat64",
    "poll", "ppoll", "ppoll_time64", "select", "_newselect", "pselect6", "pselect6_time64",
    Only("fcntl", 1, ALL_BITS, 1), Only("fcntl64", 1, ALL_BITS, 1),  # F_GETFD
    Only("fcntl", 1, ALL_BITS, 3), Only("fcntl64", 1, ALL_BITS, 3),  # F_GETFL
)  # fmt: skip
# To read files and list folders.
READING: Final[tuple[Allowed, ...]] = (
    Only("open", 1, _WRITES), Only("openat", 2, _WRITES), "stat", "stat64", "lstat", "lstat64", "newfstatat", "fstatat64", "statx",
    "getdents", "getdents64", "readlink", "readlinkat", "access", "faccessat", "faccessat2", "getcwd",
)  # fmt: skip


_THREAD: Final = 0x10000  # sched.h: CLONE_THREAD
# What a program needs beside these to be loaded and to run: code, threads that are no processes, pipes, signals; clone3, whose flags no filter sees,
# is missing, so that libraries use clone.
RUNNING: Final[tuple[Allowed, ...]] = (
    "execve", "mmap", "mmap2", "mprotect", Only("clone", 0, _THREAD, _THREAD), Missing("clone3"),
    "set_tid_address", "set_robust_list", "arch_prctl", "set_tls", "mincore", "get_mempolicy",
    *(Only("prctl", 0, ALL_BITS, option) for option in (3, 15, 16, 23, 0x53564D41)),  # dumpable?, names, capabilities?, names of memory
    *(Only("ioctl", 1, ALL_BITS, request) for request in (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)),  # of terminals and descriptors
    *(Only(call, 1, ALL_BITS, command) for call in ("fcntl", "fcntl64") for command in (2, 4, 1030)),  # F_SETFD, F_SETFL, F_DUPFD_CLOEXEC
    "dup", "dup2", "dup3", "pipe", "pipe2", "eventfd2", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait",
    "pread64", "readv", "writev", "fadvise64", "statfs", "statfs64", "fstatfs", "fstatfs64",
    "uname", "getppid", "getpgrp", "getresuid", "getresgid", "getgroups", "sched_getparam",
    Only("sched_setaffinity", 0, ALL_BITS),  # of the calling thread, and not of other processes of this user
    "sched_getscheduler", "sched_get_priority_max", "sched_get_priority_min", "pause", "rt_sigtimedwait", "umask", "close_range",
)  # fmt: skip
# To be a client of a server, by name.
SOCKETS: Final[tuple[Allowed, ...]] = (
    "socket", "connect", "bind", "getsockname", "getpeername", "getsockopt", "setsockopt", "shutdown", "sendmsg", "sendmmsg", "recvmsg",
    "socketcall", "uname", "readv", "writev", "pread64", Only("ioctl", 1, ALL_BITS, 0x541B), Only("ioctl", 1, ALL_BITS, 0x5421),
    *(Only(call, 1, ALL_BITS, command) for call in ("fcntl", "fcntl64") for command in (2, 4)),
)  # fmt: skip


class _Condition(ctypes.Structure):
    """struct scmp_arg_cmp."""

    _fields_ = (("arg", ctypes.c_uint), ("op", ctypes.c_int), ("mask", ctypes.c_uint64), ("value", ctypes.c_uint64))


class SyscallFilter:
    """A filter that allows the calls `allowed`. Raises ValueError for a name that is no system call of any processor."""

    def __init__(self, allowed: Iterable[Allowed]) -> None:
        self._library: _Library | None = None
        self._allowed: list[tuple[int, Allowed]] = []
        try:
            self._library = _Library(ctypes.CDLL(_LIBRARY))
        except OSError:
            return
        self._allowed = [(self._library.number(one), one) for one in allowed]

    def install(self) -> str:
        """Load the filter into the kernel. Return "", or why this process goes on without it: `library` (none is installed) or the kernel's errno.

        No file is opened: call it after everything else was given up.
        """
        library = self._library
        if library is None or not (context := library.begin(_REFUSE)):
            return "library"
        try:
            for number, one in self._allowed:
                only = (_Condition(one.argument, _MASKED_EQUAL, one.mask, one.value),) if isinstance(one, Only) else ()
                action = _LACK if isinstance(one, Missing) else _ALLOW
                if failed := library.add(context, action, number, len(only), (_Condition * len(only))(*only)):
                    return _reason(failed)
            library.set(context, _KERNELS_ERRNO, 1)  # an older library has its own code, which says less
            return _reason(library.load(context))
        finally:
            library.release(context)


class _Library:
    """The functions of libseccomp that are used."""

    def __init__(self, library: ctypes.CDLL) -> None:
        context, number, plain = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int
        condition = ctypes.POINTER(_Condition)
        self.begin = ctypes.CFUNCTYPE(context, number)(("seccomp_init", library))
        self.set = ctypes.CFUNCTYPE(plain, context, plain, number)(("seccomp_attr_set", library))
        self.add = ctypes.CFUNCTYPE(plain, context, number, plain, ctypes.c_uint, condition)(
            ("seccomp_rule_add_array", library)
        )
        self.load = ctypes.CFUNCTYPE(plain, context)(("seccomp_load", library))
        self.release = ctypes.CFUNCTYPE(None, context)(("seccomp_release", library))
        self._resolve = ctypes.CFUNCTYPE(plain, ctypes.c_char_p)(("seccomp_syscall_resolve_name", library))

    def number(self, one: Allowed) -> int:
        """Return a call's number; a negative one if this processor lacks the call, which libseccomp leaves out. Raises ValueError."""
        name = one if isinstance(one, str) else one.call
        number = int(self._resolve(name.encode()))
        if number == _UNKNOWN:
            raise ValueError(f"no system call: {name}")
        return number


def _reason(result: int) -> str:
    return errno.errorcode.get(-result, "unknown") if result < 0 else ""

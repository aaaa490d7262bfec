"""Packets that do not arrive at a machine: some of all, or all of some sender. Rule: nobody is told; the rest arrives as ever.

A program of the kernel's (XDP) at the machine's private interface, since `tc netem` is a module that many kernels lack, and a route to nowhere is
told to who sends. It holds as long as its descriptor is open, so a run that was killed leaves none.
"""

from __future__ import annotations

import ctypes
import os
import platform
import socket
import struct
from collections.abc import Iterable
from typing import Final

from tests.cluster.nets import PRIVATE, Machine

BPF: Final = {"x86_64": 321, "aarch64": 280}  # the number of the system call
LOAD, LINK = 5, 28  # its commands
XDP_PROGRAM, XDP = 6, 37  # the kind of the program, and of where it is attached
BY_SKB = 1 << 1
DROP, PASS = 1, 2
RANDOM = 7  # a helper of the kernel's
_libc = ctypes.CDLL(None, use_errno=True)


def _code(opcode: int, to: int = 0, of: int = 0, jump: int = 0, value: int = 0) -> bytes:
    """An instruction."""
    return struct.pack("<BBhI", opcode, of << 4 | to, jump, value & 0xFFFFFFFF)


def program(share: float, senders: Iterable[str]) -> bytes:
    """Drops what these addresses sent, and `share` of all else that is IPv4."""
    refused = [int.from_bytes(socket.inet_aton(sender), "little") for sender in senders]
    tests = [
        *[(0x16, 3, value) for value in refused],  # is it from that one?
        (0xA6, 0, min(0xFFFFFFFF, int(share * (1 << 32)))),  # is a random number below?
    ]
    body = b""
    # From each test to the two instructions at the end that drop: those between are the later tests, the call, and the two that pass.
    for at, (opcode, register, value) in enumerate(tests):
        last = at == len(tests) - 1
        if last:
            body += _code(0x85, value=RANDOM)
        left = len(tests) - 1 - at
        body += _code(opcode, register, jump=(left + (0 if last else 1)) + 2, value=value)
    passing = len(body) // 8
    return (
        _code(0x61, 6, 1, 0)  # the packet's begin
        + _code(0x61, 7, 1, 4)  # and end
        + _code(0xBF, 2, 6)
        + _code(0x07, 2, value=34)
        + _code(0x2D, 2, 7, passing + 3)  # too short for IPv4: pass
        + _code(0x69, 3, 6, 12)
        + _code(0x56, 3, jump=passing + 1, value=0x0008)  # no IPv4: pass
        + _code(0x61, 3, 6, 26)  # who sent it
        + body
        + _code(0xB7, 0, value=PASS)
        + _code(0x95)
        + _code(0xB7, 0, value=DROP)
        + _code(0x95)
    )


class Drops:
    """What does not arrive at one machine."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._link = -1

    def set(self, share: float = 0.0, senders: Iterable[Machine] = ()) -> None:
        """From here on: this share of all packets, and all of these; by default everything arrives."""
        if self._link >= 0:
            os.close(self._link)
            self._link = -1
        addresses = [one.private for one in senders]
        if not share and not addresses:
            return
        code = ctypes.create_string_buffer(program(share, addresses))
        licence = ctypes.create_string_buffer(b"")
        loaded = _bpf(
            LOAD,
            struct.pack(
                "<IIQQIIQ",
                XDP_PROGRAM,
                len(code) // 8,
                ctypes.addressof(code),
                ctypes.addressof(licence),
                0,
                0,
                0,
            ),
        )
        try:
            with self._machine.inside():
                at = socket.if_nametoindex(PRIVATE)
                self._link = _bpf(LINK, struct.pack("<IIII", loaded, at, XDP, BY_SKB))
        finally:
            os.close(loaded)


def _bpf(command: int, asked: bytes) -> int:
    """A descriptor. Raises OSError."""
    space = ctypes.create_string_buffer(asked, 128)
    found = int(_libc.syscall(BPF[platform.machine()], command, space, len(space)))
    if found < 0:
        raise OSError(ctypes.get_errno(), f"bpf({command})")
    return found

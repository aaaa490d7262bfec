"""Copy chat lines to the screening process through a ring in shared memory (the tap): `Tap` is the reactor's end, `Tapped` the reader's end.

**Invariant:** one writer and one reader at a time; a new one continues at its predecessor's position. The layout is in tap.h.
"""
import fcntl
import mmap
import os

from libc.stdint cimport uint8_t, uint32_t
from libc.stdlib cimport calloc, free

cdef enum:
    LEAST = 4096  # bytes of a ring
    MOST = 1 << 30

if sizeof(tap_entry_t) != 32:
    raise ImportError("an entry of the tap has 32 bytes")


def make(size: int) -> int:
    """Return the descriptor of an empty ring of `size` bytes. The caller owns it; it is not inherited.

    Raises ValueError if `size` is no power of two from 4 KiB to 1 GiB; OSError.
    """
    if not LEAST <= size <= MOST or size & (size - 1):
        raise ValueError("a tap has a power of two of bytes, 4 KiB at least and 1 GiB at most")
    fd = os.memfd_create("tap", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.ftruncate(fd, TAP_HEAD + size)
        os.pwrite(fd, b"".join(number.to_bytes(4, "little") for number in (TAP_MARK, size)), 0)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)  # memory that shrinks would raise SIGBUS
    except BaseException:
        os.close(fd)
        raise
    return fd


cdef object opened(int fd, tap_t *tap):
    """Map what `make` made. Raises ValueError for another descriptor."""
    cdef uint8_t[::1] view
    size = os.fstat(fd).st_size
    head = os.pread(fd, 8, 0)
    mark, room = (int.from_bytes(head[at:at + 4], "little") for at in (0, 4))
    if mark != TAP_MARK or size != TAP_HEAD + room:
        raise ValueError("this memory is no tap, or one of another release")
    memory = memoryview(mmap.mmap(fd, size)).cast("B")
    view = memory
    tap_open(tap, &view[0], room)
    return memory


cdef class Tap:
    """The writing end, for a reactor (`Reactor.screen`). `fd`: from `make`; it stays the caller's and may be closed afterwards."""

    def __cinit__(self, fd: int):
        self.tap = <tap_t *>calloc(1, sizeof(tap_t))
        if self.tap == NULL:
            raise MemoryError
        self.memory = opened(fd, self.tap)

    def __dealloc__(self):
        free(self.tap)

    @property
    def dropped(self) -> int:
        """The number of lines dropped because there was no room."""
        return self.tap.dropped

    @property
    def offered(self) -> int:
        """The number of lines that this end was given: written, or dropped."""
        return self.tap.written + self.tap.dropped

    def put(self, chat: int, side: int, number: int, time: float, text: bytes) -> bool:
        """Write a line as the relay does: for a question, which is asked before its chat begins, and for tests. False if there was no room."""
        cdef const uint8_t[::1] view = text
        return tap_put(self.tap, chat, side, number, time, &view[0] if len(text) else NULL, <uint32_t>len(text))


cdef class Tapped:
    """The reading end, for a screening process: `ext.text.line_sieve` reads by it."""

    def __cinit__(self, fd: int):
        self.tap = <tap_t *>calloc(1, sizeof(tap_t))
        if self.tap == NULL:
            raise MemoryError
        self.memory = opened(fd, self.tap)

    def __dealloc__(self):
        free(self.tap)

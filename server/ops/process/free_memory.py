"""Return to the system the memory that a burst of work left free in the C library's heap.

glibc returns by itself only what is free at the heap's end: one block in use there keeps all below it, which after a flood of connections is a third
of the process.

**Invariant:** a pass runs in a thread, and passes take at most one SHARE-th of the time: one walks all free blocks, and holds the heap's lock.
"""

import asyncio
import ctypes
import time
from typing import Final

EVERY_S: Final = 30.0  # between two passes
SHARE: Final = 1_000


async def run() -> None:
    """Return free memory, for ever; end at once if the C library cannot."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's; musl returns free memory by itself
    if trim is None:
        return
    trim.argtypes = (ctypes.c_size_t,)
    took = 0.0
    while True:
        await asyncio.sleep(max(EVERY_S, SHARE * took))
        began = time.monotonic()
        await asyncio.to_thread(trim, 0)
        took = time.monotonic() - began

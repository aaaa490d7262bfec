"""Generate unguessable ids of 60 bits, in batches of PAGE; each id is returned once."""

# A Python int of 32 bytes holds 60 bits; one bit more would take 48, in every session. (A shifted number keeps its old size.)

import secrets
import struct

PAGE = 256  # numbers per draw: a system call costs as much as forming thirty of them
MOST = 2**60 - 1
_SHAPE = struct.Struct(f">{PAGE}Q")


class Ids:
    """Callable that returns a number from 1 to 2**60 - 1."""

    def __init__(self) -> None:
        self._page: list[int] = []

    def __call__(self) -> int:
        """Return the next number."""
        if not self._page:
            self._page = [number & MOST or 1 for number in _SHAPE.unpack(secrets.token_bytes(_SHAPE.size))]
        return self._page.pop()

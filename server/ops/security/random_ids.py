"""Unguessable numbers of 60 bits, drawn from the system a page at a time. Rule: none is given twice by its place in a page.

60 bits are what a Python int of 32 bytes holds; one bit more takes 48, in every session. (A shifted number keeps its old size.)
"""

import secrets
import struct

PAGE = 256  # numbers of one draw: a system call costs as much as forming thirty of them
MOST = 2**60 - 1
_SHAPE = struct.Struct(f">{PAGE}Q")


class Ids:
    """Call it for a number from 1 to 2**60 - 1."""

    def __init__(self) -> None:
        self._page: list[int] = []

    def __call__(self) -> int:
        """The next number."""
        if not self._page:
            self._page = [number & MOST or 1 for number in _SHAPE.unpack(secrets.token_bytes(_SHAPE.size))]
        return self._page.pop()

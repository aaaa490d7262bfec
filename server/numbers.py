"""Unguessable numbers of 63 bits, drawn from the system a page at a time. Rule: none is given twice by its place in a page."""

import secrets
import struct

PAGE = 256  # numbers of one draw: a system call costs as much as forming thirty of them
_SHAPE = struct.Struct(f">{PAGE}Q")


class Numbers:
    """Call it for a number from 1 to 2**63 - 1."""

    def __init__(self) -> None:
        self._page: list[int] = []

    def __call__(self) -> int:
        """The next number."""
        if not self._page:
            self._page = [number >> 1 or 1 for number in _SHAPE.unpack(secrets.token_bytes(_SHAPE.size))]
        return self._page.pop()

"""The messages of a chat that the server did not confirm yet.

Rule: what was not taken is sent again, in order, and once.

The server counts the `message` frames of a chat (`taken`, refused ones included); so does this side, and after a
resume the two counts tell which frames never arrived.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(slots=True)
class Line:
    """One message; `ordinal` 0: not sent on the present count yet."""

    id: str
    text: str
    ordinal: int = 0


class Outbox:
    """The unconfirmed lines of one chat, oldest first."""

    __slots__ = ("_count", "_lines")

    def __init__(self) -> None:
        self._lines: deque[Line] = deque()
        self._count = 0

    def __len__(self) -> int:
        return len(self._lines)

    def add(self, id: str, text: str) -> Line:
        """A line to be sent."""
        line = Line(id, text)
        self._lines.append(line)
        return line

    def number(self, line: Line) -> None:
        """The line goes out now."""
        self._count += 1
        line.ordinal = self._count

    def settle(self, id: str | None) -> Line | None:
        """The server answered `sent`, or an error, for `id`; gives the line back."""
        for line in self._lines:
            if line.id == id:
                self._lines.remove(line)
                return line
        return None

    def resume(self, taken: int, refused: frozenset[int]) -> tuple[list[Line], list[Line]]:
        """After `resumed`: the lines that were taken, those that were refused; the rest stays and is to be sent again."""
        delivered: list[Line] = []
        lost: list[Line] = []
        while self._lines and 0 < self._lines[0].ordinal <= taken:
            line = self._lines.popleft()
            (lost if line.ordinal in refused else delivered).append(line)
        self._count = taken
        for line in self._lines:
            line.ordinal = 0
        return delivered, lost

    def unsent(self) -> Iterator[Line]:
        """Lines that have to go out, in order."""
        return (line for line in self._lines if not line.ordinal)

    def empty(self) -> list[Line]:
        """The chat is over: what never arrived."""
        lines = list(self._lines)
        self._lines.clear()
        self._count = 0
        return lines

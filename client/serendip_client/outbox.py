"""The messages that the server did not confirm yet.

Rule: each line is told once, and truthfully: by the server's answer, by what a resume counts, or as unknown.

The server counts the `message` frames of a chat (`taken`, refused ones included); so does this side, and after a
resume the two counts tell which frames never arrived. A chat that is over does not take its lines with it: what was
written before `leave` or `find` was heard (protocol.md, rule 3), so its answer is on its way.
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
    """The unconfirmed lines, oldest first: those of the present chat, and those that were written in the one before it."""

    __slots__ = ("_behind", "_count", "_lines")

    def __init__(self) -> None:
        self._lines: deque[Line] = deque()
        self._behind: deque[Line] = deque()  # of a chat that is over, written, to be answered
        self._count = 0

    def __len__(self) -> int:
        return len(self._lines) + len(self._behind)

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
        for lines in (self._behind, self._lines):
            for line in lines:
                if line.id == id:
                    lines.remove(line)
                    return line
        return None

    def resume(self, taken: int, refused: frozenset[int]) -> tuple[list[Line], list[Line]]:
        """After `resumed` with the present chat: what was taken, and what was refused; the rest is to be sent again."""
        found = _counted(self._lines, taken, refused)
        self._count = taken
        for line in self._lines:
            line.ordinal = 0
        return found

    def resume_behind(self, taken: int, refused: frozenset[int]) -> tuple[list[Line], list[Line], list[Line]]:
        """The same with a chat that was left: what was taken, what was refused, and what never arrived."""
        delivered, lost = _counted(self._behind, taken, refused)
        rest = list(self._behind)
        self._behind.clear()
        return delivered, lost, rest

    def unsent(self) -> Iterator[Line]:
        """Lines that have to go out, in order."""
        return (line for line in self._lines if not line.ordinal)

    def part(self) -> list[Line]:
        """The chat is over: gives what never went out; what did is answered yet."""
        never = [line for line in self._lines if not line.ordinal]
        self._behind.extend(line for line in self._lines if line.ordinal)
        self._lines.clear()
        self._count = 0
        return never

    def forget(self) -> list[Line]:
        """No answer can come any more to what was written in a chat that is over."""
        lines = list(self._behind)
        self._behind.clear()
        return lines


def _counted(lines: deque[Line], taken: int, refused: frozenset[int]) -> tuple[list[Line], list[Line]]:
    """Takes from `lines` what the server's count covers: the delivered, the refused."""
    delivered: list[Line] = []
    lost: list[Line] = []
    while lines and 0 < lines[0].ordinal <= taken:
        line = lines.popleft()
        (lost if line.ordinal in refused else delivered).append(line)
    return delivered, lost

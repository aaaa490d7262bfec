"""Keep sent messages until the server confirms them, also across reconnections.

**Invariant:** the fate of each message is reported exactly once: accepted, refused, never received, or unknown.
"""

# The server counts the `message` frames of a chat (`taken`, refused ones included), and so does this side: after a resume the difference of the two
# counts shows which frames never arrived. The lines of an ended chat stay here: the server reads what was sent before `leave` or `find`
# (docs/protocol.md, rule 3), so its answer is still to come.

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(slots=True)
class Line:
    """A message; `ordinal` 0: not sent yet in the current count."""

    id: str
    text: str
    ordinal: int = 0


class Outbox:
    """Unconfirmed lines, oldest first: of the current chat, and of the one before it."""

    __slots__ = ("_behind", "_count", "_lines")

    def __init__(self) -> None:
        self._lines: deque[Line] = deque()
        self._behind: deque[Line] = deque()  # lines of the previous chat that were sent and await an answer
        self._count = 0

    def __len__(self) -> int:
        return len(self._lines) + len(self._behind)

    def add(self, id: str, text: str) -> Line:
        """Add a line to be sent."""
        line = Line(id, text)
        self._lines.append(line)
        return line

    def number(self, line: Line) -> None:
        """Number a line that is sent now."""
        self._count += 1
        line.ordinal = self._count

    def settle(self, id: str | None) -> Line | None:
        """Remove and return the line that the server answered by `sent` or an error for `id`."""
        for lines in (self._behind, self._lines):
            for line in lines:
                if line.id == id:
                    lines.remove(line)
                    return line
        return None

    def resume(self, taken: int, refused: frozenset[int]) -> tuple[list[Line], list[Line]]:
        """Settle lines after a resume of the current chat. Return the accepted and the refused; the others must be sent again."""
        found = _counted(self._lines, taken, refused)
        self._count = taken
        for line in self._lines:
            line.ordinal = 0
        return found

    def resume_behind(self, taken: int, refused: frozenset[int]) -> tuple[list[Line], list[Line], list[Line]]:
        """Settle lines after a resume of a chat that was left. Return the accepted, the refused, and those that never arrived."""
        delivered, lost = _counted(self._behind, taken, refused)
        rest = list(self._behind)
        self._behind.clear()
        return delivered, lost, rest

    def unsent(self) -> Iterator[Line]:
        """Iterate over the lines that must be sent, in order."""
        return (line for line in self._lines if not line.ordinal)

    def part(self) -> list[Line]:
        """End the chat: return the lines that were never sent; sent ones await their answer."""
        never = [line for line in self._lines if not line.ordinal]
        self._behind.extend(line for line in self._lines if line.ordinal)
        self._lines.clear()
        self._count = 0
        return never

    def forget(self) -> list[Line]:
        """Remove and return the lines of the previous chat that no answer can reach any more."""
        lines = list(self._behind)
        self._behind.clear()
        return lines


def _counted(lines: deque[Line], taken: int, refused: frozenset[int]) -> tuple[list[Line], list[Line]]:
    """Remove from `lines` those that the server's count covers; return the accepted and the refused."""
    delivered: list[Line] = []
    lost: list[Line] = []
    while lines and 0 < lines[0].ordinal <= taken:
        line = lines.popleft()
        (lost if line.ordinal in refused else delivered).append(line)
    return delivered, lost

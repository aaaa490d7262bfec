"""Hold what the hub has to send to one worker, as records (`engine.rooms.hub_records`) that are written once.

**Invariant:** the rows that the records decode to are in the order in which they were added.
"""

from typing import Final

from engine.matching.spy_queue import SpyMatch
from engine.matching.tickets import NEVER, Match, Step, Waiter
from engine.rooms.hub_messages import Row
from engine.rooms.hub_records import NOT_A_TIME, RULE_NUMBERS, STEP_NUMBERS, pack_row, unpack
from ext.match.room_records import RecordWriter

ROWS_MAX: Final = 32  # rows of one message: 10 KB each at the most


class Outbox:
    """Records for one worker, and how many of them wait to be sent (`rows`)."""

    __slots__ = ("_messages", "_writer", "rows")

    def __init__(self) -> None:
        self.rows = 0
        self._messages: list[bytes] = []  # the full ones
        self._writer = RecordWriter()

    def add(self, row: Row) -> None:
        """Add a row. Raises TypeError for a value that JSON does not know."""
        self._make_room()
        pack_row(self._writer, row)
        self.rows += 1

    def step(self, number: int, step: Step, level: int, at: float, fallen: int) -> None:
        """Add a step of the ticket with a number. `at`: in how many seconds the next one is due, or NEVER."""
        self._make_room()
        widens = step.widens
        self._writer.step(
            step.client, number, level, fallen, STEP_NUMBERS[step.accepts], step.others, NOT_A_TIME if at == NEVER else at,
            NOT_A_TIME if widens is None else widens,
        )  # fmt: skip
        self.rows += 1

    def meet(self, id: int, who: list[Waiter], found: Match | SpyMatch, words: list[str]) -> None:
        """Add a meeting. `words`: common interests of two."""
        self._meet(None, 0, id, who, found, words)

    def go(
        self, waiter: Waiter, to: int, id: int, who: list[Waiter], found: Match | SpyMatch, words: list[str]
    ) -> None:
        """Add that a user is to migrate to a worker, for a meeting."""
        self._meet(waiter, to, id, who, found, words)

    def take(self) -> list[bytes]:
        """Return all messages, and begin anew."""
        found, self._messages = self._messages, []
        if self.rows:
            found.append(self._writer.take())
            self.rows = 0
        return found

    def take_rows(self) -> list[Row]:
        """Return all rows, decoded, and begin anew."""
        return [row for data in self.take() for row in unpack(data)]

    def _make_room(self) -> None:
        """Make room for another record: a full message is followed by the next one."""
        if self.rows == ROWS_MAX:
            self._messages.append(self._writer.take())
            self.rows = 0

    def _meet(
        self, goes: Waiter | None, to: int, id: int, who: list[Waiter], found: Match | SpyMatch, words: list[str]
    ) -> None:
        """Write a meeting, for which `goes` is to migrate to a worker, if it is not None. What may raise comes first: the writer takes parts."""
        writer = self._writer
        text = "\n".join(words).encode() if words else b""
        if isinstance(found, Match):
            pair = found
            rule, spies, question, weight = RULE_NUMBERS[pair.rule], False, None, pair.weight
            first, second = pair.waited_a, pair.waited_b
        else:
            rule, spies, weight = 0, found.spy is not None, 0.0
            question = None if found.question is None else found.question.encode()
            first, second = found.waited
        self._make_room()
        if goes is not None:
            writer.go(goes.client, to)
        for one in who:
            writer.member(one.client, one.number, one.worker)
        writer.meet(id, rule, spies, text, question, first, second, weight)
        self.rows += 1

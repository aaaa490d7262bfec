"""How often each person may look for somebody (rule 10): a burst, then one an interval.

Rule: a person is the identity, else the session, so that further connections, at once or one after the other, bring no further
burst. Nobody is remembered longer than the finds are not paid for yet.
"""

from collections import OrderedDict

from engine.wire.errors import Refusal


class Finds:
    """See the module. `burst`: finds at once, `interval`: seconds between finds in the long run."""

    __slots__ = ("_ahead", "_interval", "_paid")

    def __init__(self, burst: int, interval: float) -> None:
        self.change(burst, interval)
        self._paid: OrderedDict[int, float] = (
            OrderedDict()
        )  # the time up to which a person's finds are paid for; the latest find last

    def change(self, burst: int, interval: float) -> None:
        """Other limits from now on; what was paid stays paid."""
        self._ahead = (burst - 1) * interval
        self._interval = interval

    def __len__(self) -> int:
        return len(self._paid)

    def pay(self, person: int, now: float) -> None:
        """One more find. Raises Refusal `too_fast`, with the seconds to wait."""
        paid = self._paid
        start = paid.get(person, now)
        if start - now > self._ahead:
            raise Refusal("too_fast", "find", None, start - now - self._ahead)
        paid.pop(person, None)
        paid[person] = max(start, now) + self._interval
        self._sweep(now)

    def leave(self, person: int, now: float, keep: bool) -> float:
        """Seconds that a person's finds are paid ahead, 0.0: none; they are forgotten here unless `keep`."""
        until = self._paid.get(person) if keep else self._paid.pop(person, None)
        return 0.0 if until is None else max(0.0, until - now)

    def enter(self, person: int, ahead: float, now: float) -> None:
        """A person's finds are paid so many seconds ahead, as another process knew it, or as is known here: what is later."""
        paid = self._paid
        paid[person] = max(paid.pop(person, now), now + ahead)
        self._sweep(now)

    def rest(self, now: float) -> list[tuple[int, float]]:
        """Of everybody who is still known: person, and the seconds paid ahead."""
        return [(person, until - now) for person, until in self._paid.items() if until > now]

    def _sweep(self, now: float) -> None:
        """Looks at the two whose latest find is the longest ago: the table shrinks as people go."""
        for _ in range(2):
            person = next(iter(self._paid))
            if self._paid[person] > now:
                return
            del self._paid[person]

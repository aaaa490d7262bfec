"""Match users for spy mode: one who asks a question and two who discuss it, longest wait first.

The language must match, interests do not count.
**Invariant:** recent partners, users excluded by a report, and two searches of one user are never matched.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from engine.matching.reusable_questions import SpyQuestions
from engine.wire import rule_constants
from engine.wire.protocol import ANY_LANGUAGE


@dataclass(slots=True)
class Wish:
    """Wish of a user who waits for spy mode."""

    client: int
    asks: bool
    language: str
    person: int
    avoid: tuple[int, ...]
    since: float
    place: int = 0  # as in a ticket


@dataclass(slots=True)
class SpyMatch:
    """The two discussers and the spy of one question; `waited` in seconds, of the spy and of the first discusser."""

    spy: int | None  # None: without a spy; the question is then one that was asked before
    first: int
    second: int
    waited: tuple[float, float]
    question: str | None = None


class SpyQueue:
    """Queues of askers and discussers, in order of age; a wish that is replaced or set aside keeps its age."""

    __slots__ = ("_aside", "_discuss", "_looked", "_spies", "discuss_wait", "questions", "spy_wait")

    def __init__(self) -> None:
        self._spies: dict[int, Wish] = {}
        self._discuss: dict[int, Wish] = {}
        self._aside: dict[int, Wish] = {}
        self._looked = float("-inf")  # when `advance` last found no pair
        self.questions = SpyQuestions()
        self.spy_wait = 0.0  # seconds, a moving average over served wishes
        self.discuss_wait = 0.0

    def submit(self, wish: Wish, now: float) -> SpyMatch | None:
        """Match a wish at once, or let it wait. A second wish of a client replaces the first and keeps its age."""
        old = self._take(wish.client)
        if old is not None:
            wish.since = min(wish.since, old.since)
        return self._enter(wish, now)

    def cancel(self, client: int) -> bool:
        """Remove the client's wish. Return whether it had one."""
        return self._take(client) is not None

    def set_aside(self, client: int) -> bool:
        """Hold the wish of a client that is away."""
        wish = self._take(client)
        if wish is None:
            return False
        self._aside[client] = wish
        return True

    def restore(self, client: int, now: float) -> SpyMatch | None:
        """Let the wish of a client that is back wait again; it may be matched at once."""
        wish = self._aside.pop(client, None)
        return None if wish is None else self._enter(wish, now)

    def waits_there(self, client: int) -> bool:
        """Whether the client waits and is not away."""
        return client in self._spies or client in self._discuss

    def leave(self, client: int) -> tuple[Wish, bool] | None:
        """Remove a wish that migrates. Return it and whether it was set aside; None: there is no wish."""
        aside = client in self._aside
        wish = self._take(client)
        return None if wish is None else (wish, aside)

    def enter(self, wish: Wish, aside: bool, now: float) -> SpyMatch | None:
        """Add a wish that migrated here, with its age; it may be matched at once."""
        if aside:
            self._aside[wish.client] = wish
            return None
        return self._enter(wish, now)

    def clients(self) -> list[int]:
        """Return the waiting clients, each queue in its order, then those that are set aside."""
        return [*self._spies, *self._discuss, *self._aside]

    def advance(self, now: float) -> list[SpyMatch]:
        """Return the pairs of discussers who waited long enough without an asker, each with a question that was asked before."""
        found: list[SpyMatch] = []
        due = self.due()
        while due is not None and due <= now:
            two = self._two(now)
            if two is None:
                self._looked = now
                break
            found.append(two)
            due = self.due()
        return found

    def due(self) -> float | None:
        """Return when `advance` may have work next; None: never."""
        if len(self._discuss) < 2 or not self.questions:
            return None
        head = next(iter(self._discuss.values()))
        return max(head.since, self._looked) + rule_constants.QUESTION_AGAIN_AFTER

    def waits(self, now: float) -> tuple[float, float]:
        """Return the seconds that an asker and a discusser wait: the recent average, or the longest current wait if that is longer."""
        spies, discuss = (
            max((now - wish.since for wish in _heads(queue)), default=0.0) for queue in (self._spies, self._discuss)
        )
        return max(self.spy_wait, spies), max(self.discuss_wait, discuss)

    def _two(self, now: float) -> SpyMatch | None:
        for first in _heads(self._discuss):
            for second in _heads(self._discuss):
                if second is not first and _fit(first, second):
                    language = second.language if first.language == ANY_LANGUAGE else first.language
                    question = self.questions.take(language, now)
                    if question is not None:
                        del self._discuss[first.client], self._discuss[second.client]
                        waited = max(0.0, now - first.since)
                        self.discuss_wait += (waited - self.discuss_wait) / 8
                        return SpyMatch(None, first.client, second.client, (0.0, waited), question)
        return None

    def sizes(self) -> tuple[int, int]:
        """Return how many wait to ask and to discuss, without those away."""
        return len(self._spies), len(self._discuss)

    def _take(self, client: int) -> Wish | None:
        return self._spies.pop(client, None) or self._discuss.pop(client, None) or self._aside.pop(client, None)

    def _enter(self, wish: Wish, now: float) -> SpyMatch | None:
        queue = self._spies if wish.asks else self._discuss
        _place(queue, wish)
        found = self._three(wish)
        if found is None:
            return None
        spy, first, second = found
        del self._spies[spy.client], self._discuss[first.client], self._discuss[second.client]
        self.spy_wait += (max(0.0, now - spy.since) - self.spy_wait) / 8
        self.discuss_wait += (max(0.0, now - first.since) - self.discuss_wait) / 8
        return SpyMatch(
            spy.client, first.client, second.client, (max(0.0, now - spy.since), max(0.0, now - first.since))
        )

    def _three(self, wish: Wish) -> tuple[Wish, Wish, Wish] | None:
        """Return three that fit, the newcomer among them: no other three can have become possible."""
        if wish.asks:
            for first in _heads(self._discuss):
                if _fit(wish, first):
                    for second in _heads(self._discuss):
                        if second is not first and _fit(wish, second) and _fit(first, second):
                            return wish, first, second
            return None
        for spy in _heads(self._spies):
            if _fit(spy, wish):
                for first in _heads(self._discuss):
                    if first is not wish and _fit(spy, first) and _fit(first, wish):
                        return spy, first, wish
        return None


def _place(queue: dict[int, Wish], wish: Wish) -> None:
    """Insert a wish after all that are as old or older; for a newcomer only the last one is compared."""
    last = next(reversed(queue.values()), None)
    queue[wish.client] = wish
    if last is not None and last.since > wish.since:
        for other in [other for other in queue.values() if other.since > wish.since]:
            del queue[other.client]
            queue[other.client] = other


def _heads(queue: dict[int, Wish]) -> Iterator[Wish]:
    return (wish for wish, _ in zip(queue.values(), range(rule_constants.SPY_SCAN_MAX), strict=False))


def _fit(one: Wish, other: Wish) -> bool:
    if one.language != other.language and ANY_LANGUAGE not in (one.language, other.language):
        return False
    if one.place != other.place and one.place and other.place:
        return False
    if one.person == other.person and one.person:
        return False
    return other.person not in one.avoid and one.person not in other.avoid

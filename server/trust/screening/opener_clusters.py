"""Detect that many chats of one process begin with similar lines, and report rule `opener`, or `repeat` if enough of them also have a link or a
contact.

**Invariant:** only hashes under a key of this process are held, no text and no identity. The FIRST lines of each user in a chat are compared, and
those of the last WINDOW seconds counted.
"""

import os
from typing import Final

from engine.conduct.detection_consequences import OPENER, REPEAT
from engine.matching.interest_normalisation import skeleton
from ext.net.similarity import Shingles
from ext.text.line_sieve import FirstLines
from server.trust.screening.text_folding import letters_of

FIRST: Final = 3
LETTERS: Final = 24
ROOM: Final = 200_000  # lines of the table
KEPT: Final = 3_600.0  # seconds for which one is alike to others
WINDOW: Final = 600.0
OPENERS: Final = 8
SIDES: Final = (
    50_000  # that are remembered, half as many at the least: the first lines of others are their first lines again
)
CLUSTERED: Final = 50_000  # lines whose cluster is known


class Side:
    """One side of a chat that wrote a link or a line similar to another's."""

    __slots__ = ("at", "cluster", "linked", "told")

    def __init__(self, at: float) -> None:
        self.at = at  # when it wrote the line by which it is in a cluster
        self.linked = False  # it wrote a link or a contact
        self.cluster: Cluster | None = None
        self.told: tuple[str, ...] = ()


class Cluster:
    """Sides that began alike, by number, those that came first first."""

    __slots__ = ("into", "sides")

    def __init__(self) -> None:
        self.sides: dict[int, Side] = {}
        self.into: Cluster | None = None  # the one that it became a part of


class Openers:
    """All of one process. `repeat`: sides with a link or a contact; `key`: 16 bytes, for tests.

    Lines of LETTERS letters or more are compared (`ext.net.similarity`). Sides with similar lines are one cluster, even if each is similar to only
    one other. OPENERS sides of a cluster are `opener`; `repeat` sides, each with a link or a contact, are `repeat`.
    """

    def __init__(self, repeat: int, key: bytes | None = None) -> None:
        self._repeat = repeat
        self._most = 2 * max(repeat, OPENERS)  # sides of a cluster that are counted
        self.writers = FirstLines(FIRST, SIDES // 2)
        self.table = Shingles(key or os.urandom(16), ROOM)
        self._sides: dict[int, Side] = {}
        self._clusters: dict[int, Cluster] = {}  # by the number of a line

    def sweep(self, now: float) -> None:
        """Forget all if no chat began for KEPT seconds; calling it once a second is enough."""
        if len(self.table) and now - self.table.latest > KEPT:
            self.writers.clear()
            self.table.clear()
            self._sides.clear()
            self._clusters.clear()

    def add_line(self, chat: int, side: int, beginning: str, linked: bool, now: float) -> tuple[str, ...]:
        """Count a line and return the rules that it matches; see `add_counted_line`."""
        return self.add_counted_line(chat, side, beginning, linked, self.writers.add(chat, side), now)

    def add_counted_line(
        self, chat: int, side: int, beginning: str, linked: bool, first: bool, now: float
    ) -> tuple[str, ...]:
        """Return the rules that a line of side 0 or 1 matches, each once per side. `linked`: it has a link or a contact; `first`: it is one of the
        writer's first, as `writers` counted; `now` is monotonic.
        """
        place = chat << 1 | side
        if linked:
            self._side(place, now).linked = True
        if first:
            letters = letters_of(skeleton(beginning))
            if len(letters) >= LETTERS:
                self._look(chat, side, place, letters, now)
        one = self._sides.get(place)
        return self._found(one, now) if one is not None and (first or linked) else ()

    def _side(self, place: int, at: float) -> Side:
        """Return a side, a new one if it is not known; `at`: of its line."""
        one = self._sides.get(place)
        if one is None:
            one = self._sides[place] = Side(at)
            if len(self._sides) > SIDES:
                del self._sides[next(iter(self._sides))]
        return one

    def _look(self, chat: int, side: int, place: int, letters: str, now: float) -> None:
        number, alike = self.table.put(letters.encode("utf-8", "replace"), chat, side, now, now - KEPT)
        others = [(number, its, at) for number, chat, side, at in alike if (its := chat << 1 | side) != place]
        if not others:
            return
        one = self._side(place, now)
        cluster = one.cluster or Cluster()
        for other, its, at in others:
            known = self._clusters.get(other)
            if known is not None:
                cluster = _merged(cluster, known)
            else:
                self._join(cluster, its, self._side(its, at), other)
        one.at = now
        self._join(cluster, place, one, number)
        sides = _whole(cluster).sides
        while len(sides) > self._most:
            del sides[next(iter(sides))]

    def _join(self, cluster: Cluster, place: int, one: Side, number: int) -> None:
        cluster = _whole(cluster) if one.cluster is None else _merged(cluster, one.cluster)
        one.cluster = cluster
        cluster.sides.pop(place, None)
        cluster.sides[place] = one
        self._clusters[number] = cluster
        if len(self._clusters) > CLUSTERED:
            del self._clusters[next(iter(self._clusters))]

    def _found(self, one: Side, now: float) -> tuple[str, ...]:
        if one.cluster is None or len(one.told) == 2:
            return ()
        lately = [other for other in _whole(one.cluster).sides.values() if other.at > now - WINDOW]
        found = [OPENER] if len(lately) >= OPENERS else []
        if one.linked and sum([other.linked for other in lately]) >= self._repeat:
            found.append(REPEAT)
        new = tuple(rule for rule in found if rule not in one.told)
        one.told += new
        return new


def _whole(cluster: Cluster) -> Cluster:
    """The one that a cluster is a part of by now."""
    while cluster.into is not None:
        if cluster.into.into is not None:
            cluster.into = cluster.into.into
        cluster = cluster.into
    return cluster


def _merged(a: Cluster, b: Cluster) -> Cluster:
    """Both as one."""
    a, b = _whole(a), _whole(b)
    if a is b:
        return a
    few, many = sorted((a, b), key=lambda one: len(one.sides))
    many.sides.update(few.sides)
    few.sides, few.into = {}, many
    return many

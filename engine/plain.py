"""The plain matcher behind the lobby until the compiled one takes its place: every ticket is looked at."""

from collections.abc import Sequence
from typing import Any

from engine.thresholds import ANY, ANYONE, GOOD, LIFTED


class PlainMatcher:
    """Tickets in a dict; the best partner by weight, the longest waiting among equals."""

    def __init__(self, weights: "PlainInterner") -> None:
        self._weights = weights
        self._tickets: dict[int, tuple[Any, ...]] = {}
        self._sizes: dict[int, int] = {}
        self._next = 0

    def submit(self, client: int, pool: int, ids: tuple[int, ...], level: int, since: float, person: int,
               recent: tuple[int, ...], blocked: tuple[int, ...], quiet: bool, also: tuple[int, ...]) -> Any:
        found = self._search((pool, *also), ids, level, person, recent, blocked, quiet, None)
        if found is not None:
            return found
        handle = self._next
        self._next += 1
        self._tickets[handle] = (client, pool, ids, level, since, person, recent, blocked)
        self._sizes[pool] = self._sizes.get(pool, 0) + 1
        return handle

    def retry(self, handle: int, level: int, quiet: bool, also: tuple[int, ...]) -> Any:
        t = self._tickets[handle]
        self._tickets[handle] = (*t[:3], level, *t[4:])
        found = self._search((t[1], *also), t[2], level, t[5], t[6], t[7], quiet, handle)
        if found is not None:
            self.remove(handle)
        return found

    def remove(self, handle: int) -> bool:
        t = self._tickets.pop(handle, None)
        if t is None:
            return False
        self._sizes[t[1]] -= 1
        return True

    def waiting(self, pool: int) -> int:
        return self._sizes.get(pool, 0)

    def _search(self, pools: tuple[int, ...], ids: tuple[int, ...], level: int, person: int, recent: tuple[int, ...],
                blocked: tuple[int, ...], quiet: bool, me: int | None) -> Any:
        weight = self._weights.weight
        mine = set(ids)
        total = sum(map(weight, ids))
        best: Any = None
        for handle, t in self._tickets.items():
            if t[1] not in pools or handle == me or person in t[7] or t[5] in blocked:
                continue
            if (person in t[6] or t[5] in recent) and not (level == LIFTED and t[3] == LIFTED):
                continue
            shared = [i for i in t[2] if i in mine]
            score = sum(map(weight, shared))
            strictest = min(level, t[3])
            if strictest == GOOD and quiet:
                strictest = ANY
            if strictest == GOOD and 2 * score < min(total, sum(map(weight, t[2]))):
                continue
            if strictest < ANYONE and not shared:
                continue
            if best is None or (score, -t[4]) > (best[0], -best[1]):
                best = (score, t[4], handle, shared, t)
        if best is None:
            return None
        score, since, handle, shared, t = best
        self.remove(handle)
        good = shared and 2 * score >= min(total, sum(map(weight, t[2])))
        rule = "good" if good or (shared and quiet) else "any" if shared else "anyone"
        return (t[0], tuple(sorted(shared, key=weight, reverse=True)), float(score), since, rule)


class PlainInterner:
    """Words to small numbers; a count of uses keeps a number alive."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._ids: dict[str, int] = {}
        self._words: list[str] = []
        self._uses: list[int] = []
        self._seen: list[int] = []
        self._free: list[int] = []

    def __len__(self) -> int:
        return len(self._ids)

    def intern(self, word: str) -> int:
        """The number of a normalised word, one use added; -1 when the table is full."""
        found = self._ids.get(word)
        if found is None:
            if len(self._ids) >= self.most:
                return -1
            if self._free:
                found = self._free.pop()
                self._words[found], self._uses[found], self._seen[found] = word, 0, 0
            else:
                found = len(self._words)
                self._words.append(word)
                self._uses.append(0)
                self._seen.append(0)
            self._ids[word] = found
        self._uses[found] += 1
        self._seen[found] += 1
        return found

    def release(self, ids: Sequence[int]) -> None:
        for i in ids:
            self._uses[i] -= 1
            if not self._uses[i]:
                del self._ids[self._words[i]]
                self._free.append(i)

    def weight(self, i: int) -> int:
        """64 for a word just seen, less by 6 with every doubling, never under 4."""
        return max(4, 64 - 6 * (self._seen[i].bit_length() - 1))

"""Number the interest words of a worker's searches if its waiting room is in another process (the hub).

In the process of the waiting room the lobby numbers them (`engine.matching.lobby`).
**Invariant:** an interest keeps its number while a search uses it.
"""

from collections.abc import Iterable, Sequence

from engine.matching.interest_normalisation import InterestError, InternFull, SpellingCache
from ext.match.interner import Ids, Interner


class Vocabulary:
    """Interned words and how many searches use each."""

    def __init__(self, most_interests: int = 1_000_000) -> None:
        self._interner = Interner(most_interests)
        self._spellings = SpellingCache()
        self._known = self._spellings.known

    def intern(self, words: Sequence[str]) -> Ids:
        """Return the ids of the words, in their order, and count one use of each until `release`.

        Two spellings of one interest give the same id twice. Raises BadInterest, or InternFull if a word is new and the table is full; then
        no use is counted.
        """
        ids = self._interner.intern_all(words, self._known, self._spellings)
        if ids is None:
            raise InternFull("no room for another interest")
        return ids

    @property
    def interests(self) -> int:
        """Number of different interests in use."""
        return self.different()

    def different(self) -> int:
        """Return `interests`; as a method it is faster when compiled."""
        return len(self._interner)

    def spelled(self, ids: Ids, words: Sequence[str]) -> bool:
        """Whether these are the normalised words of ids in use, in their order."""
        return self._interner.spelled(ids, words)

    def words(self, ids: Iterable[int]) -> list[str]:
        """Return the normalised words of ids in use."""
        return self._interner.words_of(ids)

    def release(self, ids: Iterable[int]) -> None:
        """Uncount what `intern` counted, for a ticket that no longer waits."""
        self._interner.release(ids)

    def known(self, words: Iterable[str]) -> list[str]:
        """Return those of the words that are in use."""
        kept = []
        for word in words:
            before = self.interests
            try:
                ids = self.intern([word])
            except InterestError:
                continue
            if self.interests == before:
                kept.append(word)
            self.release(ids)
        return kept

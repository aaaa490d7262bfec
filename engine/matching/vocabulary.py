"""The interests of a process, as numbers. Rule: a word has a number as long as somebody uses it.

The words of a waiting room are its lobby's (`engine.matching.lobby`); a process whose room is in another has one of these alone.
"""

from collections.abc import Iterable, Sequence

from engine.matching.interests import InterestError, InternFull, Spellings
from ext.match.interner import Ids, Interner


class Vocabulary:
    """Words and their uses."""

    def __init__(self, most_interests: int = 1_000_000) -> None:
        self._interner = Interner(most_interests)
        self._spellings = Spellings()
        self._known = self._spellings.known

    def intern(self, words: Sequence[str]) -> Ids:
        """Ids of the words, in their order; one use of each is counted until `release`.

        Two spellings of one interest give the same id twice. Raises BadInterest, or InternFull where a word is new
        and the table full; then no use is counted.
        """
        ids = self._interner.intern_all(words, self._known, self._spellings)
        if ids is None:
            raise InternFull("no room for another interest")
        return ids

    @property
    def interests(self) -> int:
        """How many different interests are in use."""
        return self.different()

    def different(self) -> int:
        """`interests`, by a call that is quicker where it is compiled."""
        return len(self._interner)

    def spelled(self, ids: Ids, words: Sequence[str]) -> bool:
        """Whether these are the normalised words of ids in use, in their order."""
        return self._interner.spelled(ids, words)

    def words(self, ids: Iterable[int]) -> list[str]:
        """The normalised words of ids in use."""
        return self._interner.words_of(ids)

    def release(self, ids: Iterable[int]) -> None:
        """Give back what `intern` counted; only for tickets that wait no more."""
        self._interner.release(ids)

    def known(self, words: Iterable[str]) -> list[str]:
        """Those of the words that somebody uses already."""
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

"""The interests that searches hold, and how many those of one network may hold at once (rule 10).

Rule: the table of interests is everybody's. One that somebody names already takes no place and is always taken; a new one only
while its network holds no more than WORDS_MAX in all, and the table has room. Without those that find none a search goes on,
for nobody who waits could share them; where none of its interests is left it is refused.
"""

from engine.core.session import NO_IDS, Query, Session
from engine.matching.interests import InterestError, InternFull
from engine.matching.network_of import networks_of, share_of
from engine.matching.vocabulary import Vocabulary
from engine.wire.errors import Refusal
from engine.wire.rule_numbers import WORDS_MAX, WORDS_RETRY_AFTER
from ext.match.interner import Ids


class Words:
    """Who holds how many. `limits`: False lifts the bound of a network."""

    __slots__ = ("_held", "_limits", "_shared", "_vocabulary", "dropped")

    def __init__(self, vocabulary: Vocabulary, limits: bool) -> None:
        self._vocabulary = vocabulary
        self._limits = limits
        self._held: dict[str, int] = {}  # by network, of those that hold any
        self._shared: dict[str, tuple[str, ...]] = {}  # by IPv4 address, where two hold some: the networks of both
        self.dropped = 0  # interests that found no room

    def hold(self, session: Session, query: Query, words: list[str]) -> None:
        """Give the query the ids of its words. Raises BadInterest, and Refusal where there is room for none of them."""
        vocabulary = self._vocabulary
        query.networks = session.networks = session.networks or self._networks_of(session.address)
        known = vocabulary.different()
        try:
            ids = vocabulary.intern(words)
        except InternFull:
            kept = self._vocabulary.known(words)
        else:
            if not self._limits or vocabulary.different() == known or self._has_room(query.networks, len(words)):
                self._held_by(query, ids, words)
                return
            vocabulary.release(ids)
            kept = self._vocabulary.known(words)
        self.dropped += len(words) - len(kept)
        if not kept:
            raise Refusal("too_fast", "find", None, WORDS_RETRY_AFTER)
        self._held_by(query, vocabulary.intern(kept), kept)

    def take(self, query: Query, words: list[str]) -> None:
        """The words of a search that came from another process: its network had room for them there, and nothing is refused."""
        ids, words = self.with_room(words)
        self._held_by(query, ids, words)

    def with_room(self, words: list[str]) -> tuple[Ids, list[str]]:
        """Ids of those of the words for which there is room, and these; nobody's yet."""
        try:
            return self._vocabulary.intern(words), words
        except InterestError:
            kept = self._vocabulary.known(words)
            self.dropped += len(words) - len(kept)
            return self._vocabulary.intern(kept), kept

    def as_typed(self, query: Query) -> list[str]:
        """The words of a search as the person typed them, in the order of its ids."""
        return self._vocabulary.words(query.ids) if query.typed is None else query.typed.split("\n")

    def release(self, query: Query) -> None:
        """The query needs its words no more."""
        ids = query.ids
        if not ids:
            return
        query.ids = NO_IDS
        self._vocabulary.release(ids)
        for network in query.networks:
            left = self._held[network] - len(ids)
            if left:
                self._held[network] = left
            else:
                del self._held[network]
                self._shared.pop(network, None)

    def _networks_of(self, address: str) -> tuple[str, ...]:
        found = self._shared.get(address)
        if found is None:
            found = networks_of(address)
            if address in self._held:
                self._shared[address] = found
        return found

    def _held_by(self, query: Query, ids: Ids, words: list[str]) -> None:
        query.ids = ids
        if not self._vocabulary.spelled(ids, words):
            query.typed = "\n".join(words)
        for network in query.networks:
            self._held[network] = self._held.get(network, 0) + len(ids)

    def _has_room(self, networks: tuple[str, ...], more: int) -> bool:
        held = self._held
        for network in networks:  # noqa: SIM110 - a generator costs more than what it asks
            if held.get(network, 0) + more > WORDS_MAX * share_of(network):
                return False
        return True

"""The interests that searches hold, and how many those of one network may hold at once (rule 10).

Rule: the table of interests is everybody's. One that somebody names already takes no place and is always taken; a new one only
while its network holds no more than WORDS_MAX in all, and the table has room. Without those that find none a search goes on,
for nobody who waits could share them; where none of its interests is left it is refused.
"""

from engine.errors import Refusal
from engine.matching.interests import InterestError, InternFull
from engine.networks import networks_of, share_of
from engine.policy import WORDS_MAX, WORDS_RETRY_AFTER
from engine.ports import Matcher
from engine.session import NO_IDS, Query, Session
from ext.match.interner import Ids


class Words:
    """Who holds how many. `limits`: False lifts the bound of a network."""

    __slots__ = ("_held", "_limits", "_lobby", "dropped")

    def __init__(self, lobby: Matcher, limits: bool) -> None:
        self._lobby = lobby
        self._limits = limits
        self._held: dict[str, int] = {}  # by network, of those that hold any
        self.dropped = 0  # interests that found no room

    def hold(self, session: Session, query: Query, words: list[str]) -> None:
        """Give the query the ids of its words. Raises BadInterest, and Refusal where there is room for none of them."""
        lobby = self._lobby
        query.networks = session.networks = session.networks or networks_of(session.address)
        known = lobby.interests
        try:
            ids = lobby.intern(words)
        except InternFull:
            kept = self._known(words)
        else:
            if not self._limits or lobby.interests == known or self._has_room(query.networks, len(words)):
                self._held_by(query, ids, words)
                return
            lobby.release(ids)
            kept = self._known(words)
        self.dropped += len(words) - len(kept)
        if not kept:
            raise Refusal("too_fast", "find", None, WORDS_RETRY_AFTER)
        self._held_by(query, lobby.intern(kept), kept)

    def take(self, query: Query, words: list[str]) -> None:
        """The words of a search that came from another process: its network had room for them there, and nothing is refused."""
        try:
            ids = self._lobby.intern(words)
        except InterestError:
            kept = self._known(words)
            self.dropped += len(words) - len(kept)
            words, ids = kept, self._lobby.intern(kept)
        self._held_by(query, ids, words)

    def as_typed(self, query: Query) -> list[str]:
        """The words of a search as the person typed them, in the order of its ids."""
        return self._lobby.words(query.ids) if query.typed is None else query.typed.split("\n")

    def release(self, query: Query) -> None:
        """The query needs its words no more."""
        ids = query.ids
        if not ids:
            return
        query.ids = NO_IDS
        self._lobby.release(ids)
        for network in query.networks:
            left = self._held[network] - len(ids)
            if left:
                self._held[network] = left
            else:
                del self._held[network]

    def _held_by(self, query: Query, ids: Ids, words: list[str]) -> None:
        query.ids = ids
        if self._lobby.words(ids) != words:
            query.typed = "\n".join(words)
        for network in query.networks:
            self._held[network] = self._held.get(network, 0) + len(ids)

    def _has_room(self, networks: tuple[str, ...], more: int) -> bool:
        held = self._held
        return all(held.get(network, 0) + more <= WORDS_MAX * share_of(network) for network in networks)

    def _known(self, words: list[str]) -> list[str]:
        """Those of the words that somebody names already."""
        lobby, kept = self._lobby, []
        for word in words:
            before = lobby.interests
            try:
                ids = lobby.intern([word])
            except InterestError:
                continue
            if lobby.interests == before:
                kept.append(word)
            lobby.release(ids)
        return kept

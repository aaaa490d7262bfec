"""Limit how many new interest words the searches of one IP network may add (docs/protocol.md, rule 10), and convert words to numbers.

An interest that another search already holds is always accepted and not counted. A search continues without the interests that were not accepted;
if none is left, the search is refused.
"""

# A new interest is accepted while its network holds no more than WORDS_MAX in all and the table has room. One that is not accepted is no loss to the
# search: no waiting user could share it.

from engine.core.session import NO_IDS, Query, Session
from engine.matching.address_networks import networks_of, share_of
from engine.matching.interest_normalisation import InterestError, InternFull
from engine.matching.interest_numbers import Vocabulary
from engine.wire.engine_errors import Refusal
from engine.wire.rule_constants import WORDS_MAX, WORDS_RETRY_AFTER
from ext.match.interner import Ids


class InterestLimits:
    """Number of interests that each network holds. `limits`: False lifts the limit of a network."""

    __slots__ = ("_held", "_limits", "_shared", "_vocabulary", "dropped")

    def __init__(self, vocabulary: Vocabulary, limits: bool) -> None:
        self._vocabulary = vocabulary
        self._limits = limits
        self._held: dict[str, int] = {}  # by network; only networks that hold some
        self._shared: dict[str, tuple[str, ...]] = {}  # by IPv4 address, if it holds some: its networks
        self.dropped = 0  # interests that were not accepted

    def hold(self, session: Session, query: Query, words: list[str]) -> None:
        """Intern the words of a query and count them for its network. Raises BadInterest, and Refusal if none of them is accepted."""
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
        """Intern the words of a search that migrated here; none is refused for its network, where it was accepted before."""
        ids, words = self.with_room(words)
        self._held_by(query, ids, words)

    def with_room(self, words: list[str]) -> tuple[Ids, list[str]]:
        """Intern the words that the table has room for. Return their ids and the words; they are not counted for a network."""
        try:
            return self._vocabulary.intern(words), words
        except InterestError:
            kept = self._vocabulary.known(words)
            self.dropped += len(words) - len(kept)
            return self._vocabulary.intern(kept), kept

    def as_typed(self, query: Query) -> list[str]:
        """Return the words of a search as the user typed them, in the order of its ids."""
        return self._vocabulary.words(query.ids) if query.typed is None else query.typed.split("\n")

    def release(self, query: Query) -> None:
        """Release the words of a query."""
        ids = query.ids
        count = len(ids)
        if not count:
            return
        query.ids = NO_IDS
        self._vocabulary.release(ids)
        for network in query.networks:
            held = self._held[network]
            if held > count:
                self._held[network] = held - count
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
        count = len(ids)
        if not self._vocabulary.spelled(ids, words):
            query.typed = "\n".join(words)
        for network in query.networks:
            held = self._held.get(network, 0)
            self._held[network] = held + count

    def _has_room(self, networks: tuple[str, ...], more: int) -> bool:
        held = self._held
        for network in networks:  # noqa: SIM110 - a generator costs more than the check
            if held.get(network, 0) + more > WORDS_MAX * share_of(network):
                return False
        return True

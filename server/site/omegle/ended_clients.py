"""Remember HTTP clients that ended: their last chat, whose log may be saved for ten minutes, and ids whose next poll must be answered with the end.

**Invariant:** both tables are bounded. During an upgrade the old process keeps the chats that ended in it, and the new process requests one when its
log is saved.
"""

from collections import OrderedDict
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from engine.views import SeatView
from engine.wire.protocol import PAST_FOR
from ext.base.ageing_map import AgeingMap
from server.data.records import transcript as packed
from server.data.records.transcript import Transcript
from server.realtime.worker.recorder import transcript
from server.site.omegle.requests_during_upgrade import AwaitedClients

# chats whose log can be requested, and ids whose end is to be reported: their rings are within the budget of all rings
LATELY: Final = 5_000
PIECE: Final = 1_000  # ids per message to another process


def name(person: int, key: str) -> str:
    """Return the key by which one process requests a user's latest chat in the network `key` from another."""
    return f"{person} {key}"


class EndedChat:
    """An ended chat: referred to by one participant's seat, or packed by another process."""

    __slots__ = ("_ended", "_people", "_said", "_seat")

    def __init__(
        self,
        seat: SeatView | None,
        ended: float = 0.0,
        people: tuple[tuple[int, int, str], ...] = (),
        said: bytes = b"",
    ) -> None:
        self._seat = seat
        self._ended = ended
        self._people = people
        self._said = said

    @property
    def ended(self) -> float:
        """The time of its end in monotonic seconds; 0.0 if it has not ended."""
        return self._ended if self._seat is None else self._seat.ended

    @property
    def people(self) -> tuple[tuple[int, int, str], ...]:
        """The participants: (side, identity, address) of each."""
        return self._people if self._seat is None else self._seat.chat.people

    def transcript(self) -> Transcript | None:
        """Return the transcript; None if nothing was written, or the ring is gone."""
        return packed.unpack(self._said) if self._seat is None else transcript(self._seat)

    def packed(self) -> bytes:
        """Return the transcript packed for another process; empty without a chat."""
        if self._seat is None:
            return self._said
        said = transcript(self._seat)
        return packed.pack(said) if said is not None else b""


class RecentChats:
    """The last chats by user and network, whose logs can be requested."""

    def __init__(self) -> None:
        self._found: OrderedDict[tuple[int, str], EndedChat] = OrderedDict()

    def put(self, person: int, key: str, seat: SeatView) -> None:
        """Store the latest chat of a user in the network `key`."""
        self._put(person, key, EndedChat(seat))

    def _put(self, person: int, key: str, past: EndedChat) -> None:
        self._found[person, key] = past
        self._found.move_to_end((person, key))
        if len(self._found) > LATELY:
            self._found.popitem(last=False)

    def of(self, person: int, key: str) -> EndedChat | None:
        """Return the latest chat, or None."""
        return self._found.get((person, key))

    def expire(self, now: float) -> None:
        """Forget chats that are too old to be requested. They are in no order: a client may stay for minutes after its last chat."""
        before = now - PAST_FOR
        for old in [found for found, past in self._found.items() if 0.0 < past.ended < before]:
            del self._found[old]

    def pack(self, now: float) -> Iterator[tuple[dict[str, Any], bytes]]:
        """Remove all chats, the oldest first, and yield each for another process: its facts and its transcript."""
        while self._found:
            found = self.pop(*next(iter(self._found)), now)
            if found is not None:
                yield found

    def pop(self, person: int, key: str, now: float) -> tuple[dict[str, Any], bytes] | None:
        """Remove one user's chat, as `pack` does; None without a chat, or if nothing was written in it."""
        past = self._found.pop((person, key), None)
        said = b"" if past is None else past.packed()
        if past is None or not said:
            return None
        return {"person": person, "key": key, "age": now - past.ended, "people": past.people}, said

    def unpack(self, facts: dict[str, Any], blob: bytes, now: float) -> None:
        """Add a chat of another process. Raises ValueError."""
        people = tuple((int(side), int(identity), str(address)) for side, identity, address in facts["people"])
        packed.unpack(blob)
        past = EndedChat(None, now - float(facts["age"]), people, blob)
        known = self.of(int(facts["person"]), str(facts["key"]))
        if known is None or known.ended < past.ended:
            self._put(int(facts["person"]), str(facts["key"]), past)

    def __len__(self) -> int:
        return len(self._found)


class UnreportedEnds:
    """Ids of ended clients whose next poll has to learn of the end."""

    def __init__(self) -> None:
        self._found: AgeingMap[str, None] = AgeingMap(LATELY)

    def put(self, id: str) -> None:
        """Add an id that ended now."""
        self._found.put(id, None)

    def settle(self, id: str) -> bool:
        """Record that a poll learns of the end; return whether it is the first."""
        if id not in self._found:
            return False
        self._found.pop(id)
        return True

    def pack(self) -> Iterator[list[str]]:
        """Remove all ids and yield them in pieces for another process."""
        while self._found:
            piece = list(islice(self._found, PIECE))
            for id in piece:
                self._found.pop(id)
            yield piece

    def __contains__(self, id: str) -> bool:
        return id in self._found


class EndedClients:
    """Ended clients: their last chats and their ids."""

    def __init__(self) -> None:
        self.lately = RecentChats()
        self.owed = UnreportedEnds()
        self.wanted = AwaitedClients()  # by `name`

    async def latest(self, person: int, key: str) -> EndedChat | None:
        """Return the latest chat of a user in the network `key`, also from an old process during an upgrade, or None."""
        await self.wanted.wait(name(person, key))
        return self.lately.of(person, key)

    def give(self, wanted: str, now: float) -> tuple[dict[str, Any], list[bytes]] | None:
        """Remove the chat of this name for another process, as a piece; None: it is not here. Raises ValueError."""
        person, _, key = wanted.partition(" ")
        found = self.lately.pop(int(person), key, now)
        return None if found is None else ({"lately": found[0]}, [found[1]])

    def pack(self, now: float) -> Iterator[tuple[dict[str, Any], list[bytes]]]:
        """Remove everything and yield it in pieces for another process."""
        for ids in self.owed.pack():
            yield {"owed": ids}, []
        for facts, said in self.lately.pack(now):
            yield {"lately": facts}, [said]

    def unpack(self, piece: dict[str, Any], blobs: list[bytes], now: float) -> None:
        """Merge a piece. Raises KeyError, TypeError, ValueError."""
        for id in piece.get("owed", ()):
            self.owed.put(str(id))
        if "lately" in piece:
            self.lately.unpack(piece["lately"], blobs[0], now)

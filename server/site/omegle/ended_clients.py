"""What is remembered of clients that are gone: their last chats, and ids whose end nobody was told of. Rule: bounded, and a chat for ten minutes.

A program asks for its log after its chat, by its browser's randid; and the first poll of an id since its end is told so at once.
While another process hands over to this one it has the chats that were over before, so it is asked for the one of whoever wants a log.
"""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any, Final

from engine.views import SeatView
from engine.wire.protocol import PAST_FOR
from server.data.records import transcript as packed
from server.data.records.transcript import Transcript
from server.realtime.worker.recorder import transcript
from server.site.omegle.waiting_requests import Wanted

LATELY: Final = 5_000  # chats that can still be asked a log of, and ids that are owed an end: their rings are within the budget of all rings
PIECE: Final = 1_000  # ids that go to another process at once


def name(person: int, key: str) -> str:
    """What one process calls the latest chat of a person in the network `key`, that asks another one for it."""
    return f"{person} {key}"


class Past:
    """A chat that is over: by the seat that somebody had in it, or as another process packed it."""

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
        """Monotonic seconds; 0.0 before."""
        return self._ended if self._seat is None else self._seat.ended

    @property
    def people(self) -> tuple[tuple[int, int, str], ...]:
        """(side, identity, address) of each."""
        return self._people if self._seat is None else self._seat.chat.people

    def transcript(self) -> Transcript | None:
        """What was said; None where nothing was, or nothing is held any more."""
        return packed.unpack(self._said) if self._seat is None else transcript(self._seat)

    def packed(self) -> bytes:
        """The same, as it goes to another process; nothing for nothing."""
        if self._seat is None:
            return self._said
        said = transcript(self._seat)
        return packed.pack(said) if said is not None else b""


class Lately:
    """The last chats, by person and network: who may ask for a log."""

    def __init__(self) -> None:
        self._found: OrderedDict[tuple[int, str], Past] = OrderedDict()

    def put(self, person: int, key: str, seat: SeatView) -> None:
        """The latest of a person in the network `key`."""
        self._put(person, key, Past(seat))

    def _put(self, person: int, key: str, past: Past) -> None:
        self._found[person, key] = past
        self._found.move_to_end((person, key))
        if len(self._found) > LATELY:
            self._found.popitem(last=False)

    def of(self, person: int, key: str) -> Past | None:
        """The latest; None where there is none."""
        return self._found.get((person, key))

    def expire(self, now: float) -> None:
        """Forget what is too old to be asked for."""
        while self._found and next(iter(self._found.values())).ended + PAST_FOR < now:
            self._found.popitem(last=False)

    def pack(self, now: float) -> Iterator[tuple[dict[str, Any], bytes]]:
        """Take each out, the oldest first, for another process: its facts and its transcript."""
        while self._found:
            found = self.pop(*next(iter(self._found)), now)
            if found is not None:
                yield found

    def pop(self, person: int, key: str, now: float) -> tuple[dict[str, Any], bytes] | None:
        """Take the one of a person out, as `pack` does; None: there is none, or nothing was said in it."""
        past = self._found.pop((person, key), None)
        said = b"" if past is None else past.packed()
        if past is None or not said:
            return None
        return {"person": person, "key": key, "age": now - past.ended, "people": past.people}, said

    def unpack(self, facts: dict[str, Any], blob: bytes, now: float) -> None:
        """Take one in. Raises ValueError."""
        people = tuple((int(side), int(identity), str(address)) for side, identity, address in facts["people"])
        packed.unpack(blob)
        past = Past(None, now - float(facts["age"]), people, blob)
        known = self.of(int(facts["person"]), str(facts["key"]))
        if known is None or known.ended < past.ended:
            self._put(int(facts["person"]), str(facts["key"]), past)

    def __len__(self) -> int:
        return len(self._found)


class Owed:
    """Ids that are gone, and no poll was told so since."""

    def __init__(self) -> None:
        self._found: OrderedDict[str, None] = OrderedDict()

    def put(self, id: str) -> None:
        """It ended now."""
        self._found[id] = None
        if len(self._found) > LATELY:
            self._found.popitem(last=False)

    def settle(self, id: str) -> bool:
        """A poll is told now; whether it is the first."""
        if id not in self._found:
            return False
        del self._found[id]
        return True

    def pack(self) -> Iterator[list[str]]:
        """Take them out for another process, some at a time."""
        while self._found:
            yield [self._found.popitem(last=False)[0] for _ in range(min(PIECE, len(self._found)))]

    def __contains__(self, id: str) -> bool:
        return id in self._found


class Gone:
    """Both."""

    def __init__(self) -> None:
        self.lately = Lately()
        self.owed = Owed()
        self.wanted = Wanted()  # by `name`

    async def latest(self, person: int, key: str) -> Past | None:
        """The latest chat of a person in the network `key`, of the process that hands over to this one too; None: there is none."""
        await self.wanted.wait(name(person, key))
        return self.lately.of(person, key)

    def give(self, wanted: str, now: float) -> tuple[dict[str, Any], list[bytes]] | None:
        """Take the chat of this name out for another process, as a piece; None: it is not here. Raises ValueError."""
        person, _, key = wanted.partition(" ")
        found = self.lately.pop(int(person), key, now)
        return None if found is None else ({"lately": found[0]}, [found[1]])

    def pack(self, now: float) -> Iterator[tuple[dict[str, Any], list[bytes]]]:
        """Take all of it out for another process, in pieces."""
        for ids in self.owed.pack():
            yield {"owed": ids}, []
        for facts, said in self.lately.pack(now):
            yield {"lately": facts}, [said]

    def unpack(self, piece: dict[str, Any], blobs: list[bytes], now: float) -> None:
        """Take a piece in. Raises KeyError, TypeError, ValueError."""
        for id in piece.get("owed", ()):
            self.owed.put(str(id))
        if "lately" in piece:
            self.lately.unpack(piece["lately"], blobs[0], now)

"""A world whose people are moved to an engine made anew, as `serendip upgrade` does; and one that has such a world as its shadow."""

from collections.abc import Callable
from typing import Any

import orjson

from engine.core.session import Session
from engine.engine import Engine, SessionRecord
from tests.engine.world import CountingLobby, Wire, World

MOMENT = 1 / 1024  # seconds between two deeds, a number that sums keep exactly


def travelled(session_record: SessionRecord) -> SessionRecord:
    """What the other process reads."""
    return SessionRecord(orjson.loads(orjson.dumps(session_record.record)), list(session_record.blobs))


class MovingWorld(World):
    """Its wires stay what they are for the clients; their numbers and sessions become others by a move."""

    def __init__(self, *given: Any, **named: Any) -> None:
        self.every: list[Wire] = []
        self.near = False  # who moves goes to a process of this release
        super().__init__(*given, **named)

    def open(self, identity: int = 0, address: str = "192.0.2.1") -> Wire:
        wire = super().open(identity, address)
        self.every.append(wire)
        return wire

    def wires_of(self, ids: tuple[int, ...]) -> dict[int, tuple[str, dict[str, Any], bytes]]:
        """What the reactor gives of their connections: these stand still from now on."""
        found = {}
        for id in ids:
            conn = self.engine.sessions[id].conn
            if conn:
                self.unlink(self.wires.pop(conn))
                found[id] = ("192.0.2.1", {"input": 2, "was": conn}, b"ab")
        return found

    def connect(self, place: int, session: Session, address: str, state: dict[str, Any], data: bytes) -> int:
        """The reactor's part at the other end."""
        assert (address, data) == ("192.0.2.1", b"ab")
        wire = next(wire for wire in self.every if wire.conn == state["was"] and wire.closed is None)
        wire.conn = next(self._conns)
        self.wires[wire.conn] = wire
        return wire.conn

    def release(self, *ids: int) -> SessionRecord:
        """Take sessions out of the engine."""
        return travelled(self.engine.moves.release(ids, self.wires_of(ids), self.now, near=self.near))

    def take(self, session_record: SessionRecord, connect: Callable[..., int] | None = None) -> list[Session]:
        """Put them into the present one."""
        sessions = self.engine.moves.take(session_record, connect or self.connect, self.now)
        for session in sessions:
            for wire in self.every:
                if wire.session.id == session.id:
                    wire.session = session
        self.settle()
        return sessions

    def restart(self) -> Engine:
        """An engine made anew takes the place of the present one, which is given back with its people."""
        old = self.engine
        self.start(CountingLobby())
        self.engine.moves.take_pace(orjson.loads(orjson.dumps(old.moves.pace(self.now))), self.now)
        return old

    def move(self, most: int = 2) -> None:
        """Everybody goes to an engine made anew, in session_records of so many groups."""
        lobby, rings = self.lobby, self.rings
        old = self.restart()
        new = self.engine
        groups: list[tuple[int, ...]] = []
        for id in old.moves.order():
            if not any(id in group for group in groups):
                groups.append(old.moves.group(id))
        for start in range(0, len(groups), most):
            ids = tuple(id for group in groups[start : start + most] for id in group)
            self.engine = old
            session_record = self.release(*ids)
            assert not self.bus.inbox
            self.engine = new
            self.take(session_record)
        for piece in old.moves.rest(self.now, 3):
            new.moves.take_rest(orjson.loads(orjson.dumps(piece)), self.now)
        old.moves.forget()
        new.moves.forget()
        old.sweep(self.now + 3_600.0)  # chats that ended a moment before are remembered for seconds
        core = old._core
        assert (old.sessions, core.aliases, core.here, core.people) == ({}, {}, 0, {})
        assert (old.room.clients(), lobby.in_use) == ([], {})
        assert core.words._held == {}
        assert rings.counters()["rings"] == 0
        assert new.moves.skipped == 0


class Kept(list[Any]):
    """What the store was asked for, as something that holds no chat. Of two whose time is up at one moment either may be the first."""

    def append(self, item: Any) -> None:
        _, seat, what = item
        super().append((seat.chat.id, type(what).__name__, getattr(what, "by", "")))


class ShadowedWorld(World):
    """A world in which nobody moves. Whatever is done in it is done in its shadow, where everybody moves between: all frames are the same."""

    def __init__(self, *given: Any, **named: Any) -> None:
        self.shadow = MovingWorld(*given, **named)
        self.pairs: list[tuple[Wire, Wire]] = []
        self.pace = 1  # after how many deeds everybody moves
        self._deeds = 0
        self._inside = False
        super().__init__(*given, **named)
        self.kept, self.shadow.kept = Kept(), Kept()

    def _both(self, mine: Callable[[], Any], theirs: Callable[[], Any]) -> Any:
        if self._inside:
            return mine()
        self._inside = True
        self._deeds += 1
        self.now += MOMENT  # of two deeds at one moment either may be the first, and another one after a move
        self.shadow.now += MOMENT
        found = mine()
        theirs()
        if self._deeds % self.pace == 0:
            self.shadow.near = not self.shadow.near
            self.shadow.move()
        self._inside = False
        for wire, shadow in self.pairs:
            assert shadow.log == wire.log
            assert (shadow.closed, shadow.side) == (wire.closed, wire.side)
        assert sorted(self.shadow.kept) == sorted(self.kept)
        for wire, shadow in self.pairs:
            if wire.ring is not None and shadow.ring is not None:
                assert shadow.ring.dump() == wire.ring.dump()
        return found

    def _shadow(self, wire: Wire) -> Wire:
        return next(shadow for mine, shadow in self.pairs if mine is wire)

    def open(self, identity: int = 0, address: str = "192.0.2.1") -> Wire:
        if self._inside:
            return super().open(identity, address)
        wire: Wire = self._both(
            lambda: super(ShadowedWorld, self).open(identity, address), lambda: self.shadow.open(identity, address)
        )
        self.pairs.append((wire, self.shadow.every[-1]))
        return wire

    def raw(self, wire: Wire, payload: bytes) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._both(
            lambda: super(ShadowedWorld, self).raw(wire, payload), lambda: self.shadow.raw(self._shadow(wire), payload)
        )
        return found

    def say(self, wire: Wire, text: str) -> None:
        self._both(
            lambda: super(ShadowedWorld, self).say(wire, text), lambda: self.shadow.say(self._shadow(wire), text)
        )

    def lose(self, wire: Wire, how: int = 0) -> None:
        self._both(
            lambda: super(ShadowedWorld, self).lose(wire, how), lambda: self.shadow.lose(self._shadow(wire), how)
        )

    def resume(self, old: Wire, last: int = 0, token: str | None = None, identity: int = 0, **more: Any) -> Wire:
        wire: Wire = self._both(
            lambda: super(ShadowedWorld, self).resume(old, last, token, identity, **more),
            lambda: self.shadow.resume(self._shadow(old), last, token, identity, **more),
        )
        self.pairs.append((wire, self.shadow.every[-1]))
        return wire

    def wait(self, seconds: float) -> None:
        self._both(lambda: super(ShadowedWorld, self).wait(seconds), lambda: self.shadow.wait(seconds))

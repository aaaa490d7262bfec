"""A small world around the engine: a bus, a clock set by hand, and the few things that a reactor does with effects.

It fails where the engine breaks its promises: an effect for a connection that is not live, a message into no chat.
"""

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

import orjson

from engine.effects import Adopt, Close, Hello, Keep, Link, Refuse, Replay, Say, Send, Signal, ToBus, Typing, Unlink
from engine.engine import Engine
from engine.matching.lobby import Lobby
from engine.policy import Settings
from engine.ports import Outside
from engine.protocol import DROPPED
from engine.session import Session
from ext.net.probe import append, refuse
from ext.net.ring import Ring, Rings


class CountingLobby(Lobby):
    """A lobby that knows which interests are in use, as often as they were interned and not released."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.in_use: Counter[int] = Counter()

    def intern(self, words: Sequence[str]) -> tuple[int, ...]:
        ids = super().intern(words)
        self.in_use.update(ids)
        return ids

    def release(self, ids: Sequence[int]) -> None:
        for id in ids:
            assert self.in_use[id] > 0, "released more often than interned"
            self.in_use[id] -= 1
            if not self.in_use[id]:
                del self.in_use[id]
        super().release(ids)


class Tray(list[dict[str, Any]]):
    """What came; all that ever came stands in the log too."""

    def __init__(self, log: list[dict[str, Any]]) -> None:
        super().__init__()
        self.log = log

    def append(self, frame: dict[str, Any]) -> None:
        super().append(frame)
        self.log.append(frame)


class Wire:
    """One connection as its client sees it."""

    def __init__(self, conn: int, session: Session) -> None:
        self.conn = conn
        self.session = session
        self.log: list[dict[str, Any]] = []
        self.got: list[dict[str, Any]] = Tray(self.log)
        self.closed: int | None = None
        self.ring: Ring | None = None
        self.side = -1

    def take(self) -> list[dict[str, Any]]:
        """What came since the last time."""
        got, self.got = self.got, Tray(self.log)
        return got


class World:
    """Everything outside of the engine, in memory."""

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        keeps: bool = False,
        budget: int = 1 << 26,
        lobby: CountingLobby | None = None,
        **outside: Any,
    ) -> None:
        self.now = 1000.0
        self.wires: dict[int, Wire] = {}
        self.kept: list[Any] = []
        self.effects: list[Any] = []  # all but those of the bus, since `clear`
        self._bus: deque[tuple[Any, Any]] = deque()
        self._conns = count(1)
        self._keys = count(500_001)
        self._chats = count(0xC001)
        given = {
            "new_id": lambda: next(self._chats),
            "open_token": lambda token, _: int(token) if token.isdigit() else None,
            **outside,
        }
        self.budget = budget
        self.outside = Outside(**given)
        self.settings = settings
        self.keeps = keeps
        self.start(lobby or CountingLobby())

    def start(self, lobby: CountingLobby) -> None:
        """An engine with nobody in it."""
        self.lobby = lobby
        self.rings = Rings(self.budget)
        self.engine = Engine(lobby, self.rings, self.outside, self.settings, keeps=self.keeps)

    # clients

    def open(self, identity: int = 0, address: str = "192.0.2.1") -> Wire:
        conn = next(self._conns)
        session = self.engine.opened(conn, next(self._keys), identity, address, self.now)
        wire = self.wires[conn] = Wire(conn, session)
        self.settle()
        return wire

    def send(self, wire: Wire, **frame: Any) -> list[dict[str, Any]]:
        """A frame of the client goes to the engine; what the client got since is given back."""
        return self.raw(wire, orjson.dumps(frame))

    def raw(self, wire: Wire, payload: bytes) -> list[dict[str, Any]]:
        assert wire.closed is None
        if wire.session.used >= 0:
            self.engine.confirmed(wire.session, self.now)
        self.engine.frame(wire.session, payload, self.now)
        self.settle()
        return wire.take()

    def say(self, wire: Wire, text: str) -> None:
        """A canonical message, as the reactor relays it."""
        if wire.session.used >= 0:
            self.engine.confirmed(wire.session, self.now)
        if wire.ring is None:
            self.raw(wire, orjson.dumps({"type": "message", "text": text}))
        else:
            self._relay(wire, orjson.dumps(text)[1:-1])

    def lose(self, wire: Wire, how: int = DROPPED) -> None:
        """The connection is gone."""
        del self.wires[wire.conn]
        self._unlink(wire)
        wire.closed = 1006
        self.engine.lost(wire.session, wire.conn, how, self.now)
        self.settle()

    def resume(self, old: Wire, last: int = 0, token: str | None = None, identity: int = 0, **more: Any) -> Wire:
        """A new connection asks for the session that `old` carried."""
        if token is None:
            token = str(old.session.key)
        wire = self.open(identity)
        wire.take()
        self.engine.frame(
            wire.session, orjson.dumps({"type": "resume", "token": token, "last": last, **more}), self.now
        )
        self.settle()
        return wire

    def wait(self, seconds: float) -> None:
        """Time goes by, in steps where something is due."""
        end = self.now + seconds
        while True:
            due = self.engine.due()
            if due is None or due > end:
                break
            self.now = max(self.now, due)
            self.engine.tick(self.now)
            self.settle()
        self.now = end
        self.engine.tick(end)
        self.settle()

    # the reactor's part

    def settle(self) -> None:
        """Applies effects and delivers messages of the bus until there are none."""
        while self.engine.effects or self._bus:
            for effect in self.engine.effects:
                self._apply(effect)
            self.engine.effects.clear()
            if self._bus:
                address, message = self._bus.popleft()
                self.engine.deliver(address, message, self.now)

    def _apply(self, effect: Any) -> None:
        if type(effect) is ToBus:
            self._bus.append((effect.address, effect.message))
            return
        self.effects.append(effect)
        if type(effect) is Keep:
            self.kept.append(effect.item)
            return
        wire = self.wires[effect.conn]  # every other effect names a live connection
        if type(effect) is Hello:
            wire.got.append({"type": "hello", "token": str(effect.session.key)})
        elif type(effect) is Send:
            wire.got.append(orjson.loads(effect.frame))
        elif type(effect) is Close:
            if effect.frame is not None:
                wire.got.append(orjson.loads(effect.frame))
            self._unlink(wire)
            wire.closed = effect.code
            del self.wires[wire.conn]
        elif type(effect) is Link:
            assert not any(other.ring is effect.ring and other.side == effect.side for other in self.wires.values())
            wire.ring, wire.side = effect.ring, effect.side
        elif type(effect) is Unlink:
            self._unlink(wire)
        elif type(effect) is Adopt:
            wire.session = effect.session
        elif type(effect) is Replay:
            for number, side, _, text in effect.ring.lines():
                if number > effect.after and side != effect.side:
                    wire.got.append({"type": "message", "seq": number, "text": orjson.loads(b'"' + text + b'"')})
        elif type(effect) is Say:
            self._relay(wire, effect.text, effect.id)
        elif type(effect) is Typing:
            for other in self._others(wire):
                other.got.append({"type": "typing", "typing": effect.typing})
        elif type(effect) is Signal:
            for other in self._others(wire):
                other.got.append(orjson.loads(effect.frame))
        elif type(effect) is Refuse:
            assert wire.ring is not None
            refuse(wire.ring, wire.side)

    def _relay(self, wire: Wire, text: bytes, id: bytes | None = None) -> None:
        assert wire.ring is not None
        assert wire.side in (0, 1)
        number = append(wire.ring, wire.side, text)
        for other in self._others(wire):
            frame = {"type": "message", "seq": number, "text": orjson.loads(b'"' + text + b'"')}
            if other.side == 2:
                frame["from"] = wire.side + 1
            other.got.append(frame)
        if id is not None:
            wire.got.append({"type": "sent", "id": orjson.loads(b'"' + id + b'"'), "seq": number})

    def _others(self, wire: Wire) -> Iterator[Wire]:
        return (other for other in self.wires.values() if other.ring is wire.ring and other is not wire)

    def _unlink(self, wire: Wire) -> None:
        wire.ring, wire.side = None, -1

    # usual beginnings

    def pair(self, **find: Any) -> tuple[Wire, Wire]:
        """Two who are in a chat, nothing in their in-trays."""
        a, b = self.open(), self.open()
        self.send(a, type="find", **find)
        self.send(b, type="find", **find)
        assert a.session.seat is not None
        assert b.session.seat is not None
        assert a.session.seat.chat is b.session.seat.chat
        a.take(), b.take()
        self.effects.clear()
        return a, b


def error(code: str, **more: Any) -> dict[str, Any]:
    """An `error` frame as a test compares it: without its words."""
    return {"type": "error", "code": code, **more}


def bare(frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Frames without the words of errors."""
    return [{key: value for key, value in frame.items() if key != "message"} for frame in frames]

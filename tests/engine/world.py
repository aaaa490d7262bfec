"""A small world around the engine: a bus, a clock set by hand, and the few things that a reactor does.

It fails where the engine breaks its promises: a call for a connection that is not live, a message into no chat.
"""

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

import orjson

from engine.core.ports import Outside
from engine.core.session import Session
from engine.engine import Engine
from engine.matching.lobby import Lobby
from engine.rooms.local_waiting_room import WaitingRoom
from engine.wire.protocol import DROPPED
from engine.wire.rule_constants import Settings
from ext.net.chat_ring import Ring, Rings
from ext.reactor.debug_hooks import append, refuse


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


class Queue:
    """The bus."""

    def __init__(self) -> None:
        self.inbox: deque[tuple[Any, Any]] = deque()

    def send(self, address: Any, message: Any) -> None:
        self.inbox.append((address, message))


class Hands:
    """What a reactor does for the engine, in a world. Every connection that is named must be live."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def _wire(self, conn: int) -> Wire:
        return self._world.wires[conn]

    def send(self, conn: int, frame: bytes) -> None:
        self._wire(conn).got.append(orjson.loads(frame))

    def close(self, conn: int, code: int, frame: bytes | None) -> None:
        wire = self._wire(conn)
        if frame is not None:
            wire.got.append(orjson.loads(frame))
        self._world.unlink(wire)
        wire.closed = code
        del self._world.wires[conn]

    def link(self, conn: int, ring: Ring, side: int) -> None:
        wire = self._wire(conn)
        assert not any(other.ring is ring and other.side == side for other in self._world.wires.values())
        wire.ring, wire.side = ring, side

    def keep_limits(self, conn: int, session: Session) -> None:
        assert self._wire(conn).session is not session
        self._world.carried.append(session.id)

    def unlink(self, conn: int) -> None:
        self._world.unlink(self._wire(conn))

    def adopt(self, conn: int, session: Session) -> None:
        self._wire(conn).session = session

    def replay(self, conn: int, ring: Ring, side: int, after: int) -> None:
        for number, other, _, text in ring.lines():
            if number > after and other != side:
                self._wire(conn).got.append(
                    {"type": "message", "seq": number, "text": orjson.loads(b'"' + text + b'"')}
                )

    def say(self, conn: int, text: bytes, id: bytes | None) -> None:
        self._world.relay(self._wire(conn), text, id)

    def typing(self, conn: int, typing: bool) -> None:
        for other in self._world.others(self._wire(conn)):
            other.got.append({"type": "typing", "typing": typing})

    def signal(self, conn: int, frame: bytes) -> None:
        for other in self._world.others(self._wire(conn)):
            other.got.append(orjson.loads(frame))

    def refuse(self, conn: int) -> None:
        wire = self._wire(conn)
        assert wire.ring is not None
        refuse(wire.ring, wire.side)

    def keep(self, item: Any) -> None:
        self._world.kept.append(item)


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
        self.carried: list[int] = []  # sessions that continue the limits of a connection of another
        self.bus = Queue()
        self._conns = count(1)
        self._keys = count(500_001)
        self._chats = count(0xC001)
        given = {
            "new_id": lambda: next(self._chats),
            "make_token": lambda key, _: str(key),
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
        self.engine = Engine(
            WaitingRoom(lobby), lobby, self.rings, self.outside, Hands(self), self.bus, self.settings, keeps=self.keeps
        )

    # clients

    def open(self, identity: int = 0, address: str = "192.0.2.1") -> Wire:
        conn = next(self._conns)
        session = self.engine.opened(conn, next(self._keys), identity, address, self.now)
        wire = self.wires[conn] = Wire(conn, session)
        wire.got.append({"type": "hello", "token": str(session.key)})
        self.engine.notify(session)
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
            self.relay(wire, orjson.dumps(text)[1:-1])

    def lose(self, wire: Wire, how: int = DROPPED) -> None:
        """The connection is gone."""
        del self.wires[wire.conn]
        self.unlink(wire)
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
        self.engine.sweep(end)
        self.settle()

    # the reactor's part

    def settle(self) -> None:
        """Delivers messages of the bus until there are none."""
        while self.bus.inbox:
            address, message = self.bus.inbox.popleft()
            self.engine.deliver(address, message, self.now)

    def relay(self, wire: Wire, text: bytes, id: bytes | None = None) -> None:
        assert wire.ring is not None
        assert wire.side in (0, 1)
        number = append(wire.ring, wire.side, text)
        for other in self.others(wire):
            frame = {"type": "message", "seq": number, "text": orjson.loads(b'"' + text + b'"')}
            if other.side == 2:
                frame["from"] = wire.side + 1
            other.got.append(frame)
        if id is not None:
            wire.got.append({"type": "sent", "id": orjson.loads(b'"' + id + b'"'), "seq": number})

    def others(self, wire: Wire) -> Iterator[Wire]:
        return (other for other in self.wires.values() if other.ring is wire.ring and other is not wire)

    def unlink(self, wire: Wire) -> None:
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
        return a, b


def error(code: str, **more: Any) -> dict[str, Any]:
    """An `error` frame as a test compares it: without its words."""
    return {"type": "error", "code": code, **more}


def bare(frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Frames without the words of errors."""
    return [{key: value for key, value in frame.items() if key != "message"} for frame in frames]

"""Run a reactor (sockets) and an engine (chats) in one event loop: pass the reactor's events to the engine, and the engine's output to the reactor.

**Invariant:** events are handled in order. A turn that takes longer than TURN seconds is interrupted, and its remaining events are handled before
all later ones.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final

import orjson

from engine.core.ports import Bus, Out, Outside
from engine.engine import Engine, Session
from engine.views import SessionView, error, hello
from engine.wire.protocol import (
    BROKEN,
    CONFIRMED,
    DROPPED,
    FAULTS,
    FRAME,
    FRAMES,
    HTTP,
    LOST,
    MINOR,
    OPENED,
    PROGRAM,
    UNTUNNELLED,
)
from ext.accept.address_limits import key_of
from ext.reactor.reactor import Reactor
from server.ops import log
from server.ops.health.overload import OverloadGate
from server.ops.process.cpu_time import Meter
from server.ops.security.identity_cookie import Identities
from server.ops.security.random_ids import Ids
from server.ops.security.resume_tokens import Tokens
from server.realtime.worker.engine_output import Output
from server.realtime.worker.gc_tuning import EVENTS, collect_young
from server.realtime.worker.local_bus import LocalBus
from server.realtime.worker.session_recheck import look
from server.realtime.worker.shortage_log import ShortageLog
from server.realtime.worker.tunnel_interface import TunnelPort
from server.realtime.worker.worker_dependencies import NO_PORTS, WorkerPorts

# Seconds of a turn until sockets are read again and the loop runs other callbacks: some five searches of up to 0.1 ms each. Under a flood of
# searches each chat line waits for about one turn, so a turn is as long as a line takes at rest.
TURN = 0.0005
READ = 0.0002  # seconds of a turn in which sockets of no chat are read: five hundred with answers to be sent take 13 ms
GATES = 32  # gates that are opened at once, for the same reason
PACKED = 0.0003  # seconds of a turn until frames behind opened gates wait: one client may pack hundreds of frames, most pack two or three
ANSWER: Final = 3  # rounds from an injected frame to its answer: queue, frame, answer
SOONEST = 0.01  # seconds: the shortest timer; uvloop's resolution is 1 ms

logger = log.get()


class Worker:
    """The loop's side of one reactor and one engine.

    In a turn the engine gets the reactor's batch event by event, and each event's bus messages are delivered before the next event. Then the gates
    are opened, which may bring a further batch. No gate opens before the queue is empty, because frames behind a gate must not be parsed before the
    engine has handled those before it.
    """

    def __init__(
        self,
        reactor: Reactor,
        make_engine: Callable[[Outside, Out, Bus], Engine],
        outside: dict[str, Any],
        tokens: Tokens,
        identities: Identities,
        grace: float,
        *,
        crowding: OverloadGate | None = None,
        ports: WorkerPorts = NO_PORTS,
    ) -> None:
        self.reactor = reactor
        self.ids = Ids()
        self.bus: Bus = LocalBus()
        self.output = Output(reactor, ports.keep, ports.on_visitor)
        self._tokens = tokens
        self.identities = identities
        self._grace = int(grace) if grace == int(grace) else grace
        self.engine = make_engine(
            Outside(
                new_id=self.ids,
                open_token=self._open_token,
                make_token=tokens.seal,
                oldest_notice=ports.find_notice,
                acknowledge_notice=ports.mark_notice_read,
                may_be_migrating=ports.is_elsewhere,
                is_doubted=ports.is_doubted,
                screen_question=reactor.asked,
                publish_age=self._on_age,
                publish_detection=ports.on_detection,
                make_nonces=ports.request_pictures,
                make_upload_key=ports.make_upload_key,
                end_pictures=ports.end_pictures,
                withdraw_picture=ports.withdraw_picture,
                draw_number=lambda: (self.ids() >> 7) / 2**53,  # all of a float's bits, and never 1.0
                **outside,
            ),
            self.output,
            self.bus,
        )
        self.find_ban, self.find_notice, self.find_statement = ports.find_ban, ports.find_notice, ports.find_statement
        self.find_country_refusal = ports.find_country_refusal
        self.forget_saves, self.find_service = ports.forget_saves, ports.find_service
        self._on_http, self._on_frames, self._on_turn = ports.on_http, ports.on_frames, ports.on_turn
        self._on_age_answer = ports.on_age
        self._find_tunnels = ports.find_tunnels
        self._loop = asyncio.get_running_loop()
        self._events: deque[tuple[int, int, Any, Any]] = deque()  # waiting for the engine, in order
        self._put_off: asyncio.Handle | None = None  # continues a turn that was put off
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = float("inf")
        self._second: asyncio.TimerHandle | None = None
        self._shortage = ShortageLog()
        self._crowding = OverloadGate() if crowding is None else crowding
        self._meter: Meter | None = None  # of this thread, while it takes events
        self._second_due = 0.0  # when the next tick of a second is due
        self._read_at = float("inf")  # when sockets were last read; infinite while no events are taken
        self._until_collection = EVENTS  # events until young objects are collected

    def start(self) -> None:
        """Begin to take events."""
        self._timer_at = float("inf")
        self._loop.add_reader(self.reactor.fd, self._ready)
        self._read_at = 0.0
        self._meter = Meter.of_self()
        self._every_second()

    def stop(self) -> None:
        """Take no more events."""
        self._loop.remove_reader(self.reactor.fd)
        self._read_at = float("inf")
        for timer in (self._timer, self._second, self._put_off):
            if timer is not None:
                timer.cancel()
        self._timer_at = float("-inf")  # what closes after this has deadlines too, and nothing waits for them
        if self._meter is not None:
            self._meter.close()
            self._meter = None

    # turns

    @property
    def tunnels(self) -> TunnelPort:
        """The clients of this host whose sessions are at other hosts."""
        return self._find_tunnels()

    @property
    def busy(self) -> bool:
        """Whether a turn was put off, so that events wait for the engine."""
        return self._put_off is not None or bool(self._events)

    def _ready(self) -> None:
        self._read_at = now = time.monotonic()
        self._turn(self.reactor.drain(now, READ), now)

    def read_if_due(self) -> None:
        """Read sockets if that was TURN seconds ago: for callers that take turns of the loop themselves, between pieces of their work.

        Not to be called while an event is handled.
        """
        if time.monotonic() - self._read_at >= TURN:
            self._ready()

    def _every_second(self) -> None:
        self._second = self._loop.call_later(
            1.0, self._every_second
        )  # first: an exception below costs one tick, not all
        now = time.monotonic()
        late = now - self._second_due if self._second_due else 0.0
        self._crowding.look(late, None if self._meter is None else self._meter.read())
        self._second_due = now + 1.0
        self.engine.sweep(now)
        self._turn(self.reactor.tick(now), now)
        self._shortage.look(self.reactor.counters()["head_short"], now)

    def _on_timer(self) -> None:
        self._timer = None
        self._timer_at = float("inf")
        self.act(self.engine.tick)

    def take_socket(self, fd: int, address: str, begun: bytes, port: int = 0) -> None:
        """Take a connection from aiohttp; `begun`: its request head, and the bytes read after it; `port`: the client's, if the socket has none."""
        self.reactor.adopt_socket(fd, address, begun, port=port)
        self._ready()

    def act(self, handler: Callable[[float], None]) -> None:
        """Call `handler` with the time, outside of a turn, and deliver what follows."""
        now = time.monotonic()
        handler(now)
        self.deliver(now)
        self._turn([], now)

    def look_again(self, sessions: Iterable[Session] | None = None) -> None:
        """Check these sessions (None: all) for bans and notices, in slices (`recheck_sessions`)."""
        self._loop.create_task(look(self, list(self.engine.sessions.values() if sessions is None else sessions)))

    def ban(self, id: int, refusal: bytes) -> None:
        """End session `id` with the closing error `refusal`."""
        session = self.engine.sessions.get(id)
        if session is not None:
            self.act(partial(self.engine.ban, session, refusal))

    def saved(self, id: int, url: str | None, delete: str, wait: float, chat: str = "") -> bool:
        """Pass the store's answer of a save (`Engine.saved`) to session `id`; False: it is not in this process."""
        session = self.engine.sessions.get(id)
        if session is None:
            return False
        self.engine.saved(session, url, delete, wait, chat)
        self.act(lambda _: self.output.news(session.conn))
        return True

    def change_late(self, seconds: float) -> None:
        """Set how late the loop may be before newcomers are refused (`OverloadGate.late`)."""
        self._crowding.late = seconds

    @property
    def crowded(self) -> bool:
        """Whether most newcomers are refused, because this process is overloaded."""
        return self._crowding.on

    def admits(self) -> bool:
        """Whether a newcomer is admitted (`OverloadGate.admits`)."""
        return self._crowding.admits()

    def admits_page(self) -> bool:
        """Whether a newcomer gets a page (`OverloadGate.admits_page`)."""
        return self._crowding.admits_page()

    def turn_away(self) -> int:
        """Count a refused newcomer that asks for something else than `/ws`. Return the seconds after which to retry."""
        return self._crowding.turn_away()

    def reported(self, identity: int, id: int, reporter: int) -> None:
        """Count a report by a user whose cookie is older than a day, of this identity or, without one (0), of session `id`."""
        session = None if identity else self.engine.sessions.get(id)
        person = identity if session is None else session.person
        if person:
            self.engine.friction.reported(person, reporter, time.monotonic())

    def lifted(self, case: bytes) -> None:
        """Remove the consequences of a case whose ban was lifted before its end."""
        self.engine.friction.lifted(case)

    def age(self, identity: int, stands: str, age: int) -> None:
        """Store the age state of a user, as another process sent it."""
        self.engine.ages.put(identity, stands, time.monotonic(), age)
        if stands == MINOR:
            self.look_again()

    def pictured(self, nonce: str, what: str) -> None:
        """Pass the result of a picture to the engine (`Engine.pictured`), and send what follows."""
        self.act(lambda now: self.engine.pictured(nonce, what, now))

    def change_pictures(self, mean: float, checked: bool) -> None:
        """Set the mean seconds between two looks, and whether pictures can be checked (`Engine.change_pictures`)."""
        self.engine.change_pictures(mean, checked)

    def _on_age(self, identity: int, stands: str, age: int) -> None:
        self._on_age_answer(identity, stands, age)
        if stands == MINOR:
            self.look_again()  # the user may have other sessions here

    # virtual connections: sessions of clients that speak another protocol (`WorkerPorts.on_frames`)

    def enter(self, alias: int, address: str, way: int = PROGRAM, port: int = 0) -> SessionView:
        """Open a virtual connection and its session. `alias`: the person for rule 7, 0: unknown; `way`, `port`: as `Engine.opened`.

        It gets no `hello`: its adapter resumes it by `return_to`.
        """
        conn = self.reactor.open_virtual(address)
        session = self.engine.opened(conn, self.ids(), 0, address, time.monotonic(), alias, way, port)
        self.reactor.adopt(conn, session)
        return session

    def return_to(self, id: int) -> int:
        """Open a new virtual connection for session `id`, whose own was dropped; `resume` resumes it. Return 0 if the session is over."""
        session = self.engine.sessions.get(id)
        if session is None:
            return 0
        conn = self.reactor.open_virtual(session.address)
        now = time.monotonic()
        fresh = self.engine.opened(
            conn, self.ids(), session.identity, session.address, now, session.alias, session.way, session.port
        )
        self.reactor.adopt(conn, fresh)
        return conn

    def resume(self, id: int, conn: int, last: int, chat: str) -> None:
        """Resume session `id` over `conn`; `last`: the number of the last message of `chat` that the client received."""
        session = self.engine.sessions[id]
        asked: dict[str, Any] = {
            "type": "resume",
            "token": self._tokens.seal(session.key, session.identity),
            "last": last,
        }
        if chat:
            asked["chat"] = chat
        self.inject(conn, orjson.dumps(asked))

    def inject(self, conn: int, payload: bytes) -> bool:
        """Handle a frame of a virtual connection's client, and what it causes. Return False if the connection accepts none."""
        if not self.reactor.inject(conn, payload):
            return False
        self._turn([], time.monotonic(), ANSWER)
        return True

    def pause(self, conn: int, on: bool) -> None:
        """Pause a virtual connection, whose adapter accepts no more frames, or continue it."""
        self.reactor.hold(conn, on)
        if not on:
            self._turn([], time.monotonic())

    def drop(self, id: int, conn: int, how: int) -> None:
        """Close the virtual connection of session `id`."""
        now = time.monotonic()
        self.reactor.drop(conn)
        session = self.engine.sessions.get(id)
        if session is not None:
            self.engine.lost(session, conn, how, now)
        self.deliver(now)
        self._turn([], now)

    def _turn(self, events: list[tuple[int, int, Any, Any]], now: float, rounds: int = 0) -> None:
        """Handle queued events, then `events`. If a turn was put off they only wait, unless `rounds` rounds are wanted at once."""
        self._events.extend(events)
        if self._put_off is None or rounds:
            self._tell_all(now, rounds)
        due = self.engine.due()
        if due is not None and due < self._timer_at:
            if self._timer is not None:
                self._timer.cancel()
            self._timer_at = due
            self._timer = self._loop.call_later(max(SOONEST, due - now), self._on_timer)
        self._on_turn()

    def _tell_all(self, now: float, rounds: int) -> None:
        """Handle the queue and what opened gates bring: first `rounds` rounds, then for TURN seconds; a new round begins within PACKED seconds."""
        queue, clock = self._events, time.monotonic
        take = queue.popleft
        begun = clock()
        while True:
            while queue:
                kind, conn, session, data = take()
                try:
                    self._tell(kind, conn, session, data, now)
                except Exception as fault:  # noqa: BLE001 - a bug costs this connection, not the others
                    self._fault(conn, None if kind >= UNTUNNELLED else session, fault, now)
                self._until_collection -= 1
                if self._until_collection == 0:
                    self._until_collection = EVENTS
                    collect_young()
                if rounds <= 0 and queue and clock() - begun >= TURN:
                    break
            else:
                more = self.reactor.settle(now, 0 if rounds > 0 else GATES)
                rounds -= 1
                if not more and not self.reactor.gates:
                    return
                queue.extend(more)
                if rounds > 0 or clock() - begun < PACKED:
                    continue
            self._put_off = self._put_off or self._loop.call_soon(self._go_on)
            return

    def _go_on(self) -> None:
        """Continue a turn that was put off; newer events are behind it in the queue."""
        self._put_off = None
        self._ready()

    def _tell(self, kind: int, conn: int, session: Session | None, data: Any, now: float) -> None:
        engine = self.engine
        if kind == FRAME:
            person = session
            if person is not None and person.conn == conn:
                engine.frame(person, data, now)
        elif kind == OPENED:
            address, cookie, way, port = data
            identity = self.identities.of(cookie)
            banned, refusal = self.find_ban(identity, address), None
            if banned is not None:
                refusal, case = banned
                engine.friction.barred(key_of(address), case, now)
            elif identity:
                refusal = engine.underage(identity, now)
            refusal = self.find_country_refusal(address) if refusal is None else refusal
            if refusal is not None:
                self.reactor.close(conn, FAULTS["banned"].close, refusal)
                return
            if self._crowding.on and not engine.returns(identity, address, now) and not self._crowding.admits():
                self.reactor.close(conn, FAULTS["busy"].close, error("busy", None, None, self._crowding.turn_away()))
                return
            self._greet(conn, engine.opened(conn, self.ids(), identity, address, now, 0, way, port))
        elif kind == FRAMES:
            self._on_frames(conn, data)
            return
        elif kind == LOST:
            if session is None:
                return
            if data == DROPPED and session.way & PROGRAM and conn in self.output.visitors:
                data = BROKEN  # a program's connection cannot come back: only the frontend of its host could, and it does not
            engine.lost(session, conn, data, now)
            self.output.visitors.pop(conn, None)
        elif kind == HTTP:
            self._on_http(conn, data, now)
            return
        elif kind == CONFIRMED:
            if session is None or session.conn != conn:
                return
            engine.confirmed(session, now)
        elif kind >= UNTUNNELLED:  # or RECORD, or HALVED
            self.tunnels.told(kind, conn, session, data)
            return
        self.deliver(now)

    def deliver(self, now: float) -> None:
        """Deliver the bus messages, and those that they cause, until the queue is empty."""
        inbox = self.bus.inbox
        while inbox:
            address, message = inbox.popleft()
            self.engine.deliver(address, message, now)

    def _fault(self, conn: int, session: Session | None, fault: Exception, now: float) -> None:
        logger.error("worker.fault", **log.described(fault))
        self.bus.inbox.clear()
        self.reactor.close(conn, FAULTS["internal"].close, error("internal"))
        if session is not None:
            self.engine.lost(session, conn, DROPPED, now)
            self.deliver(now)

    def _greet(self, conn: int, session: Session) -> None:
        self.reactor.adopt(conn, session)
        token = self._tokens.seal(session.key, session.identity)
        frame = hello(session.id.to_bytes(8).hex(), token, self.engine.people, self._grace, self.find_statement())
        self.reactor.send(conn, frame)
        service = self.find_service()
        if service is not None:
            self.reactor.send(conn, service)
        self.engine.notify(session)

    def _open_token(self, token: str, session: Session) -> int | None:
        return self._tokens.open(token, session.identity)

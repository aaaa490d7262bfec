"""The reactor: accepts, reads, parses, relays and sends for all connections of a worker, on one epoll set.

The event loop watches the set's descriptor and calls `drain`; what needs a decision comes back as one batch of events, in the order
in which it happened. When what they cause was done, `settle` opens the gates and sends; `tick`, once a second, is for time.
A call for a connection that is gone does nothing, and nobody is told.
"""
from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.errno cimport errno
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memset

from cython cimport no_gc_clear

from ext.accept.admission cimport Addresses
from ext.reactor.turn_end cimport gather
from ext.net.buffers cimport chunks_clear
from ext.net.carry_over cimport Carried, carried_by
from ext.net.connection cimport (
    B_BYTES, B_FRAMES, B_MESSAGES, B_REFUSALS, B_SIGNALS, BLOCKED, CONFIRM, FRESH, GATED, VIRTUAL, connection_named, connection_open, described,
    name, set_clock, tables_free, time_messages,
)
from ext.net.counters import NAMES as _NAMES

from ext.net.counters cimport *
from ext.reactor.descriptor_transfer cimport Doors
from ext.net.closing cimport reclaim, dismiss, free
from ext.reactor.admit cimport accept, bound_descriptors, leave_listener, watch_listener
from ext.net.frames cimport TEXT
from ext.accept.handshake cimport Judge
from ext.reactor.intake cimport foresee, open_gates, serve, stage_clear
from ext.net.output cimport frame
from ext.base.protocol cimport CODE_NO_CHAT, CODE_SLOW, CODE_TOO_FAST, SIDES, WATCHER
from ext.net.relay cimport SIGNAL_SLOW, SIGNAL_TAKEN, relay_message, relay_signal, relay_typing, replay, talks
from ext.net.ring cimport Ring, ring_attach, ring_detach, ring_refuse
from ext.net.tap cimport Tap
from ext.base.system cimport EPOLL_CLOEXEC, close, epoll_create1, epoll_event, epoll_wait
from ext.reactor.timeouts cimport expire
from ext.net.types cimport conn_t
from ext.reactor.virtual_connections cimport hold, inject, virtual_new
from ext.net.wheel cimport wheel_init

cdef enum:
    BATCH = 512               # ready sockets looked at before the engine is asked


@no_gc_clear  # what ends its connections needs the table of addresses
cdef class Reactor(Doors):
    """All sockets of one worker.

    `limits`: whether rate limits have verdicts; `messages`, `signals`, `frames`, `bytes_in`, `refusals`: (burst, a second) of a connection's buckets;
    `message_max`: payload bytes of a message; `connections_max`: sockets at once, beyond it newcomers are told 503; `idle`: seconds of silence after
    which it is pinged; `patience`: seconds for the answer; `wall`: unix time minus the clock that `now` is of; `descriptors`: how many the process
    may hold, of which newcomers do not get the last ones, 0: as many as it likes.
    """

    def __cinit__(
        self, *, judge: Judge, addresses: Addresses, now: float, wall: float = 0.0, limits: bool = True,
        message_max: int = 65536, connections_max: int = 1_000_000, idle: int = 25, patience: int = 20, descriptors: int = 0,
        messages=(100, 20), signals=(100, 20), frames=(250, 50), bytes_in=(1 << 20, 1 << 18), refusals=(1000, 20),
    ):
        memset(&self.io, 0, sizeof(self.io))
        self.io.epoll = self.io.listener = self.io.spare = -1  # before anything may fail: `__dealloc__` closes what is not -1
        if not 125 <= message_max <= 1 << 30 or connections_max < 1 or idle < 1 or patience < 1 or descriptors < 0:
            raise ValueError("message_max is 125 bytes to 1 GiB; connections_max, idle and patience are 1 or more, descriptors 0 or more")
        self.io.epoll = epoll_create1(EPOLL_CLOEXEC)
        if self.io.epoll < 0:
            raise OSError(errno, "epoll_create1")
        self.judge = judge
        self.addresses = addresses
        self.events = []
        self.io.message_max = message_max
        self.io.open_max = connections_max
        bound_descriptors(&self.io, min(descriptors, 0x7fffffff))
        self.io.idle = idle
        self.io.patience = patience
        self.io.limits = limits
        self.io.start = self.io.now = now
        self.io.wall = wall
        self.io.events.most = <uint32_t>-1
        for bucket, (burst, rate) in (
            (B_MESSAGES, messages), (B_FRAMES, frames), (B_BYTES, bytes_in), (B_REFUSALS, refusals), (B_SIGNALS, signals),
        ):
            self.io.bucket[<int>bucket].burst = burst
            self.io.bucket[<int>bucket].rate = rate
        wheel_init(&self.io.wheel, 0)

    def change_limits(self, messages, signals):  # typed in reactor.pyi: a tuple[float, float] here would become a struct of C
        """Other (burst, a second) of every connection's buckets; what a bucket holds above a smaller burst is spent at its next look."""
        for bucket, (burst, rate) in ((B_MESSAGES, messages), (B_SIGNALS, signals)):
            self.io.bucket[<int>bucket].burst = burst
            self.io.bucket[<int>bucket].rate = rate

    def __dealloc__(self):
        cdef uint32_t i
        for i in range(self.io.slot_count):
            if self.io.slots[i] != NULL:
                free(&self.io, self.io.slots[i])
        reclaim(&self.io, self.addresses)
        tables_free(&self.io)
        for fd in (self.io.spare, self.io.epoll):
            if fd >= 0:
                close(fd)

    @property
    def fd(self) -> int:
        """The epoll set's descriptor: readable when `drain` has work."""
        return self.io.epoll

    @property
    def online(self) -> int:
        """Open connections of people, virtual ones included."""
        return self.io.open

    @property
    def connections(self) -> int:
        """Sockets held: open ones, those whose head is being read, and those that close."""
        return self.io.slot_count - self.io.freed

    @property
    def newcomers(self) -> int:
        """Those of them that nobody has talked with: their request is to come, or it was refused and they are not gone yet."""
        return self.io.coming

    def counters(self) -> dict[str, int]:
        """Totals since the start, by the names of ext.net.counters."""
        return {name: self.io.count[i] for i, name in enumerate(_NAMES)}

    def times(self) -> dict[str, tuple[list[int], float]]:
        """Histograms over ext.net.counters.TIME_BOUNDS, (counts, sum in seconds): `relayed`, of each message from the moment its
        socket was ready until it was sent, and `turns`, from ready sockets to opened gates."""
        return {"relayed": times_read(&self.io.relayed), "turns": times_read(&self.io.turns)}

    def describe(self, number: int) -> str:
        """One line about a connection, for people who look for a fault: its state, flags, buffers, tokens and ring; no address, no text."""
        cdef conn_t *conn = connection_named(&self.io, number)
        return described(&self.io, conn) if conn != NULL else f"connection {number}: gone"

    def screen(self, tap: Tap | None) -> None:
        """From now on each line that is relayed goes there too; None: nowhere."""
        self.tap = tap
        self.io.tap = tap.tap if tap is not None else NULL

    def asked(self, chat: int, question: bytes) -> None:
        """A question goes to the tap as line 0 of its chat, said by who watches: before the chat is. `question`: as `Reactor.say` has a text."""
        if self.tap is not None:
            self.tap.put(chat, WATCHER, 0, self.io.wall + self.io.now, question)

    # newcomers

    def listen(self, fd: int) -> None:
        """Takes newcomers from the listening, non-blocking socket `fd`, which stays its owner's."""
        self.io.listener = fd
        if not watch_listener(&self.io):
            raise OSError(errno, "epoll_ctl")

    def put_off_newcomers(self) -> None:
        """From here on newcomers are told to come back; what is open goes on."""
        self.io.draining = True

    def refuse_newcomers(self) -> None:
        """Stops accepting; what is open goes on."""
        leave_listener(&self.io)
        self.io.listener = -1

    # turns

    def drain(self, now: float) -> list[tuple[int, int, object, object]]:
        """Does all that is ready, and returns what needs a decision. `now`: monotonic seconds."""
        cdef epoll_event ready[BATCH]
        cdef conn_t *conn
        cdef int i, n
        set_clock(&self.io, now)
        n = epoll_wait(self.io.epoll, ready, BATCH, 0)
        self.io.began = clock_now()
        self.io.count[C_TURNS] += 1
        self.io.count[C_READY] += max(n, 0)
        for i in range(n):
            foresee(ready, i, n)
            conn = <conn_t *>ready[i].data.ptr
            if conn == NULL:
                accept(&self.io, self.judge, self.addresses)
                continue
            serve(&self.io, conn, ready[i].events)
            if self.io.count[C_MESSAGES] != self.io.timed:
                time_messages(&self.io, clock_now())
        return self.collect()

    def settle(self, now: float) -> list[tuple[int, int, object, object]]:
        """Opens the gates, parses what stood behind them, sends what waits; returns what needs a decision now."""
        cdef uint64_t stop
        cdef list events
        set_clock(&self.io, now)
        if self.io.began == 0:
            self.io.began = clock_now()  # the engine acted by itself: nothing was ready
        open_gates(&self.io)
        events = self.collect()
        stop = clock_now()
        if self.io.count[C_MESSAGES] != self.io.timed:
            time_messages(&self.io, stop)
        if not events:
            times_add(&self.io.turns, stop - self.io.began, 1)
            self.io.began = 0
        return events

    def tick(self, now: float) -> list[tuple[int, int, object, object]]:
        """Once a second: time-outs, pings, pauses that end; returns what needs a decision."""
        set_clock(&self.io, now)
        self.io.began = clock_now()
        if self.io.listener >= 0 and not self.io.listening:
            watch_listener(&self.io)
        self.addresses.forget(now)
        expire(&self.io)
        stage_clear()
        chunks_clear()
        return self.collect()

    cdef list collect(self):
        cdef list events = self.events  # those of a collection that raised are still there
        gather(&self.io, self.judge, self.addresses, events)
        if not events:
            return []
        self.events = []
        self.io.count[C_BATCHES] += 1
        return events

    # what the engine wants done

    def adopt(self, number: int, owner: object, confirm: bool = False) -> None:
        """From now on events of this connection carry `owner`; with `confirm` the next text frame is told as CONFIRMED.

        Where the owner is a Carried its allowance goes over from the connection that carried it before.
        """
        cdef conn_t *conn = connection_open(&self.io, number)
        cdef PyObject *before
        if conn == NULL:
            return
        if isinstance(owner, Carried):
            carried_by(&self.io, <Carried>owner, conn)
        before = conn.owner
        Py_INCREF(owner)
        conn.owner = <PyObject *>owner
        if confirm:
            conn.flags |= CONFIRM
        if before != NULL:
            Py_DECREF(<object>before)

    def send(self, number: int, payload: bytes) -> None:
        """Queues a text frame."""
        cdef conn_t *conn = connection_open(&self.io, number)
        if conn != NULL:
            conn.flags &= ~FRESH
            frame(&self.io, conn, TEXT, payload, len(payload))

    def link(self, number: int, ring: Ring, side: int) -> None:
        """Installs the data path: side 0 or 1 of the chat talks, side 2 watches."""
        cdef conn_t *conn = connection_open(&self.io, number)
        if not 0 <= side < SIDES:
            raise ValueError("a side is 0, 1 or 2")
        if conn != NULL:
            ring_attach(ring.ring, side, conn)

    def unlink(self, number: int) -> None:
        """Takes the data path away."""
        cdef conn_t *conn = connection_open(&self.io, number)
        if conn != NULL:
            ring_detach(conn)

    def say(self, number: int, text: bytes, id: bytes | None) -> None:
        """Relays a message in another spelling. `text`, `id`: JSON strings without their quotes; the id is at most 384 bytes."""
        cdef conn_t *conn = connection_open(&self.io, number)
        if conn != NULL and talks(conn):
            relay_message(&self.io, conn, text, len(text), <const uint8_t *><const char *>id if id else NULL, len(id) if id else 0)

    def typing(self, number: int, typing: bool) -> None:
        """Relays a typing sign in another spelling."""
        cdef conn_t *conn = connection_open(&self.io, number)
        if conn != NULL and talks(conn):
            relay_typing(&self.io, conn, typing)

    def signal(self, number: int, payload: bytes) -> str:
        """Relays a checked `signal` frame: "". Else the code of the error: `no_chat`, `slow` (away, or full), `too_fast`."""
        cdef conn_t *conn = connection_open(&self.io, number)
        cdef const char *code = CODE_NO_CHAT
        cdef int verdict
        if conn != NULL and talks(conn):
            verdict = relay_signal(&self.io, conn, payload, len(payload))
            if verdict == SIGNAL_TAKEN:
                return ""
            code = CODE_SLOW if verdict == SIGNAL_SLOW else CODE_TOO_FAST
        return code.decode("ascii")

    def refuse(self, number: int) -> None:
        """Counts a refused `message` frame of the present chat."""
        cdef conn_t *conn = connection_open(&self.io, number)
        if conn != NULL and talks(conn):
            ring_refuse(conn.ring, conn.side)

    def replay(self, number: int, ring: Ring, side: int, after: int) -> None:
        """Queues what the others said behind number `after`."""
        cdef conn_t *conn = connection_open(&self.io, number)
        if conn != NULL:
            replay(&self.io, conn, ring.ring, side, after)

    def close(self, number: int, code: int, payload: bytes | None) -> None:
        """Ends a connection: a last text frame where given, then the close code. No LOST follows."""
        cdef conn_t *conn = connection_open(&self.io, number)
        if conn == NULL:
            return
        if payload is not None:
            frame(&self.io, conn, TEXT, payload, len(payload))
        dismiss(&self.io, conn, code)

    # virtual connections

    def open_virtual(self, address: str) -> int:
        """A connection without a socket, for whoever speaks for a client over another wire; open at once.

        It takes part like every other. What it is sent comes back as `(FRAMES, conn, owner, payloads)`: text frames, and
        the close code as a number. What its client says is injected. MemoryError where there is none.
        """
        cdef conn_t *conn = virtual_new(&self.io, address)
        if conn == NULL:
            raise MemoryError("no memory for another connection")
        return name(conn)

    def inject(self, number: int, payload: bytes) -> bool:
        """A text frame of a virtual connection's client, as if it came now; False where the connection is gone or its gate is shut."""
        cdef conn_t *conn = connection_open(&self.io, number)
        if conn == NULL or not conn.flags & VIRTUAL or conn.flags & GATED:
            return False
        inject(&self.io, conn, payload)
        return True

    def hold(self, number: int, on: bool) -> None:
        """The owner of a virtual connection takes no more frames (`on`), or takes it again: what a blocked socket is to others.

        Held for 20 s without a break, the connection is lost (protocol.md, rule 4).
        """
        cdef conn_t *conn = connection_open(&self.io, number)
        if conn != NULL and conn.flags & VIRTUAL and on != bool(conn.flags & BLOCKED):
            hold(&self.io, conn, on)

    def drop(self, number: int) -> None:
        """A virtual connection is gone, without a word to anybody: whoever drops it tells the engine."""
        cdef conn_t *conn = connection_open(&self.io, number)
        if conn != NULL and conn.flags & VIRTUAL:
            free(&self.io, conn)

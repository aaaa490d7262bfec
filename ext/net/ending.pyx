"""The table of connections: how one begins, and every way in which one ends.

A connection is named by a number that is never used twice (slot and serial), so that an effect for one that is gone does nothing.
What dies within a batch is buried at its end: the batch may still point at it.
"""
from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.errno cimport errno
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memset

from ext.net.admission cimport Addresses
from ext.net.connection cimport (
    BLOCKED, BROKEN, BUCKETS, CLOSING, COUNTED, DEAD, DIRTY, GATED, HEAD, LINGER, OPEN, PAUSED, VIRTUAL, conn_discard, conn_free, conn_new,
    conn_t, frame, watch,
)
from ext.net.counters import NAMES as _NAMES

from ext.net.counters cimport *
from ext.net.frames cimport CLOSE, TEXT, close_code_allowed
from ext.net.handshake cimport HEAD_SECONDS, Judge
from ext.net.ring cimport ring_release
from ext.net.utf8 cimport valid
from ext.net.wheel cimport wheel_arm, wheel_disarm, wheel_init

cdef extern from "<unistd.h>" nogil:
    int close(int fd)

cdef extern from "<sys/socket.h>" nogil:
    int shutdown(int fd, int how)
    int SHUT_WR

cdef extern from "<sys/epoll.h>" nogil:
    ctypedef union epoll_data_t:
        void *ptr
    struct epoll_event:
        uint32_t events
        epoll_data_t data
    int epoll_ctl(int epoll, int verb, int fd, epoll_event *event)
    int epoll_create1(int flags)
    int EPOLL_CLOEXEC, EPOLL_CTL_ADD
    uint32_t EPOLLIN

cdef enum:
    LINGER_SECONDS = 3        # for the other side to see the close before the socket goes

FLOOD_SECONDS = 10  # `retry_after` of a flood: long enough to hurt a script, short enough for a stuck key
cdef dict FAILURES = {
    1002: (b'protocol', b'This is not a WebSocket frame that the protocol allows.', C_CLOSE_PROTOCOL),
    1003: (b'binary', b'Only text frames are spoken here.', C_CLOSE_BINARY),
    1007: (b'encoding', b'A text frame is not UTF-8.', C_CLOSE_ENCODING),
    1009: (b'too_big', b'A frame or message is larger than 64 KiB.', C_CLOSE_TOO_BIG),
    4008: (b'flood', b'Too much, too fast. Come back later.', C_CLOSE_FLOOD),
}
cdef uint32_t serials = 0


cdef class Sockets:
    """All connections of one worker.

    `limits`: whether rate limits have verdicts; `messages`, `signals`, `frames`, `bytes_in`, `refusals`: (burst, a second) of a connection's buckets;
    `message_max`: payload bytes of a message; `connections_max`: sockets at once, beyond it newcomers are told 503; `idle`: seconds of silence after
    which it is pinged; `patience`: seconds for the answer; `wall`: unix time minus the clock that `now` is of; `echo`: each message is
    sent back with its opcode, at any path.
    """

    def __cinit__(
        self, *, judge: Judge, addresses: Addresses, now: float, wall: float = 0.0, limits: bool = True, echo: bool = False,
        message_max: int = 65536, connections_max: int = 1_000_000, idle: int = 25, patience: int = 20,
        messages=(100, 20), signals=(100, 20), frames=(250, 50), bytes_in=(1 << 20, 1 << 18), refusals=(1000, 20),
    ):
        memset(&self.io, 0, sizeof(self.io))
        self.io.epoll = self.listener = -1  # before anything may fail: `__dealloc__` closes what is not -1
        if not 125 <= message_max <= 1 << 30 or connections_max < 1 or idle < 1 or patience < 1:
            raise ValueError("message_max is 125 bytes to 1 GiB; connections_max, idle and patience are 1 or more")
        self.io.epoll = epoll_create1(EPOLL_CLOEXEC)
        if self.io.epoll < 0:
            raise OSError(errno, "epoll_create1")
        self.judge = judge
        self.addresses = addresses
        self.echo = echo
        self.message_max = message_max
        self.connections_max = connections_max
        self.idle_seconds = idle
        self.answer_seconds = patience
        self.io.limits = limits
        self.io.start = self.io.now = now
        self.io.wall = wall
        for i, (burst, rate) in enumerate((messages, frames, bytes_in, refusals, signals)):
            self.io.bucket[i].burst = burst
            self.io.bucket[i].rate = rate
        wheel_init(&self.io.wheel, 0)
        self.free_slots = []
        self.gated = []
        self.leaving = []
        self.events = []

    def __dealloc__(self):
        cdef uint32_t i
        for i in range(self.slot_count):
            if self.slots[i] != NULL:
                self.finish(self.slots[i])
        self.bury()
        free(self.slots)
        if self.io.epoll >= 0:
            close(self.io.epoll)

    @property
    def fd(self) -> int:
        """The epoll set's descriptor: readable when `drain` has work."""
        return self.io.epoll

    @property
    def online(self) -> int:
        """Open connections of people, virtual ones included."""
        return self.open

    @property
    def connections(self) -> int:
        """Sockets held: open ones, those whose head is being read, and those that close."""
        return self.slot_count - len(self.free_slots)

    def counters(self) -> dict[str, int]:
        """Totals since the start, by the names of ext.net.counters."""
        return {name: self.io.count[i] for i, name in enumerate(_NAMES)}

    def times(self) -> dict[str, tuple[list[int], float]]:
        """Histograms over ext.net.counters.TIME_BOUNDS, (counts, sum in seconds): `relayed`, of each message from the moment its
        socket was ready until it was sent, and `turns`, from ready sockets to opened gates."""
        return {"relayed": times_read(&self.io.relayed), "turns": times_read(&self.io.turns)}

    cdef conn_t *begin(self, int fd, str address) except? NULL:
        global serials
        cdef epoll_event event
        cdef conn_t *conn = conn_new()
        cdef conn_t **grown
        cdef uint32_t slot
        cdef int i
        if conn == NULL:
            return NULL
        if self.free_slots:
            slot = self.free_slots.pop()
        else:
            if self.slot_count == self.slot_room:
                slot = self.slot_room * 2 if self.slot_room else 1024
                grown = <conn_t **>realloc(self.slots, slot * sizeof(conn_t *))
                if grown == NULL:
                    conn_discard(conn)
                    return NULL
                self.slots = grown
                self.slot_room = slot
            slot = self.slot_count
            self.slot_count += 1
        serials += 1
        conn.fd = fd
        conn.slot = slot
        conn.generation = serials
        conn.state = HEAD
        conn.heard = conn.moved = self.io.second
        conn.stamp = self.io.now
        for i in range(BUCKETS):
            conn.tokens[i] = self.io.bucket[i].burst
        Py_INCREF(address)
        conn.of.address = <PyObject *>address
        self.slots[slot] = conn
        if fd < 0:
            return conn
        event.events = EPOLLIN
        event.data.ptr = conn
        if epoll_ctl(self.io.epoll, EPOLL_CTL_ADD, fd, &event) < 0:
            self.finish(conn)
            return NULL
        wheel_arm(&self.io.wheel, &conn.timer, HEAD_SECONDS)
        self.io.count[C_ACCEPTED] += 1
        return conn

    cdef conn_t *find(self, uint64_t number) noexcept:
        """The open connection of that name, or NULL."""
        cdef uint32_t slot = <uint32_t>number
        cdef conn_t *conn
        if slot >= self.slot_count:
            return NULL
        conn = self.slots[slot]
        return conn if conn != NULL and conn.generation == number >> 32 and conn.state == OPEN else NULL

    cdef void shut(self, conn_t *conn) noexcept:
        conn.flags |= GATED
        self.gated.append(name(conn))

    cdef void closing(self, conn_t *conn, int linger) noexcept:
        """From here on only what is queued still leaves."""
        if conn.state == OPEN:
            self.open -= 1
        detach(conn)
        conn.state = CLOSING
        if conn.flags & VIRTUAL:
            self.unblock(conn)
            linger = 0
        conn.flags = (conn.flags & ~(GATED | PAUSED)) | linger
        self.leaving.append(name(conn))
        watch(&self.io, conn)
        wheel_arm(&self.io.wheel, &conn.timer, LINGER_SECONDS)

    cdef void leave(self) noexcept:
        """Ends the closing connections whose output is gone; the others are looked at again when their socket takes more."""
        cdef list leaving = self.leaving
        cdef conn_t *conn
        self.leaving = []
        for number in leaving:
            conn = self.slots[<uint32_t>(<uint64_t>number)]
            if conn == NULL or conn.generation != <uint64_t>number >> 32 or conn.state != CLOSING or conn.out != NULL:
                continue
            if conn.flags & LINGER and not conn.flags & BROKEN:
                shutdown(conn.fd, SHUT_WR)
            else:
                self.finish(conn)

    cdef void unblock(self, conn_t *conn) noexcept:
        conn.flags &= ~BLOCKED
        wheel_disarm(&conn.timer)
        if conn.out != NULL and not conn.flags & DIRTY:
            conn.flags |= DIRTY
            conn.next = self.io.dirty
            self.io.dirty = conn

    cdef void finish(self, conn_t *conn) noexcept:
        """The socket goes, and all that the connection holds; its memory at the end of the batch."""
        if conn.state == DEAD:
            return
        if conn.state == OPEN:
            self.open -= 1
        detach(conn)
        if conn.fd >= 0:
            close(conn.fd)
        conn.fd = -1
        conn.state = DEAD
        wheel_disarm(&conn.timer)
        if conn.flags & COUNTED:
            self.addresses.leave(<object>conn.of.address, self.io.now)
        if conn.of.address != NULL:
            Py_DECREF(<object>conn.of.address)
        if conn.owner != NULL:
            Py_DECREF(<object>conn.owner)
            conn.owner = NULL
        self.slots[conn.slot] = NULL
        self.free_slots.append(conn.slot)
        conn.of.buried = self.graveyard
        self.graveyard = conn

    cdef void bury(self) noexcept:
        cdef conn_t *conn
        while self.graveyard != NULL:
            conn = self.graveyard
            self.graveyard = conn.of.buried
            conn_free(conn)

    cdef int lose(self, conn_t *conn, int how) except -1:
        """Says that an open connection is gone or going."""
        self.io.count[C_LEFT if how == H_LEFT else C_DROPPED] += 1
        self.events.append((K_LOST, name(conn), owner_of(conn), how))
        return 0

    cdef int fail(self, conn_t *conn, int code) except -1:
        """Ends a connection for what it sent: `error`, then the close code."""
        code_name, words, counter = FAILURES[code]
        self.io.count[<int>counter] += 1
        if not self.echo:
            more = b',"retry_after":%d' % FLOOD_SECONDS if code == 4008 else b""
            text = b'{"type":"error","code":"%s","message":"%s"%s}' % (code_name, words, more)
            frame(&self.io, conn, TEXT, text, len(text))
        self.say_close(conn, code)
        self.lose(conn, H_FLOODED if code == 4008 else H_BROKE)
        self.closing(conn, LINGER)
        return 0

    cdef void say_close(self, conn_t *conn, int code) noexcept:
        cdef uint8_t payload[2]
        payload[0] = <uint8_t>(code >> 8)
        payload[1] = <uint8_t>code
        frame(&self.io, conn, CLOSE, payload, 2)

    cdef int closed(self, conn_t *conn, uint8_t *payload, Py_ssize_t size) except -1:
        """The client's close frame (RFC 6455, 5.5.1): answered with its own code."""
        cdef int code = <int>payload[0] << 8 | payload[1] if size >= 2 else 1000
        if size == 1 or not close_code_allowed(code):
            return self.fail(conn, 1002)
        if size > 2 and not valid(payload + 2, size - 2):
            return self.fail(conn, 1007)
        self.io.count[C_CLIENT_NORMAL if code == 1000 else C_CLIENT_AWAY if code == 1001 else C_CLIENT_OTHER] += 1
        frame(&self.io, conn, CLOSE, payload, 2 if size else 0)
        self.lose(conn, H_LEFT if code == 1000 else H_DROPPED)
        self.closing(conn, 0)
        return 0

    cdef int gone(self, conn_t *conn, int counter) except -1:
        if conn.state == OPEN:
            self.io.count[counter] += 1
            self.lose(conn, H_DROPPED)
        elif conn.state == HEAD and conn.input != NULL:
            self.io.count[C_HEAD_LOST] += 1
        self.finish(conn)
        return 0

    cdef void clock(self, double now) noexcept:
        if now > self.io.now:
            self.io.now = now
            self.io.second = <uint32_t>(now - self.io.start)


cdef void detach(conn_t *conn) noexcept:
    """Takes a connection out of its chat; the ring goes with its last reference."""
    if conn.ring == NULL:
        return
    if conn.ring.party[conn.side] == conn:
        conn.ring.party[conn.side] = NULL
        if conn.side < 2:
            conn.ring.unsent[conn.side] = conn.ring.unsent_bytes[conn.side] = 0
    ring_release(conn.ring)
    conn.ring = NULL

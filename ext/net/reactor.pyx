"""The reactor: accepts, reads, parses, relays and sends for all connections of a worker, on one epoll set.

The event loop watches the set's descriptor and calls `drain`; what needs a decision comes back as one batch of events, in the order
in which it happened. When their effects were applied, `settle` opens the gates and sends; `tick`, once a second, is for time.
What a reactor is made of: the table of connections (sockets.pyx), reading (reader.pyx), effects (party.pyx), and the turns here.
"""
from libc.errno cimport EINTR, EMFILE, ENFILE, errno
from libc.stdint cimport uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free

from ext.net.connection cimport (
    B_BYTES, BLOCKED, CLOSING, DEAD, GATED, HEAD, PAUSED, PINGED, TAKE_SECONDS, VIRTUAL, buffer_t, bytes_of,
    conn_t, flush, flush_dirty, frame, pending, take, watch,
)
from ext.net.counters cimport *
from ext.net.frames cimport PING
from ext.net.handshake import answer as http_answer
from ext.net.party cimport Party
from ext.net.intake cimport OWN_BYTES
from ext.net.ring cimport ring_t
from ext.net.ending cimport name
from ext.net.wheel cimport timer_t, wheel_arm, wheel_due

cdef extern from *:
    void prefetch "__builtin_prefetch" (const void *address) noexcept nogil

cdef extern from "<unistd.h>" nogil:
    int close(int fd)

cdef extern from "<sys/socket.h>" nogil:
    struct sockaddr:
        pass
    struct sockaddr_storage:
        uint16_t ss_family
    ctypedef uint32_t socklen_t
    int accept4(int fd, sockaddr *address, socklen_t *size, int flags)
    int SOCK_NONBLOCK, SOCK_CLOEXEC, AF_INET, AF_INET6

cdef extern from "<netinet/in.h>" nogil:
    struct in_addr:
        pass
    struct in6_addr:
        pass
    struct sockaddr_in:
        in_addr sin_addr
    struct sockaddr_in6:
        in6_addr sin6_addr

cdef extern from "<arpa/inet.h>" nogil:
    const char *inet_ntop(int family, const void *address, char *text, socklen_t size)

cdef extern from "<sys/epoll.h>" nogil:
    ctypedef union epoll_data_t:
        void *ptr
    struct epoll_event:
        uint32_t events
        epoll_data_t data
    int epoll_ctl(int epoll, int verb, int fd, epoll_event *event)
    int epoll_wait(int epoll, epoll_event *events, int room, int timeout)
    int EPOLL_CTL_ADD, EPOLL_CTL_DEL
    uint32_t EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR

cdef enum:
    BATCH = 512               # ready sockets looked at before the engine is asked
    ACCEPTS = 64              # of one batch, so that a storm of newcomers does not starve those who talk

# kinds of events
OPENED, FRAME, LOST, CONFIRMED, HTTP, MAIL = range(6)
# how a connection was lost (protocol.md, rule 4)
LEFT, DROPPED, BROKE, FLOODED = range(4)


cdef class Reactor(Party):
    """All sockets of one worker; the options are those of `Sockets`."""

    def listen(self, fd: int) -> None:
        """Takes newcomers from the listening, non-blocking socket `fd`, which stays its owner's."""
        cdef epoll_event event
        event.events = EPOLLIN
        event.data.ptr = NULL
        if epoll_ctl(self.io.epoll, EPOLL_CTL_ADD, fd, &event) < 0:
            raise OSError(errno, "epoll_ctl")
        self.listener = fd
        self.listening = True

    def refuse_newcomers(self) -> None:
        """Stops accepting; what is open goes on."""
        if self.listening:
            epoll_ctl(self.io.epoll, EPOLL_CTL_DEL, self.listener, NULL)
        self.listening = False
        self.listener = -1

    cdef int accept(self) except -1:
        cdef sockaddr_storage peer
        cdef socklen_t size
        cdef char text[64]
        cdef int left = ACCEPTS, fd
        while left:
            left -= 1
            size = sizeof(peer)
            fd = accept4(self.listener, <sockaddr *>&peer, &size, SOCK_NONBLOCK | SOCK_CLOEXEC)
            if fd < 0:
                if errno == EMFILE or errno == ENFILE:
                    # no descriptor left: the queue of the kernel waits until the next second
                    epoll_ctl(self.io.epoll, EPOLL_CTL_DEL, self.listener, NULL)
                    self.listening = False
                elif errno == EINTR:
                    continue
                return 0
            text[0] = 0
            if peer.ss_family == AF_INET:
                inet_ntop(AF_INET, &(<sockaddr_in *>&peer).sin_addr, text, sizeof(text))
            elif peer.ss_family == AF_INET6:
                inet_ntop(AF_INET6, &(<sockaddr_in6 *>&peer).sin6_addr, text, sizeof(text))
            if self.begin(fd, text.decode("ascii")) == NULL:
                close(fd)
        return 0

    cdef list collect(self):
        cdef list events = self.events
        flush_dirty(&self.io)
        if self.io.mail != NULL:
            self.post()
        if self.leaving:
            self.leave()
        self.bury()
        if not events:
            return []
        self.events = []
        self.io.count[C_BATCHES] += 1
        return events

    def drain(self, now: float) -> list[tuple[int, int, object, object]]:
        """Does all that is ready, and returns what needs a decision. `now`: monotonic seconds."""
        cdef epoll_event ready[512]
        cdef conn_t *conn
        cdef int i, n
        self.clock(now)
        n = epoll_wait(self.io.epoll, ready, BATCH, 0)
        self.io.began = clock_now()
        self.io.count[C_TURNS] += 1
        self.io.count[C_READY] += max(n, 0)
        for i in range(n):
            foresee(ready, i, n)
            conn = <conn_t *>ready[i].data.ptr
            if conn == NULL:
                self.accept()
                continue
            if conn.state == DEAD:
                continue
            if ready[i].events & EPOLLOUT:
                flush(&self.io, conn)
                if conn.state == CLOSING:
                    self.leaving.append(name(conn))
            if ready[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR):
                self.readable(conn)
            flush_dirty(&self.io)
            if self.io.count[C_MESSAGES] != self.io.timed:
                self.time_messages(clock_now())
        return self.collect()

    cdef void time_messages(self, uint64_t now) noexcept:
        """What was relayed since the last look has been sent by now."""
        times_add(&self.io.relayed, now - self.io.began, self.io.count[C_MESSAGES] - self.io.timed)
        self.io.timed = self.io.count[C_MESSAGES]

    def settle(self, now: float) -> list[tuple[int, int, object, object]]:
        """Opens the gates, parses what stood behind them, sends what waits; returns what needs a decision now."""
        cdef conn_t *conn
        cdef list gated = self.gated
        cdef buffer_t *kept
        cdef Py_ssize_t used
        cdef uint64_t stop
        cdef list events
        self.clock(now)
        if self.io.began == 0:
            self.io.began = clock_now()  # the engine acted by itself: nothing was ready
        self.gated = []
        for number in gated:
            conn = self.find(number)
            if conn == NULL or not conn.flags & GATED:
                continue
            conn.flags &= ~GATED
            if conn.input != NULL and not conn.flags & PAUSED:
                kept = conn.input
                conn.input = NULL
                try:
                    used = self.consume(conn, bytes_of(kept), kept.end)
                    if conn.state != DEAD:
                        self.keep(conn, bytes_of(kept) + used, kept.end - used)
                finally:
                    free(kept)
        events = self.collect()
        stop = clock_now()
        if self.io.count[C_MESSAGES] != self.io.timed:
            self.time_messages(stop)
        if not events:
            times_add(&self.io.turns, stop - self.io.began, 1)
            self.io.began = 0
        return events

    def tick(self, now: float) -> list[tuple[int, int, object, object]]:
        """Once a second: time-outs, pings, pauses that end; returns what needs a decision."""
        cdef timer_t *timer
        cdef epoll_event event
        self.clock(now)
        self.io.began = clock_now()
        if self.listener >= 0 and not self.listening:
            event.events = EPOLLIN
            event.data.ptr = NULL
            self.listening = epoll_ctl(self.io.epoll, EPOLL_CTL_ADD, self.listener, &event) == 0
        self.addresses.forget(now)
        while True:
            timer = wheel_due(&self.io.wheel, self.io.second)
            if timer == NULL:
                break
            self.expire(<conn_t *>timer)
        return self.collect()

    cdef int expire(self, conn_t *conn) except -1:
        cdef uint32_t second = self.io.second, wait
        if conn.state == HEAD:
            return self.dismiss(conn, C_HEAD_SLOW, http_answer(408, "The request head did not come within 10 seconds."))
        if conn.state == CLOSING:
            self.finish(conn)
            return 0
        if conn.flags & PAUSED and not (conn.flags & BLOCKED and pending(conn) > OWN_BYTES):
            take(&self.io, conn, B_BYTES, 0)
            conn.flags &= ~PAUSED
            watch(&self.io, conn)
            if conn.input != NULL:
                self.shut(conn)  # what was read before the pause is parsed in the turn that follows
        wait = self.idle_seconds
        if conn.flags & BLOCKED:
            if second - conn.moved >= TAKE_SECONDS:
                return self.gone(conn, C_UNTAKEN)
            wait = min(wait, TAKE_SECONDS - (second - conn.moved))
        if conn.flags & VIRTUAL:
            if conn.flags & BLOCKED:
                wheel_arm(&self.io.wheel, &conn.timer, wait)
            return 0
        if conn.flags & PINGED:
            if second - conn.heard >= self.idle_seconds + self.answer_seconds:
                return self.gone(conn, C_UNANSWERED)
            wait = min(wait, self.idle_seconds + self.answer_seconds - (second - conn.heard))
        elif second - conn.heard >= self.idle_seconds:
            self.io.count[C_PINGS] += 1
            conn.flags |= PINGED
            conn.heard = second - self.idle_seconds  # after a long sleep of ours, patience begins now
            frame(&self.io, conn, PING, NULL, 0)
            wait = min(wait, self.answer_seconds)
        else:
            wait = min(wait, self.idle_seconds - (second - conn.heard))
        wheel_arm(&self.io.wheel, &conn.timer, 1 if conn.flags & PAUSED else wait)
        return 0


cdef inline void foresee(epoll_event *ready, int i, int n) noexcept nogil:
    """Fetches what the next reads will touch: each stands in memory that the kernel's work has driven out of the cache."""
    cdef conn_t *conn
    cdef conn_t *partner
    cdef ring_t *ring
    if i + 4 < n and ready[i + 4].data.ptr != NULL:
        conn = <conn_t *>ready[i + 4].data.ptr
        prefetch(conn)
    if i + 3 < n and ready[i + 3].data.ptr != NULL:
        conn = <conn_t *>ready[i + 3].data.ptr
        prefetch(conn.ring)  # a fetch of NULL does nothing
    if i + 2 < n and ready[i + 2].data.ptr != NULL:
        conn = <conn_t *>ready[i + 2].data.ptr
        ring = conn.ring
        if ring != NULL and conn.side < 2:
            partner = <conn_t *>ring.party[1 - conn.side]
            prefetch(partner)
            prefetch(&partner.out)
            if ring.data != NULL:
                prefetch(ring.data + ((ring.start + ring.used) & (ring.size - 1)))

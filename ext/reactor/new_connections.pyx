"""Accept new connections and check their request heads: open a WebSocket, hand the connection over to the HTTP server, or refuse it."""
from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.errno cimport EINTR, EMFILE, ENFILE, ENOBUFS, ENOMEM, errno
from libc.stdint cimport uint8_t, uint32_t
from libc.stdlib cimport rand

from ext.accept.ip_address_codec cimport spell4
from ext.accept.address_limits cimport key_of
from ext.net.byte_buffers cimport buffer_free, bytes_of, held_by
from ext.base.check cimport CHECK
from ext.net.connection_table cimport COMING, COUNTED, FRESH, GATED, HEAD, OPEN, connection_new, name, shut
from ext.net.counters cimport *
from ext.net.connection_end cimport CLIENT_NONE, free, linger, lose, say_close, uncount
from ext.accept.handshake cimport HEAD_MAX, HEAD_SECONDS, Verdict, answer, limited
from ext.net.output cimport fault, raw
from ext.base.protocol cimport (
    CLOSE_BUSY, CLOSE_RESTART, CODE_BUSY, CODE_RESTART, EVENT_HTTP, EVENT_OPENED, FULL_AFTER_LEAST, FULL_AFTER_MOST, WORDS_BUSY, WORDS_RESTART,
)
from ext.base.system cimport (
    AF_INET, AF_INET6, EPOLL_CLOEXEC, EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLLIN, MSG_DONTWAIT, MSG_NOSIGNAL, SHUT_WR, SOCK_CLOEXEC, SOCK_NONBLOCK,
    accept4, close, epoll_create1, epoll_ctl, epoll_event, getpeername, inet_ntop, ntohs, recv, send, shutdown, sockaddr, sockaddr_in, sockaddr_in6,
    sockaddr_storage, socklen_t,
)
from ext.net.wheel cimport wheel_arm

cdef enum:
    ACCEPTS = 64              # per batch, so that a storm of newcomers does not starve open connections
    STOPS_FOR = 5             # retry after, in seconds, while the server stops
    BACK = 16                 # one part of `connections_max`, in addition to it, for returning users
    HURRY_SECONDS = 2         # for the head of a newcomer that can only be refused
    KEPT_MAX = 64             # descriptors that newcomers do not get: files of the store, metrics scrapes, the log
    TOLD_MAX = 256            # those below them, for newcomers until they have read that the server is full

cdef dict REFUSED = {"host": C_HEAD_HOST, "origin": C_HEAD_ORIGIN, "version": C_HEAD_VERSION, "bad": C_HEAD_BAD}
cdef bytes SLOW = answer(408, "The request head did not come within 10 seconds.")
cdef bytes LARGE = answer(431, "The request head is larger than 16 KiB.")
cdef tuple FULL = tuple([
    answer(503, "This server is full. Try again in a moment.", b"Retry-After: %d\r\n" % seconds)
    for seconds in range(FULL_AFTER_LEAST, FULL_AFTER_MOST + 1)
])  # at random, so that refused clients do not all return at once
cdef bytes STOPPING = answer(503, "This server is stopping. Try again in a moment.", b"Retry-After: %d\r\n" % STOPS_FOR)


cdef inline int random_delay() noexcept nogil:
    """Return a random index of FULL."""
    return rand() % (FULL_AFTER_MOST - FULL_AFTER_LEAST + 1)


cdef void bound_descriptors(io_t *io, int limit) noexcept nogil:
    """Reserve the last part of `limit`, the process's descriptor limit, so that newcomers do not get it; 0: there is no limit."""
    cdef int kept = min(KEPT_MAX, limit // 16), told = min(TOLD_MAX, limit // 16)
    io.shut_from = limit - kept if limit else 0x7fffffff
    io.busy_from = io.shut_from - told


cdef bint watch_listener(io_t *io) noexcept nogil:
    """Start to accept newcomers; False if epoll refuses."""
    cdef epoll_event event
    event.events = EPOLLIN
    event.data.ptr = NULL
    io.listening = epoll_ctl(io.epoll, EPOLL_CTL_ADD, io.listener, &event) == 0
    if io.spare < 0:
        io.spare = epoll_create1(EPOLL_CLOEXEC)  # any descriptor will do
    return io.listening


cdef void leave_listener(io_t *io) noexcept nogil:
    """Stop to accept newcomers, which wait in the kernel's queue."""
    if io.listening:
        epoll_ctl(io.epoll, EPOLL_CTL_DEL, io.listener, NULL)
    io.listening = False


cdef void accept(io_t *io, Judge judge, Addresses addresses) noexcept:
    """Accept waiting newcomers, a bounded number of them."""
    cdef char text[64]
    cdef int left = ACCEPTS, fd
    while left:
        left -= 1
        fd = accepted(io.listener, text, sizeof(text))
        if fd >= 0:
            begin_newcomer(io, judge, addresses, fd, text)
        elif errno == EMFILE or errno == ENFILE:
            if not refuse_without_descriptor(io):
                leave_listener(io)  # until the next second
                return
        elif errno == ENOBUFS or errno == ENOMEM:
            io.count[C_HEAD_SHORT] += 1
            leave_listener(io)
            return
        elif errno != EINTR:
            return


cdef void begin_newcomer(io_t *io, Judge judge, Addresses addresses, int fd, const char *text) noexcept:
    """Begin a connection on a newcomer's socket from the address `text`. Trusted proxies are not counted: they carry many users."""
    cdef conn_t *conn
    cdef str address, key
    if fd >= io.shut_from:
        refuse_early(io, fd, C_HEAD_SHORT, <bytes>FULL[random_delay()])
        return
    try:
        address = text.decode("ascii")
        key = None if judge.trusts(address) else key_of(address)
        if key is not None and not addresses.arrive(key, io.now):
            refuse_early(io, fd, C_HEAD_LIMITED, limited(HEAD_SECONDS))
            return
    except BaseException:  # no memory: only this newcomer is affected
        close(fd)
        io.count[C_HEAD_SHORT] += 1
        return
    conn = begin(io, fd, address)
    if conn == NULL:
        io.count[C_HEAD_SHORT] += 1
        if key is not None:
            addresses.settle(key, io.now)
        return
    io.coming += 1
    conn.flags |= COMING if key is None else COMING | COUNTED


cdef int count_newcomer(io_t *io, Judge judge, Addresses addresses, conn_t *conn) except -1:
    """Count a newcomer that another process accepted as one of this process. If that raises, it is dropped."""
    cdef str address = <str>conn.address
    io.coming += 1
    conn.flags |= COMING
    try:
        if not judge.trusts(address) and addresses.arrive(key_of(address), io.now):
            conn.flags |= COUNTED
    except BaseException:
        free(io, conn)
        raise
    return 0


cdef bint refuse_without_descriptor(io_t *io) noexcept:
    """Refuse a newcomer by the reserve descriptor when no other is left. False if that fails, or another process accepted it."""
    cdef int fd
    if io.spare < 0:
        io.count[C_HEAD_SHORT] += 1
        return False
    close(io.spare)
    fd = accept4(io.listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)
    if fd >= 0:
        refuse_early(io, fd, C_HEAD_SHORT, <bytes>FULL[random_delay()])
    io.spare = epoll_create1(EPOLL_CLOEXEC)
    return fd >= 0 and io.spare >= 0


cdef void refuse_early(io_t *io, int fd, int counter, bytes words) noexcept:
    """Refuse a newcomer before its head arrives, and close. Its input is read first: otherwise the kernel would discard the answer."""
    cdef char unread[4096]
    cdef int reads = 4
    io.count[counter] += 1
    send(fd, <const char *>words, len(words), MSG_NOSIGNAL | MSG_DONTWAIT)
    shutdown(fd, SHUT_WR)
    while reads and recv(fd, unread, sizeof(unread), MSG_DONTWAIT) > 0:
        reads -= 1
    close(fd)


cdef int accepted(int listener, char *text, socklen_t room) noexcept nogil:
    """Accept a socket and write its address as text; -1 and errno if no connection waits."""
    cdef sockaddr_storage peer
    cdef socklen_t size = sizeof(peer)
    cdef int fd = accept4(listener, <sockaddr *>&peer, &size, SOCK_NONBLOCK | SOCK_CLOEXEC)
    text[0] = 0
    if fd < 0:
        return fd
    if peer.ss_family == AF_INET:
        spell4(<const uint8_t *>&(<sockaddr_in *>&peer).sin_addr, text)
    elif peer.ss_family == AF_INET6:
        inet_ntop(AF_INET6, &(<sockaddr_in6 *>&peer).sin6_addr, text, room)
    return fd


cdef int port_of(int fd) noexcept nogil:
    """Return the port at the other end of a TCP connection, or 0."""
    cdef sockaddr_storage peer
    cdef socklen_t size = sizeof(peer)
    if getpeername(fd, <sockaddr *>&peer, &size) < 0:
        return 0
    if peer.ss_family == AF_INET:
        return ntohs((<sockaddr_in *>&peer).sin_port)
    return ntohs((<sockaddr_in6 *>&peer).sin6_port) if peer.ss_family == AF_INET6 else 0


cdef conn_t *begin(io_t *io, int fd, str address) noexcept:
    """Begin a connection in state HEAD on socket `fd`, which belongs to this reactor; NULL (and `fd` closed) if that fails."""
    cdef epoll_event event
    cdef conn_t *conn = connection_new(io, fd)
    if conn == NULL:
        close(fd)
        return NULL
    Py_INCREF(address)
    conn.address = <PyObject *>address
    event.events = EPOLLIN
    event.data.ptr = conn
    if epoll_ctl(io.epoll, EPOLL_CTL_ADD, fd, &event) < 0:
        free(io, conn)
        return NULL
    wheel_arm(&io.wheel, &conn.timer, HEAD_SECONDS if fd < io.busy_from else HURRY_SECONDS)
    io.count[C_ACCEPTED] += 1
    return conn


cdef tuple enter(io_t *io, Judge judge, Addresses addresses, conn_t *conn, uint32_t size):
    """Check the head of `size` bytes at the beginning of the connection's input. Return the event for the engine, or None.

    Size 0: it did not arrive in time; more than HEAD_MAX: it is too large.
    """
    cdef Verdict verdict
    cdef bint short = conn.fd >= io.busy_from
    cdef str key, own
    CHECK(conn.state == HEAD and (size == 0 or size > HEAD_MAX or size <= held_by(conn.input)))
    if size == 0:
        return refuse(io, conn, C_HEAD_SLOW, <bytes>FULL[random_delay()] if short else SLOW)
    if size > HEAD_MAX:
        return refuse(io, conn, C_HEAD_LARGE, LARGE)
    verdict = judge.judge(PyBytes_FromStringAndSize(<char *>bytes_of(conn.input), size), <str>conn.address)
    if verdict.status != 0 and verdict.status != 101:
        return refuse(io, conn, <int>REFUSED[verdict.reason], verdict.answer)
    if io.draining or (short or verdict.status == 101 and io.open + io.tunnels >= io.open_max) and not has_reserved_room(io, addresses, verdict):
        return ask_to_retry(io, conn, verdict, C_HEAD_SHORT if short else C_HEAD_BUSY)
    if verdict.status == 0:
        return hand_over(io, addresses, conn)
    key = key_of(verdict.address)
    own = addresses.visitor_key(key, verdict.identity, io.now)
    if addresses.enter(own, io.now):
        return admit(io, addresses, conn, verdict, own, size)
    if own is key or not addresses.enter(key, io.now):
        return refuse(io, conn, C_HEAD_LIMITED, limited(addresses.wait(key, io.now)))
    return admit(io, addresses, conn, verdict, key, size)


cdef bint has_reserved_room(io_t *io, Addresses addresses, Verdict verdict) except -1:
    """Whether a user returns whose connection dropped a moment ago: a full server has some reserved room for them."""
    if verdict.status != 101 or io.open + io.tunnels >= io.open_max + io.open_max // BACK + 1:
        return False
    return addresses.returns(verdict.identity, verdict.address, io.now)


cdef tuple admit(io_t *io, Addresses addresses, conn_t *conn, Verdict verdict, str key, uint32_t size):
    """Open the connection, with its gate shut until the engine has greeted it; reply and greeting are one `send`."""
    cdef int port = verdict.port
    if port < 0:
        port = <int>conn.held or port_of(conn.fd)
    conn.held = 0
    uncount(io, addresses, conn)
    key = addresses.stored_key(key)
    Py_INCREF(key)
    Py_DECREF(<object>conn.address)
    conn.address = <PyObject *>key
    conn.flags = conn.flags & ~GATED | COUNTED
    conn.state = OPEN
    io.open += 1
    io.count[C_OPENED] += 1
    conn.input.start += size
    if held_by(conn.input) == 0:
        buffer_free(conn.input)
        conn.input = NULL
    if not shut(io, conn):
        lose(io, conn, CLIENT_NONE)
        return None
    conn.flags |= FRESH
    raw(io, conn, verdict.answer, len(verdict.answer))
    wheel_arm(&io.wheel, &conn.timer, io.idle)
    if io.echo:
        return None
    return EVENT_OPENED, name(conn), None, (
        key if key == verdict.address else verdict.address, verdict.identity, verdict.way, port,
    )


cdef tuple hand_over(io_t *io, Addresses addresses, conn_t *conn):
    """Hand the socket and the bytes read over to the HTTP server."""
    cdef bytes begun = PyBytes_FromStringAndSize(<char *>bytes_of(conn.input), held_by(conn.input))
    cdef tuple told = (EVENT_HTTP, conn.fd, None, begun)
    uncount(io, addresses, conn)
    epoll_ctl(io.epoll, EPOLL_CTL_DEL, conn.fd, NULL)
    conn.fd = -1  # it belongs to the event from here on
    io.count[C_HANDED] += 1
    free(io, conn)
    return told


cdef tuple ask_to_retry(io_t *io, conn_t *conn, Verdict verdict, int counter):
    """Ask a newcomer to come back later: by an HTTP response, or for a WebSocket by a close code, which is all that a page can see."""
    if verdict.status != 101:
        return refuse(io, conn, counter, STOPPING if io.draining else <bytes>FULL[random_delay()])
    refuse(io, conn, counter, verdict.answer)
    if io.draining:
        fault(io, conn, CODE_RESTART, WORDS_RESTART, NULL, NULL, 0, STOPS_FOR)
    else:
        fault(io, conn, CODE_BUSY, WORDS_BUSY, NULL, NULL, 0, FULL_AFTER_LEAST + random_delay())
    say_close(io, conn, CLOSE_RESTART if io.draining else CLOSE_BUSY)
    return None


cdef tuple refuse(io_t *io, conn_t *conn, int counter, bytes text):
    io.count[counter] += 1
    buffer_free(conn.input)
    conn.input = NULL
    linger(io, conn, True)
    raw(io, conn, text, len(text))
    return None

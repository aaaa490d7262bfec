"""The way in: a head is judged, and its connection opened, handed over to whoever speaks HTTP, or refused."""
from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.errno cimport EINTR, EMFILE, ENFILE, errno
from libc.stdint cimport uint32_t

from ext.net.admission cimport key_of
from ext.net.buffers cimport buffer_free, bytes_of, held_by
from ext.net.check cimport CHECK
from ext.net.connection cimport COUNTED, GATED, HEAD, OPEN, connection_new, name, shut
from ext.net.counters cimport *
from ext.net.ending cimport CLIENT_NONE, free, linger, lose
from ext.net.handshake cimport HEAD_MAX, HEAD_SECONDS, Verdict, answer
from ext.net.output cimport raw
from ext.net.protocol cimport EVENT_HTTP, EVENT_OPENED
from ext.net.sys cimport (
    AF_INET, AF_INET6, EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLLIN, SOCK_CLOEXEC, SOCK_NONBLOCK, accept4, close, epoll_ctl, epoll_event, inet_ntop,
    sockaddr, sockaddr_in, sockaddr_in6, sockaddr_storage, socklen_t,
)
from ext.net.wheel cimport wheel_arm

cdef enum:
    ACCEPTS = 64              # of one batch, so that a storm of newcomers does not starve those who talk

cdef dict REFUSED = {"host": C_HEAD_HOST, "origin": C_HEAD_ORIGIN, "version": C_HEAD_VERSION, "bad": C_HEAD_BAD}
cdef bytes SLOW = answer(408, "The request head did not come within 10 seconds.")
cdef bytes LARGE = answer(431, "The request head is larger than 16 KiB.")
cdef bytes FULL = answer(503, "This server is full. Try again in a moment.", b"Retry-After: 5\r\n")
cdef bytes LIMITED = answer(429, "Too many connections come from your network.", b"Retry-After: 60\r\n")


cdef bint watch_listener(io_t *io) noexcept nogil:
    """Newcomers are taken from now on; False where epoll says no."""
    cdef epoll_event event
    event.events = EPOLLIN
    event.data.ptr = NULL
    io.listening = epoll_ctl(io.epoll, EPOLL_CTL_ADD, io.listener, &event) == 0
    return io.listening


cdef void leave_listener(io_t *io) noexcept nogil:
    """Newcomers wait in the kernel's queue."""
    if io.listening:
        epoll_ctl(io.epoll, EPOLL_CTL_DEL, io.listener, NULL)
    io.listening = False


cdef void accept(io_t *io) noexcept:
    """Takes the newcomers that wait, a bounded number of them."""
    cdef char text[64]
    cdef int left = ACCEPTS, fd
    while left:
        left -= 1
        fd = accepted(io.listener, text, sizeof(text))
        if fd >= 0:
            begin(io, fd, text.decode("ascii"))
        elif errno == EMFILE or errno == ENFILE:
            leave_listener(io)  # no descriptor left: until the next second
            return
        elif errno != EINTR:
            return


cdef int accepted(int listener, char *text, socklen_t room) noexcept nogil:
    """A newcomer's socket, and its address as text; -1 and errno where there is none."""
    cdef sockaddr_storage peer
    cdef socklen_t size = sizeof(peer)
    cdef int fd = accept4(listener, <sockaddr *>&peer, &size, SOCK_NONBLOCK | SOCK_CLOEXEC)
    text[0] = 0
    if fd < 0:
        return fd
    if peer.ss_family == AF_INET:
        inet_ntop(AF_INET, &(<sockaddr_in *>&peer).sin_addr, text, room)
    elif peer.ss_family == AF_INET6:
        inet_ntop(AF_INET6, &(<sockaddr_in6 *>&peer).sin6_addr, text, room)
    return fd


cdef conn_t *begin(io_t *io, int fd, str address) noexcept:
    """A connection on socket `fd`, which is ours from here on, whose head is to come; NULL (and `fd` closed) where that cannot be."""
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
    wheel_arm(&io.wheel, &conn.timer, HEAD_SECONDS)
    io.count[C_ACCEPTED] += 1
    return conn


cdef tuple enter(io_t *io, Judge judge, Addresses addresses, conn_t *conn, uint32_t size):
    """Judges the head of `size` bytes that begins the connection's input; the event to be told, None where there is none.

    A size of 0: it did not come in time; more than HEAD_MAX: it is too large.
    """
    cdef Verdict verdict
    cdef str key
    CHECK(conn.state == HEAD and (size == 0 or size > HEAD_MAX or size <= held_by(conn.input)))
    if size == 0:
        return refuse(io, conn, C_HEAD_SLOW, SLOW)
    if size > HEAD_MAX:
        return refuse(io, conn, C_HEAD_LARGE, LARGE)
    verdict = judge.judge(PyBytes_FromStringAndSize(<char *>bytes_of(conn.input), size), <str>conn.address)
    if verdict.status == 0:
        return hand_over(io, conn)
    if verdict.status != 101:
        return refuse(io, conn, <int>REFUSED[verdict.reason], verdict.answer)
    if io.open >= io.open_max:
        return refuse(io, conn, C_HEAD_BUSY, FULL)
    key = key_of(verdict.address)
    if not addresses.enter(key, io.now):
        return refuse(io, conn, C_HEAD_LIMITED, LIMITED)
    return admit(io, addresses, conn, verdict, key, size)


cdef tuple admit(io_t *io, Addresses addresses, conn_t *conn, Verdict verdict, str key, uint32_t size):
    """The connection is open, and its gate shut until the engine has greeted it."""
    key = addresses.shared(key)
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
    raw(io, conn, verdict.answer, len(verdict.answer))
    wheel_arm(&io.wheel, &conn.timer, io.idle)
    if io.echo:
        return None
    return EVENT_OPENED, name(conn), None, (key if key == verdict.address else verdict.address, verdict.identity)


cdef tuple hand_over(io_t *io, conn_t *conn):
    """Gives the socket, with what was read, to whoever speaks HTTP."""
    cdef int fd = conn.fd
    cdef bytes begun = PyBytes_FromStringAndSize(<char *>bytes_of(conn.input), held_by(conn.input))
    epoll_ctl(io.epoll, EPOLL_CTL_DEL, fd, NULL)
    conn.fd = -1
    io.count[C_HANDED] += 1
    free(io, conn)
    return EVENT_HTTP, fd, None, begun


cdef tuple refuse(io_t *io, conn_t *conn, int counter, bytes text):
    io.count[counter] += 1
    buffer_free(conn.input)
    conn.input = NULL
    linger(io, conn, True)
    raw(io, conn, text, len(text))
    return None

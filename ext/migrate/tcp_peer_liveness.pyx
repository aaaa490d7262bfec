"""Check whether the peer of a TCP connection between two hosts is alive, by when the kernel last received a packet from the peer.

**Invariant:** a peer that acknowledges packets is alive, however slowly it reads.
"""

# A time limit after which the kernel gives up (TCP_USER_TIMEOUT) would end a connection whose reader is slow. While nothing is in flight, keep-alive
# probes do this check.

from libc.stdint cimport uint8_t, uint32_t

from ext.base.system cimport socklen_t

cdef extern from "<netinet/in.h>" nogil:
    int IPPROTO_TCP

cdef extern from "<netinet/tcp.h>" nogil:
    int TCP_INFO
    struct tcp_info:
        uint8_t tcpi_retransmits
        uint8_t tcpi_probes
        uint32_t tcpi_unacked
        uint32_t tcpi_last_ack_recv

cdef extern from "<sys/ioctl.h>" nogil:
    int ioctl(int fd, unsigned long request, int *value)
    unsigned long TIOCOUTQ

cdef extern from "<sys/socket.h>" nogil:
    int getsockopt(int fd, int level, int option, void *value, socklen_t *size)

cdef enum:
    SILENT_MS = 2000     # without a segment of the peer
    TRIES = 3            # unanswered: takes over a second at the kernel's shortest waits


cdef int peer_state(int fd) noexcept nogil:
    """Return PEER_IDLE, PEER_BUSY or PEER_GONE; a socket that is not TCP counts as idle."""
    cdef tcp_info info
    cdef socklen_t size = sizeof(info)
    cdef int waits = 0
    if ioctl(fd, TIOCOUTQ, &waits) < 0 or waits == 0 or getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0:
        return PEER_IDLE
    if info.tcpi_last_ack_recv < SILENT_MS:
        return PEER_BUSY
    if info.tcpi_unacked and info.tcpi_retransmits >= TRIES or info.tcpi_probes >= TRIES:
        return PEER_GONE
    return PEER_BUSY

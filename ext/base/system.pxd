"""Declare the functions of the kernel, the C library and the compiler that ext uses, each once."""
from libc.stdint cimport uint16_t, uint32_t, uint64_t

cdef extern from * nogil:
    int SEQ_CST "__ATOMIC_SEQ_CST"
    uint32_t load32 "__atomic_load_n"(const uint32_t *at, int order)
    uint64_t load64 "__atomic_load_n"(const uint64_t *at, int order)
    void store32 "__atomic_store_n"(uint32_t *at, uint32_t value, int order)
    void store64 "__atomic_store_n"(uint64_t *at, uint64_t value, int order)
    uint32_t swap32 "__atomic_exchange_n"(uint32_t *at, uint32_t value, int order)
    bint swap64 "__atomic_compare_exchange_n"(uint64_t *at, uint64_t *expected, uint64_t wanted, bint weak, int order, int otherwise)

cdef extern from "<stdlib.h>" nogil:
    void *aligned_alloc(size_t alignment, size_t size)

cdef extern from "<string.h>" nogil:
    void *memmem(const void *haystack, size_t n, const void *needle, size_t m)
    void explicit_bzero(void *memory, size_t size)

cdef extern from "<time.h>" nogil:
    ctypedef long time_t
    struct timespec:
        time_t tv_sec
        long tv_nsec
    int clock_gettime(int clock, timespec *time)
    int nanosleep(const timespec *time, timespec *left)
    int CLOCK_MONOTONIC

cdef extern from "<unistd.h>" nogil:
    int close(int fd)

cdef extern from "<sys/socket.h>" nogil:
    struct sockaddr:
        pass
    struct sockaddr_storage:
        uint16_t ss_family
    ctypedef uint32_t socklen_t
    int getpeername(int fd, sockaddr *address, socklen_t *size)
    int accept4(int fd, sockaddr *address, socklen_t *size, int flags)
    ssize_t recv(int fd, void *data, size_t size, int flags)
    ssize_t send(int fd, const void *data, size_t size, int flags)
    int shutdown(int fd, int how)
    int SOCK_NONBLOCK, SOCK_CLOEXEC, AF_INET, AF_INET6
    int MSG_NOSIGNAL, MSG_DONTWAIT
    int SHUT_WR

cdef extern from "<netinet/in.h>" nogil:
    struct in_addr:
        pass
    struct in6_addr:
        pass
    struct sockaddr_in:
        in_addr sin_addr
        unsigned short sin_port
    struct sockaddr_in6:
        in6_addr sin6_addr
        unsigned short sin6_port
    unsigned short ntohs(unsigned short port) nogil

cdef extern from "<arpa/inet.h>" nogil:
    int inet_pton(int family, const char *text, void *address)
    const char *inet_ntop(int family, const void *address, char *text, socklen_t size)

cdef extern from "<sys/epoll.h>" nogil:
    ctypedef union epoll_data_t:
        void *ptr
    struct epoll_event:
        uint32_t events
        epoll_data_t data
    int epoll_create1(int flags)
    int epoll_ctl(int epoll, int verb, int fd, epoll_event *event)
    int epoll_wait(int epoll, epoll_event *events, int room, int timeout)
    int EPOLL_CLOEXEC
    int EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLL_CTL_DEL
    uint32_t EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR

cdef extern from *:
    """
    #ifdef __SANITIZE_ADDRESS__
    #define SERENDIP_SANITIZED 1
    #else
    #define SERENDIP_SANITIZED 0
    #endif
    #define prefetch_to_write(address) __builtin_prefetch((address), 1)
    """
    const bint SERENDIP_SANITIZED  # whether the address sanitizer watches: then each object is an allocation of its own
    void prefetch "__builtin_prefetch" (const void *address) noexcept nogil
    void prefetch_to_write(const void *address) noexcept nogil

"""Declare the connection limits per IP address (address_limits.pyx)."""
from libc.stdint cimport uint64_t

from ext.accept.address_table cimport AddressTable, pace_t

cdef class Entry:
    cdef public int open
    cdef public int coming
    cdef public double tokens
    cdef public double stamp
    cdef bint idle       # whether it is in the queue of entries that expire
    cdef str key         # one object that all connections of this key share
    cdef Entry wide      # entry of the surrounding /48 or /24; None: this is such a network
    cdef int within      # number of entries inside this network
    cdef int share       # multiple of one address's limits
    cdef int slot        # index in the host's table; NOWHERE: this process has no count there
    cdef uint64_t hashed  # hash of `key` in the host's table

cdef class Addresses:
    cdef dict entries
    cdef object idle
    cdef int open_max
    cdef int coming_max
    cdef double burst
    cdef double rate
    cdef bint limits
    cdef AddressTable host   # counts of all processes of the host; None: there is one process
    cdef int column      # column of this process in it
    cdef public object known  # recognises returning visitors (`server.realtime.worker.known_client_cookies`); None: they are not recognised
    cdef readonly uint64_t alone  # counts that found no room in the host's table
    cdef Entry entry(self, str key, double now)
    cdef int queue_idle(self, Entry entry, double now) except -1
    cdef int arrive(self, str key, double now) except -1
    cdef int settle(self, str key, double now) except -1
    cpdef bint enter(self, str key, double now)
    cdef void count(self, Entry entry, int open, int coming, double now) noexcept
    cdef void publish(self, Entry entry, double now) noexcept
    cdef bint host_accepts(self, Entry entry, bint coming, double now) noexcept
    cdef bint fits(self, Entry entry, bint coming) noexcept
    cdef bint full(self, Entry entry) noexcept
    cdef void remove_from_host(self, Entry entry, double now) noexcept
    cdef bint take_tokens(self, Entry entry, double now) noexcept
    cdef pace_t pace(self, Entry entry) noexcept
    cdef Entry entry_of(self, str key, double now)
    cdef int refill(self, Entry entry, double now) except -1
    cdef bint spent(self, Entry entry) except -1
    cdef bint crowded(self, Entry entry) except -1
    cdef int refused(self, str key, double now) except -2
    cdef int token_wait(self, Entry entry, double now) except -1
    cdef double token_lack(self, Entry entry, double now) noexcept
    cdef int delete_inside(self, Entry wide, double now) except -1
    cpdef int refusal(self, str address, bytes cookie, double now)
    cpdef int wait(self, str key, double now)
    cpdef str moved(self, str key, double now)
    cdef str visitor_key(self, str key, bytes cookie, double now)
    cdef bint returns(self, bytes cookie, str address, double now) except -1
    cdef str stored_key(self, str key)
    cpdef void leave(self, str key, double now)
    cpdef void forget(self, double now)

cpdef str key_of(str address)
cpdef str wide_of(str key)
cpdef int share_of(str network)

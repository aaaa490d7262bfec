"""Newcomers, open connections and new ones an address. Rule: see admission.pyx."""
from libc.stdint cimport uint64_t

from ext.accept.census cimport Census, pace_t

cdef class Entry:
    cdef public int open
    cdef public int coming
    cdef public double tokens
    cdef public double stamp
    cdef bint idle       # whether it stands in the queue of those to be forgotten
    cdef str key         # the one object that all connections from here share
    cdef Entry wide      # of the /48 or /24 around; None: this is one
    cdef int within      # entries that this is around
    cdef int share       # how many times what an address may
    cdef int slot        # of the host's table, where this process counts; NOWHERE: it does not
    cdef uint64_t hashed  # what it is called there

cdef class Addresses:
    cdef dict entries
    cdef object idle
    cdef int open_max
    cdef int coming_max
    cdef double burst
    cdef double rate
    cdef bint limits
    cdef Census census   # what all processes of the host have; None: this is the only one
    cdef int column      # and which of them this is
    cdef public object known  # who was here before (`server.realtime.worker.returning_visitors`); None: nobody is asked
    cdef readonly uint64_t alone  # counts for which that table had no room
    cdef Entry entry(self, str key, double now)
    cdef int rest(self, Entry entry, double now) except -1
    cdef int arrive(self, str key, double now) except -1
    cdef int settle(self, str key, double now) except -1
    cpdef bint enter(self, str key, double now)
    cdef void count(self, Entry entry, int open, int coming, double now) noexcept
    cdef void tell(self, Entry entry, double now) noexcept
    cdef bint agreed(self, Entry entry, bint coming, double now) noexcept
    cdef bint fits(self, Entry entry, bint coming) noexcept
    cdef bint full(self, Entry entry) noexcept
    cdef void forgotten(self, Entry entry, double now) noexcept
    cdef bint paid(self, Entry entry, double now) noexcept
    cdef pace_t pace(self, Entry entry) noexcept
    cdef Entry made(self, str key, double now)
    cdef int refill(self, Entry entry, double now) except -1
    cdef bint spent(self, Entry entry) except -1
    cdef bint crowded(self, Entry entry) except -1
    cdef int lacks(self, Entry entry, double now) except -1
    cdef int let_go(self, Entry wide, double now) except -1
    cpdef int wait(self, str key, double now)
    cpdef str moved(self, str key, double now)
    cdef str own(self, str key, bytes cookie, double now)
    cdef bint returns(self, bytes cookie, str address, double now) except -1
    cdef str shared(self, str key)
    cpdef void leave(self, str key, double now)
    cpdef void forget(self, double now)

cpdef str key_of(str address)
cpdef str wide_of(str key)
cpdef int share_of(str network)

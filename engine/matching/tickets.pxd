from libc.stdint cimport uint8_t, uint64_t

from engine.matching.thresholds cimport Arrivals
from ext.match.interner cimport Ids

cdef class Family:
    cdef public Room any
    cdef public int open, waiting
    cdef public list sizes
    cpdef list fullest(self, int most, Room besides)
    cpdef move(self, Room room, int size, int to)

cdef class Room:
    cdef public object pool
    cdef public int number
    cdef public Family family
    cdef public Arrivals arrivals
    cdef public int waiting, size
    cdef public list members
    cdef public double pairs_at, emptied
    cdef public bint listed

cdef class Waiter:
    cdef public uint64_t client, number, worker
    cdef public Ids ids

cdef class Ticket(Waiter):
    cdef public object pool, interests, calls
    cdef public uint64_t person
    cdef public tuple recent, blocked, also, halves
    cdef public Room _room
    cdef public double since, _due, _step
    cdef public uint64_t _handle
    # what is narrower stands together
    cdef public int place, _slot
    cdef public bint strict
    cdef public short home
    cdef public uint8_t _fallen, _level
    cpdef fill(self, uint64_t client, pool, bint strict, uint64_t person, tuple recent, double since, tuple blocked, tuple also)
    cpdef tuple progress(self)
    cpdef set_progress(self, int level, step, int fallen)

cdef class Match:
    cdef public uint64_t a, b
    cdef public tuple common
    cdef public double weight, waited_a, waited_b
    cdef public str rule

cdef class Step:
    cdef public uint64_t client
    cdef public str accepts
    cdef public object widens
    cdef public bint others

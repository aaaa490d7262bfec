from engine.matching.thresholds cimport Arrivals

cdef class Family:
    cdef public Room any
    cdef public int open, waiting
    cdef public list sizes
    cpdef list fullest(self, int most, Room besides)
    cpdef move(self, Room room, int size, int to)

cdef class Room:
    cdef public object pool, number
    cdef public Family family
    cdef public Arrivals arrivals
    cdef public int waiting
    cdef public dict members
    cdef public bint fresh

cdef class Ticket:
    cdef public object client, pool, interests
    cdef public bint strict
    cdef public object person
    cdef public tuple recent, blocked, also
    cdef public int place
    cdef public double since
    cdef public object _handle
    cdef public int _level, _fallen
    cdef public object _due, _step
    cdef public Room _room

cdef class Match:
    cdef public object a, b
    cdef public tuple common
    cdef public double weight, waited_a, waited_b
    cdef public str rule

cdef class Step:
    cdef public object client
    cdef public str accepts
    cdef public object widens
    cdef public bint others

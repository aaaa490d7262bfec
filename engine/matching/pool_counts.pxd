from engine.matching.tickets cimport Room

cimport cython

cdef class PoolRooms:
    cdef object _number
    cdef readonly dict _rooms, _families
    cdef readonly object _empty
    cdef double _first
    cdef list _spare
    cpdef Room of(self, pool, double now)
    cpdef Room find(self, pool)

    @cython.locals(count=int)
    cpdef enter(self, Room room)

    @cython.locals(count=int)
    cpdef leave(self, Room room, double now)
    cpdef double due(self) except? -2.0

    @cython.locals(room=Room, since=double)
    cpdef expire(self, double now)
    cdef Room _open(self, pool, double now)

    @cython.locals(oldest=Room)
    cdef _rest(self, Room room, double now)
    cdef _unlist(self, Room room)
    cdef _close(self, Room room)

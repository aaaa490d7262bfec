from engine.core.chat cimport Seat

cdef class Begin:
    cdef public object serial
    cdef public Seat seat
    cdef public tuple common
    cdef public str language, college
    cdef public bint offer
    cpdef fill(self, serial, Seat seat, tuple common, str language, str college, bint offer)

cdef class Ended:
    cdef public str chat
    cdef public int side
    cdef public str by

cdef class Moved:
    cdef public str chat
    cdef public int side
    cdef public double until

cdef class Held:
    cdef public str chat
    cdef public int side
    cdef public double until

cdef class Replaced:
    cdef public str chat
    cdef public int side
    cdef public object address

cdef class Reacted:
    cdef public str chat
    cdef public int side
    cdef public object seq
    cdef public str face

cdef class OpenerPaused:
    cdef public str chat
    cdef public int side
    cdef public double until

cdef class WantsAgain:
    cdef public str chat
    cdef public int side

cdef class PicturesAllowed:
    cdef public str chat
    cdef public int side
    cdef public bint allow

cdef class PictureSent:
    cdef public str chat
    cdef public object sent

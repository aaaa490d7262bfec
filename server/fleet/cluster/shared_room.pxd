from engine.rooms.hub cimport Hub
from engine.rooms.hub_outbox cimport Outbox

cimport cython

cdef class SharedRoom:
    cdef readonly Hub hub
    cdef readonly str owner, node
    cdef readonly object epoch, tally, say, ready, hide, _thresholds, _life, _tell, _tell_records, _here
    cdef readonly dict _figures, _mine, _guests, _outs, _ins
    cdef readonly set _there
    cdef object _begun

    cpdef records(self, number, bytes data, double now)

    @cython.locals(outbox=Outbox)
    cpdef flush(self, double now)

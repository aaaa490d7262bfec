cimport cython

from engine.matching.tickets cimport Ticket

cpdef bytes pack(batch)


@cython.locals(at=Py_ssize_t)
cpdef list unpack(bytes data)
cpdef tuple unpack_row(bytes data, Py_ssize_t at)
cpdef bint is_ticket(bytes data, Py_ssize_t at)


@cython.locals(ticket=Ticket, step=double, age=double)
cpdef tuple unpack_ticket(bytes data, Py_ssize_t at, double now)
cdef bytes _pack_other(list row)
cdef bytes _pack_ticket(list row)
cdef tuple _ticket_row(bytes data, Py_ssize_t at)
cdef tuple _read_pools(bytes text, further)
cdef bytes _pack_step(list row)
cdef bytes _pack_meeting(list row)
cdef tuple _meeting_row(bytes data, Py_ssize_t at)
cdef bytes _pack_done(list row)
cdef tuple _done_row(bytes data, Py_ssize_t at)
cdef _time(double seconds)

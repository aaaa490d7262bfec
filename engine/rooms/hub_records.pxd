cimport cython

from engine.matching.tickets cimport Ticket
from ext.match.room_records cimport RecordReader, RecordWriter

cdef dict _pools


@cython.locals(writer=RecordWriter, row=list)
cpdef bytes pack(batch)


@cython.locals(kind=str)
cpdef pack_row(RecordWriter writer, list row)


@cython.locals(reader=RecordReader)
cpdef list unpack(bytes data)
cpdef list read_row(RecordReader reader)


@cython.locals(ticket=Ticket, step=double, barred=tuple)
cpdef Ticket read_ticket(RecordReader reader, double now)
cdef _pack_ticket(RecordWriter writer, list row)


@cython.locals(found=tuple)
cdef tuple _read_pools(bytes text, int further)
cdef _pack_step(RecordWriter writer, list row)
cdef _pack_meeting(RecordWriter writer, list row)
cdef _pack_going(RecordWriter writer, list going)
cdef list _meeting_row(RecordReader reader)
cdef _time(double seconds)

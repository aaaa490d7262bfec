from libc.stdint cimport uint64_t

from engine.matching.tickets cimport Match, Step, Waiter
from engine.rooms.hub_records cimport pack_row
from ext.match.room_records cimport RecordWriter

cimport cython

cdef class Outbox:
    cdef readonly int rows
    cdef list _messages
    cdef RecordWriter _writer

    cpdef add(self, list row)

    @cython.locals(widens=object)
    cpdef step(self, uint64_t number, Step step, int level, double at, int fallen)
    cpdef meet(self, uint64_t id, list who, found, list words)
    cpdef go(self, Waiter waiter, uint64_t to, uint64_t id, list who, found, list words)
    cpdef list take(self)
    cpdef list take_rows(self)
    cdef _make_room(self)

    @cython.locals(writer=RecordWriter, one=Waiter, pair=Match, spies=bint, weight=double, rule=int, first=double, second=double)
    cdef _meet(self, Waiter goes, uint64_t to, uint64_t id, list who, found, list words)

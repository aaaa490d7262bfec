cimport cython

from engine.matching.tickets cimport Match, Ticket

cpdef number_in(row, client)


@cython.locals(pair=Match)
cpdef list meet_row(id, list who, found, words)
cpdef list ticket_row(ticket, number, words, status, double now)
cpdef tuple read_ticket(list row, double now)
cdef _pool(fields)
cdef _member(fields)

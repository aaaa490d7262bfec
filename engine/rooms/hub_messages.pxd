cimport cython

from engine.matching.tickets cimport Ticket


cpdef number_in(row, client)

cpdef list ticket_row(ticket, number, words, status, double now)


@cython.locals(ticket=Ticket)
cpdef tuple read_ticket(list row, double now)
cdef _pool(fields)
cdef _member(fields)

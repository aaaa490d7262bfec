from engine.core.session cimport Query, Session
from engine.matching.search_criteria cimport Terms
from engine.matching.tickets cimport Ticket

cpdef bint has_row(Session session)
cpdef list write_row(Session session, Query query, list words, Ticket ticket, double now)
cpdef tuple read_row(id, key, used, list row, double now)
cpdef list words_of(list row)
cdef _below(value, limit)
cdef _number(value)
cdef double _seconds(value) except? -1
cdef str _text(value)
cdef tuple _numbers(values)
cdef list _written_terms(Terms terms)

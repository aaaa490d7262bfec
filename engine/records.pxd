from engine.chat cimport Chat, Seat
from engine.session cimport Query, Session

cpdef dict write_session(Session session, double now)
cpdef Session read_session(record, double now)
cpdef dict write_seat(Seat seat, double now)
cpdef Seat read_seat(record, Chat chat, double now)
cpdef tuple write_chat(Chat chat, double now, list blobs)
cpdef Chat read_chat(record, list blobs, rings, double now)
cpdef dict write_query(Query query, list words, ticket, double now)
cpdef tuple read_query(record, Session session, double now)
cpdef read_terms(record)
cdef dict _written_terms(terms)
cpdef check_person(record, list blobs)
cpdef check_chat(record)

from engine.core.chat cimport Chat, Seat
from engine.core.session cimport Query, Session
from engine.matching.search_criteria cimport Terms

cpdef dict write_keys(Session session)
cpdef dict write_session(Session session, double now)
cpdef Session read_session(dict record, double now)
cpdef dict write_seat(Seat seat, double now)
cpdef Seat read_seat(dict record, Chat chat, double now)
cpdef tuple write_chat(Chat chat, double now, list blobs)
cpdef Chat read_chat(dict record, list blobs, rings, double now)
cpdef dict write_query(Query query, list words, ticket, double now)
cpdef tuple read_query(dict record, Session session, double now)
cpdef Terms read_terms(dict record)
cdef Terms _as_terms(dict record)
cdef dict _written_terms(Terms terms)
cpdef int check_person(dict record, list blobs) except -1
cpdef int check_chat(record) except -1

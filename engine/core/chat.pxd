cdef class Attached:
    cdef public dict faces
    cdef public object album

cdef class Chat:
    cdef public object id, ring, question
    cdef public str language
    cdef public double began
    cdef public int acted, lifted
    cdef public bint video, relay
    cdef public tuple people, colleges
    cdef public dict found
    cdef public object looks
    cdef public Attached attached
    cpdef fill(self, id, ring, double began, bint video, bint relay, question, tuple people, tuple colleges)

cdef class Seat:
    cdef public Chat chat
    cdef public int side, tips
    cdef public tuple others, persons, over
    cdef public bint lasting
    cdef public dict away, held, paused
    cdef public bytes inside
    cdef public double ended, reacted
    cdef public object reported
    cpdef fill(self, Chat chat, int side, tuple others, tuple persons, bint lasting)

cpdef str name_of_chat(unsigned long long number)

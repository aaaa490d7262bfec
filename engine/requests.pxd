cdef class Find:
    cdef public bint video
    cdef public list interests
    cdef public str language
    cdef public bint strict
    cdef public str role, question
    cdef public bint share
    cdef public str college, proof
    cdef public bint relay, adult
    cdef public str writes
    cdef public tuple avoid
    cdef public bint snaps

cdef list _interests(value)
cdef str _primary(value)

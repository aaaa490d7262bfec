cimport cython

cdef int _INTEREST_RAW_MAX, _INTERESTS_MAX

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
    cdef public bint snaps, pictures, keep
    cdef public tuple pairs
    cdef public int call
    cpdef fill(self, bint video, str role, str college)

cpdef parse(bytes payload)
cdef _request(dict body)


@cython.locals(find=Find, left=Py_ssize_t)
cdef Find _find(dict body)
cdef _seldom(Find find, dict body)
cdef bint _flag(dict body, str name, str of, default=*) except *
cdef str _string(dict body, str name, str of, Py_ssize_t most, default=*)


@cython.locals(left=Py_ssize_t)
cdef list _interests(value)


@cython.locals(size=Py_ssize_t)
cdef Py_ssize_t _weighed(word, Py_ssize_t left) except *
cdef str _primary(value, str name)

from ext.match.interner cimport Interner

cdef class Vocabulary:
    cdef public Interner _interner
    cdef public object _spellings
    cdef public dict _known
    cpdef intern(self, words)
    cpdef Py_ssize_t different(self) except -1
    cpdef bint spelled(self, ids, words) except -1
    cpdef words(self, ids)
    cpdef release(self, ids)

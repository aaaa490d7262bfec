cdef class Vocabulary:
    cdef public object _interner, _spellings
    cpdef intern(self, words)
    cpdef words(self, ids)
    cpdef release(self, ids)

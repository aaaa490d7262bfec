cimport cython


@cython.locals(text=str)
cpdef str normal(str word)


@cython.locals(text=str)
cpdef str fold(str word)
cpdef str shown(str text)


@cython.locals(folded=str)
cpdef str skeleton(str text)

cdef class SpellingCache:
    cdef readonly dict known
    cdef Py_ssize_t _most
    cdef object _normal

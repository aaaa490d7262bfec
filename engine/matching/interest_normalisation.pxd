cimport cython


@cython.locals(text=str)
cpdef str normal(str word)


@cython.locals(text=str)
cpdef str fold(str word)


@cython.locals(runs=list, begin=Py_ssize_t, at=Py_ssize_t, char=Py_UCS4)
cpdef str shown(str text)
cdef bint is_filler(Py_UCS4 char) noexcept


@cython.locals(folded=str)
cpdef str skeleton(str text)


@cython.locals(runs=list, begin=Py_ssize_t, at=Py_ssize_t, char=Py_UCS4)
cpdef str replace_characters(str text, dict table)

cdef class SpellingCache:
    cdef readonly dict known
    cdef dict _older
    cdef Py_ssize_t _most
    cdef object _normal

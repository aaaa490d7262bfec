# Statements of age: each number of a line is compared with every template.
cimport cython


cdef class AgeClaims:
    cdef dict _templates
    cdef dict _units

    cpdef object find(self, str line)

    @cython.locals(at=Py_ssize_t)
    cdef object _around(self, str line, Py_ssize_t begin, Py_ssize_t end)

    @cython.locals(before=str, behind=str, first=Py_ssize_t, joined=bint)
    cdef object _matched(self, str line, Py_ssize_t begin, Py_ssize_t end, list templates)

    @cython.locals(unit=str, size=Py_ssize_t, end=Py_ssize_t)
    cdef bint _measures(self, str line, Py_ssize_t at) except -1

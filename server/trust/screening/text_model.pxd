# What is done for each character and feature of a line.
cimport cython
from libc.stdint cimport int8_t, int64_t, uint32_t, uint64_t


cdef class TextModel:
    cdef readonly tuple classes
    cdef Py_ssize_t _count
    cdef int8_t[::1] _weights
    cdef uint64_t _mask
    cdef uint32_t[::1] _buckets
    cdef int64_t[::1] _sums

    cpdef object features(self, str text)

    @cython.locals(size=Py_ssize_t, root=double, place=Py_ssize_t)
    cpdef list scores(self, str text)
    cpdef list find(self, str text)
    cpdef list explain(self, str text, str name)

    @cython.locals(place=Py_ssize_t, at=Py_ssize_t, row=Py_ssize_t)
    cdef object _add(self, Py_ssize_t size)

    @cython.locals(codes=cython.uint[::1], size=Py_ssize_t, count=Py_ssize_t, begin=Py_ssize_t, key=uint64_t,
                   least=Py_ssize_t, at=Py_ssize_t, code=uint64_t, before=uint64_t, earlier=uint64_t, pair=uint64_t)
    cdef Py_ssize_t _hash(self, str text) except -1

    @cython.locals(last=uint32_t, again=Py_ssize_t, at=Py_ssize_t, code=uint32_t)
    cdef object _codes(self, str text)

# What is done for each line.
cimport cython


cdef class TextModel:
    cdef readonly tuple classes
    cdef readonly object classifier

    cpdef list features(self, str text)
    cpdef list scores(self, str text)

    @cython.locals(place=Py_ssize_t)
    cpdef list find(self, str text)
    cpdef list explain(self, str text, str name)

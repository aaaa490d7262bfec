cimport cython

cdef class Histogram:
    cdef public tuple bounds
    cdef public list counts
    cdef public double total

    @cython.locals(bound=double, place=Py_ssize_t)
    cpdef add(self, double value)

cdef class EngineHistograms:
    cdef public dict waits
    cdef public Histogram common, chats, solved

    @cython.locals(waits=Histogram)
    cpdef matched(self, bint video, double waited_a, double waited_b, Py_ssize_t common)

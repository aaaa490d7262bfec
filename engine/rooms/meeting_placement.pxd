cimport cython

cdef class Placement:
    cdef readonly dict people
    cdef readonly set leaving
    cdef set _fixed
    cdef dict _free, _numbers, _places, _homes, _failed, _cut
    cdef readonly bint apart
    cpdef int place(self, worker) except? -1
    cpdef int home(self, worker) except? -1
    cpdef due(self)
    cpdef where(self, list homes)
    cdef _of_fixed(self, list homes, list fixed)
    cdef list _of_one_host(self, list homes)
    cdef _mean(self, host)

    @cython.locals(fewest=long, there=long)
    cdef _emptiest(self, list workers)
    cdef _opened(self)
    cdef _put(self)

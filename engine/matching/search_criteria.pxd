cimport cython

cdef class Terms:
    cdef readonly str language, role
    cdef readonly bint video, strict, relay, share
    cdef readonly str college
    cdef readonly bint same
    cdef readonly str writes, told
    cdef readonly object pool
    cdef readonly tuple also


@cython.locals(known=dict)
cpdef Terms shared(tuple fields)

cimport cython


@cython.locals(tenths=int, known=dict)
cpdef bytes waiting(str accepts, widens, bint others)


@cython.locals(exact=double, tenths=int)
cdef int _tenths(double seconds) except -1
cpdef bytes hello(str session, str token, int online, grace, statement=*)


@cython.locals(ends=dict, end=bytes, words=bytes)
cpdef bytes usual(str chat, common, str language, int side)
cpdef bytes matched(bytes inside)
cpdef bytes left(str by, side)

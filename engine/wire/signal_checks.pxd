cpdef dict checked(dict body)
cpdef bint answers(dict body) except -1
cdef dict _described(dict part)
cdef dict _candidate(dict part)

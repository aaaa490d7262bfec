from libc.stdint cimport int64_t

cpdef list chat_ids(ended)
cdef int64_t _milliseconds(double when) except *
cpdef double ended_at(bytes chat)
cpdef bytes bound(double when)
cpdef day_of(double when)

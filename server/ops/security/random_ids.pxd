cdef class Ids:
    cdef public list _page

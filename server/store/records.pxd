cdef class Batch:
    cdef public int size
    cdef public list chats, parties

cdef class Records:
    cdef readonly object _pseudonyms, _countries, _missing
    cdef dict _cache
    cpdef add(self, Batch batch, chats)
    cdef tuple _derive(self, epoch, identity, address)
    cpdef forget(self)

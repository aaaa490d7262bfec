cimport cython
from libc.stdint cimport int64_t

cdef class Known:
    cdef readonly int64_t epoch
    cdef readonly str address
    cdef readonly object who, where, mac, country

cdef class Batch:
    cdef public int size
    cdef public int64_t last, epoch
    cdef public dict chats
    cdef public list pairs, parties
    cdef public set days
    cpdef list values(self)

cdef set _epochs(chats)

cdef class Records:
    cdef readonly object _pseudonyms, _countries, _missing
    cdef dict _cache, _places
    cpdef add(self, Batch batch, chats)
    cdef _rows(self, Batch batch, chat, str mode, str how, double started, double ended, parties)
    cdef Known _known(self, int64_t epoch, identity, str address)
    cdef Known _held(self, key)

    @cython.locals(person=Known, there=Known, known=Known, place=str)
    cdef Known _derive(self, int64_t epoch, identity, str address)
    cdef Known _compute(self, int64_t epoch, identity, str address)
    cpdef forget(self)

cdef class BanTable:
    cdef readonly object _pseudonyms, _clock
    cdef readonly dict _kept
    cdef public bint known
    cdef public object changed, lifted, minor
    cdef public int turned_away
    cpdef refusal(self, identity, str address)
    cpdef find(self, identity, str address)
    cdef _held(self, bytes mac)
    cpdef bytes frame(self, found)
    cpdef put(self, bytes mac, bytes packed)
    cpdef drop(self, bytes mac)

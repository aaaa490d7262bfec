cdef class Tokens:
    cdef public tuple address
    cdef object _clock
    cdef dict _ciphers
    cdef bytes _id
    cdef object _encrypt
    cdef public object _nonce
    cpdef str seal(self, session_key, identity)
    cpdef open(self, str token, identity)
    cpdef read(self, str token, identity)

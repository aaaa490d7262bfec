cdef class Link:
    cdef readonly object _sock, _loop
    cdef object _on_message, _on_down, _queue, _room, _again, _sent
    cdef public bytearray _buffer
    cdef public object _seen
    cdef Py_ssize_t _waiting
    cdef bint _writes
    cdef readonly object broken, down, bytes
    cdef bint _read(self) except -1
    cpdef _message(self, Py_ssize_t size, list descriptors)
    cdef _wait_for_room(self)
    cdef _writable_no_more(self)
    cdef _queue_away(self)
    cdef _must_be_up(self)
    cdef _over(self, why)
    cdef _end(self, why)


cpdef tuple body_of(records, pieces=*)
cpdef list descriptors_of(list beside)

from ext.base.shared_ring cimport SharedRing

cdef class RowChannel:
    cdef object _send, _queue
    cdef readonly SharedRing _inbound, _outbound
    cdef readonly int _file
    cdef readonly bint _reads
    cdef int _other_bell
    cdef bint _writes
    cdef Py_ssize_t _waiting
    cdef _map(self, tuple places)
    cdef _put(self, SharedRing ring, bytes data)
    cdef _flush(self, SharedRing ring)
    cpdef list take(self)
    cpdef bint sleep(self)

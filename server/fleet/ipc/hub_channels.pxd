from server.fleet.ipc.row_channel cimport RowChannel

cimport cython

cdef class HubChannels:
    cdef readonly int bell
    cdef readonly object by_name
    cdef dict _numbers
    cdef object _read, _flush, _on_fault, _on_damage
    cdef double _heard_at

    @cython.locals(begun=double, busy=bint, heard=bint)
    cpdef bint rounds(self) except -1

    @cython.locals(heard=bint, channel=RowChannel)
    cdef bint _round(self, double now, double end) except -1

    @cython.locals(channel=RowChannel)
    cdef bint _sleep(self) except -1

    @cython.locals(messages=list)
    cdef bint _hear(self, name, RowChannel channel, double now) except -1
    cdef _distrust(self, name, RowChannel channel, damage)

cdef class Output:
    cdef readonly object send, link, unlink, say, typing, refuse, replay, close
    cdef object _reactor
    cdef public object signals_refused, on_keep
    cpdef signal(self, conn, frame)
    cpdef adopt(self, conn, session)
    cpdef keep(self, item)

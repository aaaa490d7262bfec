cdef class Output:
    cdef readonly object send, link, say, typing, refuse, replay
    cdef object _reactor
    cdef public object signals_refused, on_keep
    cdef readonly dict visitors
    cdef public list free
    cpdef signal(self, conn, frame)
    cpdef adopt(self, conn, session)
    cpdef unlink(self, conn)
    cpdef close(self, conn, code, frame)
    cpdef visits(self, conn, session)
    cpdef keep(self, item)

cdef class Output:
    cdef readonly object send, say, typing, refuse, replay, keep_limits
    cdef object _reactor, _keep, _on_visitor
    cdef public object signals_refused
    cdef readonly dict visitors
    cdef public list free
    cpdef signal(self, conn, frame)
    cpdef link(self, conn, ring, side)
    cpdef news(self, conn)
    cpdef adopt(self, conn, session)
    cpdef unlink(self, conn)
    cpdef close(self, conn, code, frame)
    cpdef visits(self, conn, session)
    cpdef keep(self, item)

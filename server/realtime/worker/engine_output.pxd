cdef class Output:
    cdef readonly object send, say, typing, refuse, replay
    cdef object _reactor
    cdef public object signals_refused, on_keep, on_news
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

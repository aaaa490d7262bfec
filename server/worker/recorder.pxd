cpdef str mode(chat)

cdef class Recorder:
    cdef object _worker, _reports, _store, _record
    cdef public object gone
    cdef dict _saves
    cdef readonly set _tasks
    cpdef take(self, item)
    cdef _begin(self, session, seat)
    cdef _answer(self, id, url, delete, wait)

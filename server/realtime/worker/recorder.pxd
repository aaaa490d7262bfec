cpdef str mode(chat)

cdef class Recorder:
    cdef object _worker, _reports, _store, _record
    cdef public object gone
    cdef dict _saves
    cdef readonly dict _tasks
    cpdef take(self, item)
    cdef _begin(self, session, seat)
    cpdef went(self, id)

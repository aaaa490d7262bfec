cpdef str mode(chat)

cdef class Recorder:
    cdef object _worker, _reports, _store, _record
    cdef object _on_migrated, _successor
    cdef dict _saves
    cdef readonly dict _tasks
    cpdef take(self, item)
    cdef _begin(self, session, seat)
    cpdef forget(self, id)
    cpdef redirect(self, successor)

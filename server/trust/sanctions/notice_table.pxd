cdef class NoticeTable:
    cdef readonly object _pseudonyms, _clock
    cdef readonly dict _unread, _owners
    cdef readonly object _read
    cdef public bint known
    cdef public object changed
    cpdef unread(self, identity, session)
    cdef _owner(self, identity, session)
    cdef bytes _frame(self, found)

from ext.base.ageing_map cimport AgeingMap as Map

cdef class DailyDetections:
    cdef readonly Map _rows
    cpdef int add(self, person, str name, int chat, double at, double now) except -1
    cpdef int chats(self, person, str name, double now) except -1
    cpdef tuple earlier(self, person, str name, int but, double now)
    cpdef bint restricts(self, person, double now) except -1
    cdef list _of(self, person, double now)
    cpdef forget(self, person)
    cpdef leave(self, person, double now, bint keep)

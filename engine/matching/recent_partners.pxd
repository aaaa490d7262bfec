from libc.stdint cimport uint64_t

from ext.match.partner_table cimport PartnerTable

cdef class NetworkReports:
    cdef double _seconds
    cdef Py_ssize_t _reports, _networks
    cdef readonly object _table
    cdef _sweep(self, double now)

cdef class RecentPartners:
    cdef object _draw
    cdef bytes _salt
    cdef public object on_report
    cdef readonly PartnerTable _met, _made, _got
    cdef readonly dict _networks, _bars
    cpdef met(self, uint64_t person, uint64_t partner, double now)
    cpdef tuple recent(self, uint64_t person, double now)
    cpdef tuple barred(self, uint64_t person, double now, tuple avoided=*)
    cpdef leave(self, dict record, person, double now, bint keep)
    cpdef forget(self, uint64_t person)

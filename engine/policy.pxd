cdef class Settings:
    cdef readonly double grace
    cdef readonly bint require_adult
    cdef readonly int find_burst
    cdef readonly double find_interval
    cdef readonly bint limits, video, turn

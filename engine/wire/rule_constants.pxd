cdef class Settings:
    cdef readonly double grace
    cdef readonly bint require_adult
    cdef readonly int find_burst
    cdef readonly double find_interval
    cdef readonly bint limits, challenges, challenge_first
    cdef readonly double challenge_good_for
    cdef readonly bint video, screening, tips
    cdef readonly str pictures
    cdef readonly double snap_mean, snap_share
    cdef readonly bint snaps_required, snap_programs
    cdef readonly str veil, sends
    cdef readonly bint turn

cdef class Conduct:
    cdef public dict reporters
    cdef public list chats
    cdef public double linked, opener
    cdef public int passed
    cdef public double until
    cpdef int points(self, double now) except -1
    cpdef bint says(self, double now) except -1

cdef class Network:
    cdef public double since
    cdef public int connects, finds
    cdef public double crowded
    cpdef count(self, int connects, int finds, double now)
    cpdef int points(self, double now) except -1

cdef class Friction:
    cdef public int most_networks, most_persons
    cdef readonly object _daily, _seen, _persons, _networks, _barred
    cdef double _began
    cdef int _minute
    cdef list _arrivals
    cdef double _rush, _swarm
    cpdef opened(self, identity, str network, double now)
    cpdef bint lasting(self, identity, double now) except -1
    cpdef ended(self, person, bint soon, double now)
    cpdef linked(self, person, double now)
    cpdef opener(self, person, double now)
    cpdef swarmed(self, double now)
    cpdef reported(self, person, reporter, double now)
    cpdef barred(self, str network, bytes case, double now)
    cpdef lifted(self, bytes case)
    cpdef bint passed(self, person, int level, double now) except -1
    cpdef solved(self, person, int level, double seconds, double now)
    cpdef int points(self, person, identity, str network, double now) except -1
    cpdef int current_points(self, person, identity, str network, double now) except -1
    cdef int _of(self, person, identity, double now) except -1
    cdef int _of_bans(self, str network, double now) except -1
    cdef Network _network(self, str network, double now)
    cdef Conduct _person(self, person, double now)
    cdef _sweep_seen(self, double now)
    cdef _arrived(self, double now)
    cpdef forget(self, person)
    cpdef leave(self, person, double now, bint keep)

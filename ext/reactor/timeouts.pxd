"""What time does to connections. Rule: a timer that fires looks at its connection's own clock, and is armed anew for what is left."""
from ext.net.connection cimport io_t

cdef void expire(io_t *io) noexcept nogil

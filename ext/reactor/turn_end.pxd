"""From the queue to Python: the batch that the engine is told. Rule: the queue's order, and nothing of it is lost."""
from ext.accept.admission cimport Addresses
from ext.net.connection cimport io_t
from ext.accept.handshake cimport Judge

cdef int gather(io_t *io, Judge judge, Addresses addresses, list batch) except -1

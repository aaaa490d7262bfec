"""What the engine's effects do to connections. Rule: a connection that is gone takes none, and nobody is told."""
from ext.net.intake cimport Reader

cdef class Party(Reader):
    cdef int post(self) except -1

"""Invariants, looked at in builds with SERENDIP_BUILD=debug or asan. Rule: a condition without side effects; a fault aborts."""
cdef extern from "check.h" nogil:
    void CHECK(bint condition)

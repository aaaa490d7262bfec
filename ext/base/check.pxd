"""Check invariants in builds with SERENDIP_BUILD=debug or asan. Invariant: a condition has no side effects; a false one aborts."""
cdef extern from "check.h" nogil:
    void CHECK(bint condition)

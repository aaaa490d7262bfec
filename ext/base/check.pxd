"""Declare CHECK, an assertion that aborts the process in builds with SERENDIP_BUILD=debug or asan, and is compiled to nothing in others.

A condition must have no side effects.
"""
cdef extern from "check.h" nogil:
    void CHECK(bint condition)

"""Declare the timer wheel of all connections.
**Invariant:** one second per slot; starting and stopping a timer is O(1) and allocates nothing.
"""
from libc.stdint cimport uint32_t

cdef enum:
    SLOTS = 64  # the longest wait in seconds; longer ones are armed again when due

cdef struct timer_t:
    timer_t *before
    timer_t *after

cdef struct wheel_t:
    timer_t slots[64]
    uint32_t second   # the last second that was processed

cdef void wheel_init(wheel_t *wheel, uint32_t second) noexcept nogil
cdef void wheel_arm(wheel_t *wheel, timer_t *timer, uint32_t seconds) noexcept nogil
cdef void wheel_disarm(timer_t *timer) noexcept nogil
cdef timer_t *wheel_due(wheel_t *wheel, uint32_t second) noexcept nogil

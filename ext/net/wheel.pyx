"""A timer wheel of 64 one-second slots, intrusive: the timer is a member of what it times.

Activity does not move a timer. It fires, its owner looks at its own clock and is armed anew for what is left: so a busy connection
costs one look in tens of seconds, and an idle one nothing between.
"""
from libc.stdint cimport uint32_t


cdef void wheel_init(wheel_t *wheel, uint32_t second) noexcept nogil:
    """Makes all slots empty; `second` is now."""
    cdef int i
    wheel.second = second
    for i in range(SLOTS):
        wheel.slots[i].before = wheel.slots[i].after = &wheel.slots[i]


cdef void wheel_disarm(timer_t *timer) noexcept nogil:
    """Takes the timer out; harmless where it is not armed."""
    if timer.before != NULL:
        timer.before.after = timer.after
        timer.after.before = timer.before
        timer.before = timer.after = NULL


cdef void wheel_arm(wheel_t *wheel, timer_t *timer, uint32_t seconds) noexcept nogil:
    """Arms (or moves) the timer `seconds` from now, at least one, at most 63."""
    cdef timer_t *slot
    wheel_disarm(timer)
    seconds = 1 if seconds < 1 else SLOTS - 1 if seconds >= SLOTS else seconds
    slot = &wheel.slots[(wheel.second + seconds) % SLOTS]
    timer.before = slot.before
    timer.after = slot
    slot.before.after = timer
    slot.before = timer


cdef timer_t *wheel_due(wheel_t *wheel, uint32_t second) noexcept nogil:
    """The next timer due by `second`, disarmed; NULL when there is none left. A clock that steps back waits."""
    cdef timer_t *slot
    cdef timer_t *timer
    if second > wheel.second + SLOTS:
        wheel.second = second - SLOTS  # a long sleep: one full turn finds everything
    while True:
        slot = &wheel.slots[wheel.second % SLOTS]
        timer = slot.after
        if timer != slot:
            wheel_disarm(timer)
            return timer
        if <int>(second - wheel.second) <= 0:
            return NULL
        wheel.second += 1

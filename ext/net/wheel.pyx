"""Time connections with a timer wheel of 64 one-second slots.

Activity does not move a timer: when a timer expires, its owner compares the time of the last activity and restarts it for the rest, so a busy
connection costs one check in tens of seconds.
"""

# The timer is a member of the connection (intrusive).

from libc.stdint cimport uint32_t


cdef void wheel_init(wheel_t *wheel, uint32_t second) noexcept nogil:
    """Empty all slots; `second` is now."""
    cdef int i
    wheel.second = second
    for i in range(SLOTS):
        wheel.slots[i].before = wheel.slots[i].after = &wheel.slots[i]


cdef void wheel_disarm(timer_t *timer) noexcept nogil:
    """Remove the timer; does nothing if it is not armed."""
    if timer.before != NULL:
        timer.before.after = timer.after
        timer.after.before = timer.before
        timer.before = timer.after = NULL


cdef void wheel_arm(wheel_t *wheel, timer_t *timer, uint32_t seconds) noexcept nogil:
    """Arm (or move) the timer `seconds` from now, at least one, at most 63."""
    cdef timer_t *slot
    wheel_disarm(timer)
    seconds = 1 if seconds < 1 else SLOTS - 1 if seconds >= SLOTS else seconds
    slot = &wheel.slots[(wheel.second + seconds) % SLOTS]
    timer.before = slot.before
    timer.after = slot
    slot.before.after = timer
    slot.before = timer


cdef timer_t *wheel_due(wheel_t *wheel, uint32_t second) noexcept nogil:
    """Return the next timer due by `second`, disarmed; NULL when no timer is left. A clock that goes back waits."""
    cdef timer_t *slot
    cdef timer_t *timer
    if second > wheel.second + SLOTS:
        wheel.second = second - SLOTS  # after a long sleep one full turn finds all timers
    while True:
        slot = &wheel.slots[wheel.second % SLOTS]
        timer = slot.after
        if timer != slot:
            wheel_disarm(timer)
            return timer
        if <int>(second - wheel.second) <= 0:
            return NULL
        wheel.second += 1

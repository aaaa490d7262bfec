"""Name the counters of the hot path, in the order of counters.pxd, and count durations in histograms."""
from libc.stdint cimport uint64_t

from ext.base.system cimport CLOCK_MONOTONIC, clock_gettime, timespec

NAMES: tuple[str, ...] = (
    "accepted", "opened", "handed", "head_bad", "head_host", "head_origin", "head_version", "head_large", "head_slow", "head_limited",
    "head_busy", "head_short", "head_lost", "turns", "ready", "reads", "bytes_in", "sends", "bytes_out", "frames", "messages", "message_bytes",
    "typing", "signals", "events", "batches", "slow", "too_fast", "paused", "blocked", "pings", "unanswered", "untaken", "left", "dropped",
    "close_protocol", "close_binary", "close_encoding", "close_too_big", "close_flood", "close_internal", "close_restart", "close_busy",
    "close_banned", "close_replaced", "client_normal", "client_away", "client_other", "client_none", "tunnelled", "tunnel_bytes",
)
# Seconds. A relay takes tens of microseconds; a user notices from 100 ms on; the bounds between show which part was slow.
TIME_BOUNDS: tuple[float, ...] = (0.000025, 0.0001, 0.00025, 0.001, 0.0025, 0.01, 0.025, 0.1)

if len(NAMES) != COUNTERS:
    raise ImportError("counters.pyx and counters.pxd do not name the same counters")

cdef uint64_t bounds[8]
for _i, _bound in enumerate(TIME_BOUNDS):
    bounds[_i] = round(_bound * 1e9)


cdef uint64_t clock_now() noexcept nogil:
    """Return monotonic nanoseconds; about 20 ns, without a system call."""
    cdef timespec now
    clock_gettime(CLOCK_MONOTONIC, &now)
    return <uint64_t>now.tv_sec * 1000000000 + <uint64_t>now.tv_nsec


cdef void times_add(times_t *times, uint64_t nanoseconds, uint64_t weight) noexcept nogil:
    """Count `weight` events of this duration each."""
    cdef int i = 0
    while i < BOUNDS and nanoseconds > bounds[i]:
        i += 1
    times.count[i] += weight
    times.total += nanoseconds * weight


cdef object times_read(times_t *times):
    """Return (counts by bucket, the last above all bounds; sum in seconds)."""
    return [times.count[i] for i in range(BOUNDS + 1)], times.total / 1e9

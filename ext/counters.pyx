"""Names of the counters of the hot path, in the order of counters.pxd."""

NAMES: tuple[str, ...] = (
    "accepted", "opened", "handed", "head_bad", "head_host", "head_origin", "head_version", "head_large", "head_slow", "head_limited",
    "head_busy", "reads", "bytes_in", "sends", "bytes_out", "frames", "messages", "message_bytes", "typing", "signals", "events", "batches",
    "slow", "too_fast", "paused", "blocked", "pings", "unanswered", "untaken", "left", "dropped", "close_protocol", "close_binary",
    "close_encoding", "close_too_big", "close_flood", "close_other",
)

if len(NAMES) != COUNTERS:
    raise ImportError("counters.pyx and counters.pxd do not name the same counters")

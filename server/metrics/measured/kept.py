"""Records, purges, saved logs, and what the log dropped. Rule: a row names the question that it answers; no label holds anything from outside."""

from server.metrics.metric import Metric

METRICS = (
    Metric(
        "serendip_store_written",
        "counter",
        "chats whose record is in the database",
        question="Is the store keeping up?",
    ),
    Metric(
        "serendip_store_lost",
        "counter",
        "chats whose record was lost: the queue was full, or the stop came first",
        question="Do we lose records?",
    ),
    Metric(
        "serendip_store_failures",
        "counter",
        "batches that the database did not take (they are tried again)",
        question="Is the database well?",
    ),
    Metric(
        "serendip_store_waiting",
        "gauge",
        "chats whose record waits for the database",
        question="Is the store keeping up?",
    ),
    Metric("serendip_store_up", "gauge", "1 while the database takes records", question="Is the database well?"),
    Metric(
        "serendip_store_purges",
        "counter",
        "purges that ran to their end here",
        question="Is what must be forgotten forgotten?",
    ),
    Metric(
        "serendip_store_purge_failures",
        "counter",
        "purges that the database or the object store stopped",
        question="Is what must be forgotten forgotten?",
    ),
    Metric(
        "serendip_store_purged_timestamp_seconds",
        "gauge",
        "when the last purge ran to its end, unix time; at the start: the start",
        question="How old is the last purge?",
    ),
    Metric("serendip_logs_saved", "counter", "chats saved", question="Do people save logs?"),
    Metric("serendip_logs_refused", "counter", "saves that the store refused", question="Do saves fail?"),
    Metric(
        "serendip_logs_deleted", "counter", "saved logs that were removed", question="Do people delete what they saved?"
    ),
    Metric(
        "serendip_log_undeclared",
        "counter",
        "log events and fields that were dropped because no list has them",
        question="Does a part log what the list does not allow?",
    ),
)

VALUES: dict[str, dict[str, tuple[str, ...]]] = {}

"""Declare the metrics of storage and moderation: records, purges, saved logs, objects, mail, disk, cases, appeals.

Rows of `server.ops.metrics.metric_table`.
"""

from server.ops.metrics.metric_type import Metric

BATCH_BOUNDS = (0.005, 0.025, 0.1, 0.5, 2.5, 10.0, 30.0)  # seconds; a batch grows to what the database accepts in 20 ms
OBJECT_BOUNDS = (0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 15.0)  # seconds; one request has five (objects.timeout)

DECIDE_BOUNDS = (
    600.0,
    3_600.0,
    14_400.0,
    43_200.0,
    86_400.0,
    172_800.0,
    259_200.0,
    604_800.0,
    1_209_600.0,
)  # seconds, to 14 days

KEPT = (
    Metric(
        "serendip_requests",
        "gauge",
        "requests of people about their own data, by state (those that are closed for 24 months)",
        "How many people wait for an answer?",
        ("state",),
    ),
    Metric(
        "serendip_request_due_seconds",
        "gauge",
        "seconds until the first of the open requests must be answered; below 0: it is late. Missing: none is open",
        "Is there a request that we must answer now?",
    ),
    Metric(
        "serendip_orders",
        "gauge",
        "orders of courts and authorities for data, by state (those that are closed for 24 months)",
        "How many orders wait for an answer?",
        ("state",),
    ),
    Metric(
        "serendip_order_due_seconds",
        "gauge",
        "seconds until the first of the running orders must be answered; below 0: it is late. Missing: none is running",
        "Is there an order that we must answer now?",
    ),
    Metric(
        "serendip_order_gag_end_seconds",
        "gauge",
        "seconds until the first secrecy of an answered order ends, and its people read of it. Missing: none is secret",
        "Must we ask a court whether a secrecy goes on?",
    ),
    Metric(
        "serendip_order_gags_ended",
        "gauge",
        "answered orders whose secrecy ended in the last 7 days: their people read of it from now on",
        "Did the secrecy of an order end?",
    ),
    Metric(
        "serendip_deletion_notices",
        "gauge",
        "notices of deletions to recipients: waiting, refused (both are tried again), and failed after 30 days (those of the last 7 days)",
        "Does every recipient learn of a deletion?",
        ("state",),
    ),
    Metric(
        "serendip_incident_due_seconds",
        "gauge",
        "seconds until the authority must be notified of the first open incident; below 0: it is late. Missing: none is open",
        "Must we notify the authority of a breach?",
    ),
    Metric(
        "serendip_emergency_reviews",
        "gauge",
        "disclosures because a life was in danger, by the state of their review (those of 24 months)",
        "Was every emergency reviewed, and how often was one unlawful?",
        ("state",),
    ),
    Metric(
        "serendip_emergency_review_due_seconds",
        "gauge",
        "seconds until the first disclosure in an emergency must be reviewed; below 0: it is late. Missing: none waits",
        "Is there an emergency that somebody must review now?",
    ),
    Metric("serendip_store_written", "counter", "chats whose record is in the database", "Is the store keeping up?"),
    Metric(
        "serendip_store_lost",
        "counter",
        "chats whose record was lost: the queue was full, or the stop came first",
        "Do we lose records?",
    ),
    Metric(
        "serendip_store_failures",
        "counter",
        "batches of records (tried again), saves, and looks at whether the database answers (reads) that failed, by cause",
        "Is the database well, and if not, why?",
        ("what", "cause"),
    ),
    Metric(
        "serendip_store_batch_seconds",
        "histogram",
        "how long the database took for a batch of records",
        "Is the database slow?",
        buckets=BATCH_BOUNDS,
    ),
    Metric(
        "serendip_store_schema_info",
        "gauge",
        "1, with the revision of the database's schema, once it is open",
        "Which schema runs where?",
        ("revision",),
    ),
    Metric("serendip_store_waiting", "gauge", "chats whose record waits for the database", "Is the store keeping up?"),
    Metric(
        "serendip_store_up",
        "gauge",
        "1 while the database answers and takes records; it is asked every few seconds",
        "Is the database well?",
    ),
    Metric(
        "serendip_objects_up",
        "gauge",
        "1 while the object store answers; it is asked several times a minute",
        "Is the object store well?",
    ),
    Metric(
        "serendip_objects_lost_ratio",
        "gauge",
        "objects that rows name and the object store does not have, of one: of up to 80 rows, once an hour",
        "Was the object store emptied, or another one put in its place?",
    ),
    Metric(
        "serendip_store_purges", "counter", "purges that ran to their end here", "Is what must be forgotten forgotten?"
    ),
    Metric(
        "serendip_store_purge_failures",
        "counter",
        "purges that the database or the object store stopped",
        "Is what must be forgotten forgotten?",
    ),
    Metric(
        "serendip_store_purged_timestamp_seconds",
        "gauge",
        "when the last purge ran to its end, unix time; at the start: the start",
        "How old is the last purge?",
    ),
    Metric("serendip_logs_saved", "counter", "chats saved", "Do people save logs?"),
    Metric(
        "serendip_logs_refused",
        "counter",
        "saves that the store refused: it is away, too many at once (busy), the disk is at its floor (full), one's share is used up (quota)",
        "Do saves fail, and why?",
        ("why",),
    ),
    Metric("serendip_logs_waiting", "gauge", "saves that are being done or wait for their turn", "Do saves pile up?"),
    Metric(
        "serendip_objects_seconds",
        "histogram",
        "how long the object store took for a request that it answered, retries included",
        "Is the object store slow?",
        ("operation",),
        buckets=OBJECT_BOUNDS,
    ),
    Metric(
        "serendip_objects_failures",
        "counter",
        "requests that the object store did not answer as it should, by what failed",
        "Is the object store well, and if not, why?",
        ("operation", "cause"),
    ),
    Metric(
        "serendip_mail_letters",
        "counter",
        "mails with a code: sent, tried again, given up",
        "Do codes reach people?",
        ("outcome",),
    ),
    Metric("serendip_mail_waiting", "gauge", "mails that are on their way", "Is the mail server slow or away?"),
    Metric(
        "serendip_translations",
        "counter",
        "lines that LibreTranslate was asked for, by result (translations by browsers are not counted)",
        "Do people get their translations, and if not, why?",
        ("result",),
    ),
    Metric(
        "serendip_translations_waiting", "gauge", "lines that are on their way to LibreTranslate", "Is it slow or away?"
    ),
    Metric(
        "serendip_backup_timestamp_seconds",
        "gauge",
        "when a backup of this database was last written, by schedule or by command, on whatever host, unix time; 0: never. Missing: not known yet",
        "How much would be lost with the disk?",
    ),
    Metric(
        "serendip_backups",
        "counter",
        "whole backups by schedule, made by this host and failed",
        "Does the schedule work, and on which host?",
        ("result",),
    ),
    Metric(
        "serendip_backup_size_bytes", "gauge", "size of the last one that this host made", "Does it grow as expected?"
    ),
    Metric(
        "serendip_certificate_expiry_timestamp_seconds",
        "gauge",
        "until when the certificate of the site's names (port 443) or of NATS is valid, unix time, the first to end; missing: unknown",
        "Does a certificate end soon?",
        ("of",),
    ),
    Metric("serendip_disk_free_bytes", "gauge", "room left where the data folder lies", "When is the disk full?"),
    Metric("serendip_disk_size_bytes", "gauge", "size of that file system", "When is the disk full?"),
    Metric("serendip_logs_deleted", "counter", "saved logs that were removed", "Do people delete what they saved?"),
    Metric(
        "serendip_reports_taken",
        "counter",
        "reports that are in the store, with their evidence",
        "Do reports reach a person?",
    ),
    Metric(
        "serendip_reports_lost", "counter", "reports that were lost: too many waited, or a fault", "Was a report lost?"
    ),
    Metric("serendip_reports_waiting", "gauge", "reports that wait for the store", "Do reports pile up?"),
    Metric("serendip_report_failures", "counter", "tries to store a report that failed", "Why do reports wait?"),
    Metric(
        "serendip_console_signins",
        "counter",
        "passkeys that were shown to the console, and what came of it",
        "Does someone try to break in?",
        ("result",),
    ),
    Metric(
        "serendip_operator_orders",
        "counter",
        "operators' orders about what runs now: sessions, announcements, maintenance, log levels",
        "Who has been ended or told something by hand?",
        ("what", "result"),
    ),
    Metric("serendip_bans_in_force", "gauge", "identities and networks that are banned now", "How many are kept out?"),
    Metric(
        "serendip_measures_unattended",
        "counter",
        "pauses that a program did not impose, because no moderator reads reports here",
        "Is a moderator needed?",
    ),
    Metric("serendip_notices_unread", "gauge", "warnings that were not read yet", "Do warnings reach people?"),
    Metric(
        "serendip_banned_connects",
        "counter",
        "connections of banned people, turned away",
        "Do banned people come again and again?",
    ),
    Metric(
        "serendip_country_refusals",
        "counter",
        "connections refused because of their country (`safety.refused_countries`), and sessions ended when one was added",
        "Do users of refused countries try to come in?",
    ),
    Metric(
        "serendip_cases_open",
        "gauge",
        "cases that wait for a person, by queue",
        "Do reports pile up before people?",
        ("queue",),
    ),
    Metric(
        "serendip_cases_oldest_seconds",
        "gauge",
        "how long the oldest of them has waited; 0: none waits",
        "Does a report of danger wait?",
        ("queue",),
    ),
    Metric(
        "serendip_case_decide_seconds",
        "histogram",
        "from the first report to the decision, by queue",
        "How long do people wait for a decision?",
        ("queue",),
        buckets=DECIDE_BOUNDS,
    ),
    Metric(
        "serendip_cases_unread",
        "counter",
        "cases that ended unread: no moderator opened them in 30 days (aged), or within 72 hours of a program's action (lifted)",
        "Are reports read at all?",
        ("state",),
    ),
    Metric(
        "serendip_measures",
        "counter",
        "measures about people, by kind, rule, and whether a person or a program took it",
        "What follows from reports?",
        ("measure", "rule", "by"),
    ),
    Metric(
        "serendip_reports_founded",
        "counter",
        "reports that were acted on, by reason",
        "Which reports are right?",
        ("reason",),
    ),
    Metric(
        "serendip_appeals",
        "counter",
        "appeals by what came of them, and the rule of the measure; `lapsed`: not answered in 14 days",
        "How often are decisions wrong, and by which rule?",
        ("result", "rule"),
    ),
    Metric(
        "serendip_second_looks",
        "counter",
        "decided cases of which another operator said what they would have decided, without seeing it: one in twenty is drawn; `missed`:"
        " no review within three days",
        "Do two people decide alike?",
        ("result",),
    ),
    Metric(
        "serendip_appeal_seconds",
        "histogram",
        "from an appeal to its answer",
        "How long do people wait for an answer?",
        buckets=DECIDE_BOUNDS,
    ),
    Metric("serendip_appeals_open", "gauge", "appeals that wait for an answer", "Do appeals pile up?"),
    Metric(
        "serendip_appeals_oldest_seconds",
        "gauge",
        "how long the oldest of them has waited; 0: none waits",
        "Does a wrongly banned user wait?",
    ),
    Metric(
        "serendip_notices_open",
        "gauge",
        "notices from the public (/notice) that wait for a moderator, by kind",
        "Do notices pile up?",
        ("kind",),
    ),
    Metric(
        "serendip_notices_oldest_seconds",
        "gauge",
        "how long the oldest of them has waited; 0: none waits",
        "Is a notice not read?",
        ("kind",),
    ),
    Metric(
        "serendip_task_failures",
        "counter",
        "background tasks that ended by a fault and were started again",
        "Does something fail behind the service?",
        ("task",),
    ),
    Metric("serendip_log_dropped", "counter", "log lines that standard error did not take", "Is the log whole?"),
    Metric(
        "serendip_words_missing",
        "gauge",
        "sentences of the page and the documents that a language lacks and that are said in English there",
        "Does a release speak every language whole?",
        ("language",),
    ),
    Metric(
        "serendip_log_undeclared",
        "counter",
        "log events and fields that were dropped because no list has them",
        "Does a part log what the list does not allow?",
    ),
)

KEPT_VALUES: dict[str, dict[str, tuple[str, ...]]] = {
    "serendip_cases_unread": {"state": ("aged", "lifted")},
    "serendip_second_looks": {"result": ("agreed", "differed", "missed")},
}

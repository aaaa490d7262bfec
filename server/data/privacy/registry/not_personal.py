"""List the stored fields that hold no personal data, each with its reason: files, log fields, metric labels.

**Invariant:** the registry check treats every field as personal until it is listed here.
"""

from __future__ import annotations

from server.data.privacy.registry_model import NotPersonal

NOT_PERSONAL = (
    NotPersonal("file:secret", "the service's own random secret"),
    NotPersonal("file:secret.previous", "the secret before the last rotation"),
    NotPersonal("file:keys/", "random keys, one an epoch, and the kept one"),
    NotPersonal("file:purge.lock", "empty"),
    NotPersonal("file:upkeep.lock", "empty"),
    NotPersonal("file:order.lock", "empty"),
    NotPersonal("file:letter.lock", "empty"),
    NotPersonal("file:backup.lock", "empty"),
    NotPersonal("file:restoring", "the name of a backup whose restore is not finished"),
    NotPersonal("file:restored.toml", "the settings of a restored backup, for its operator"),
    NotPersonal("file:rules/", "words that an operator has lines looked at for"),
    NotPersonal("file:statement/", "the versions of the privacy statement, as everybody may read them"),
    NotPersonal("file:backup.stamp", "empty; its date is that of the last backup"),
    NotPersonal("file:serendip.db", "the tables, declared column by column"),
    NotPersonal("file:serendip.db-wal", "the tables' newest changes"),
    NotPersonal("file:serendip.db-shm", "an index of the above"),
    *(
        NotPersonal(f"log:{name}", why)
        for name, why in {
            "host": "an address that this server listens on",
            "port": "a port that this server listens on",
            "logger": "the name of a library",
            "action": "one of a fixed list of words",
            "error": "the type of an exception",
            "where": "places in the source",
            "online": "a number of sessions",
            "hosts": "a number",
            "count": "a number",
            "epoch": "the number of a month of 30 days",
            "check": "one of a fixed list of words",
            "said": "a sentence about this deployment",
            "remedy": "what its operator can do",
            "setting": "the name of a setting",
            "version": "this program's version",
            "pid": "the number of this process",
            "process": "which of several processes of ours: hub, frontend, worker 1 and so on",
            "status": "the exit status of a process of ours, or the signal that ended it",
            "name": "which of several processes of ours, or a file of an operator's rules",
            "descriptors": "a number",
            "people": "a number",
            "chats": "a number",
            "stayed": "a number",
            "skipped": "a number",
            "seconds": "a duration",
            "starved": "a duration",
            "state": "how a process of ours is scheduled, a letter; or one of a fixed list of words",
            "back": "a number",
            "queues": "names of queues of cases, of a fixed list",
            "recipient": "a provider that the settings name",
            "tries": "a number",
            "kind": "a number of a message between two processes of ours",
            "task": "the name of a background task",
            "what": "one of a fixed list of words",
            "why": "one of a fixed list of words",
            "cause": "one of a fixed list of words",
            "reason": "why a file of this program was not read: its name and what is wrong with it",
        }.items()
    ),
    *(
        NotPersonal(f"label:{name}", "one of a fixed list of words in the metrics' table")
        for name in (
            *(
                "by",
                "cause",
                "code",
                "connection",
                "direction",
                "event",
                "generation",
                "kind",
                "language",
                "level",
                "measure",
                "kind",
                "mode",
                "operation",
            ),
            *(
                "of",
                "outcome",
                "queue",
                "reason",
                "result",
                "rule",
                "side",
                "state",
                "status",
                "task",
                "way",
                "what",
                "why",
            ),
        )
    ),
    NotPersonal("label:process", "the name of a process of this server"),
    NotPersonal("label:order", "one of a fixed list of words"),
    NotPersonal("label:version", "this program's version"),
    NotPersonal("label:commit", "the commit that this program was made of"),
    NotPersonal("label:revision", "the revision of the database's schema"),
    NotPersonal(
        "label:route", "the first part of an address that this program declares, never of one that somebody asked for"
    ),
    NotPersonal("label:python", "the interpreter's version"),
    NotPersonal("metric:*", "counts and durations; no label holds anything that came from outside"),
)

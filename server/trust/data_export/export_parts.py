"""Define the tables of a data export, each with its fields and the items of the privacy registry that the table covers.

**Invariant:** a field is exported only if it is listed here: the export's files, their JSON Schemas and the tables of the page are all made from
this list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

PROVIDED = "provided"  # from the person, or observed of their acts: the scope of portability
ABOUT = "about_you"  # reported or decided by others
Row = dict[str, str | int | None]


@dataclass(frozen=True, slots=True)
class Part:
    """A list of records. `items`: keys of the registry that it answers; `fields`: the kind of each, in order.

    Kinds of a field: `text`, `word` (of a list, which a page shows in its reader's language), `whole` (a number), `time` (UTC, to the second),
    `day`, `month`; with a question mark it may be null.
    """

    name: str
    folder: str
    items: tuple[str, ...]
    fields: Mapping[str, str]


PARTS = (
    Part(
        "chats",
        PROVIDED,
        ("identity", "address", "country", "chat"),
        {
            "number": "text",
            "mode": "word",
            "started": "time",
            "ended": "time",
            "how": "word",
            "address": "text?",
            "port": "whole?",
            "country": "text?",
            "goes": "day?",
        },
    ),
    Part(
        "saved_logs",
        PROVIDED,
        ("log", "log_college", "log_party"),
        {"number": "text", "saved": "time", "you": "whole", "address": "text?", "port": "whole?", "file": "text"},
    ),
    Part(
        "reports_made",
        PROVIDED,
        ("report",),
        {
            "number": "text",
            "at": "time",
            "reason": "word",
            "note": "text?",
            "outcome": "word?",
            "decided": "day?",
            "goes": "day?",
        },
    ),
    Part(
        "appeals",
        PROVIDED,
        ("appeal",),
        {
            "number": "text",
            "case": "text",
            "at": "time",
            "text": "text?",
            "state": "word",
            "answer": "text?",
            "decided": "day?",
            "goes": "day?",
        },
    ),
    Part(
        "requests",
        PROVIDED,
        ("request", "request_text", "request_answer"),
        {
            "number": "text",
            "kind": "word",
            "way": "word",
            "received": "time",
            "due": "day",
            "state": "word",
            "reason": "word?",
            "extension": "text?",
            "text": "text?",
            "contact": "text?",
            "answer": "text?",
            "closed": "time?",
            "goes": "day?",
        },
    ),
    Part(
        "deletions",
        PROVIDED,
        ("deletion",),
        {
            "number": "text",
            "kind": "word",
            "what": "word",
            "asked": "time",
            "due": "time",
            "done": "time?",
            "goes": "day",
        },
    ),
    Part("rights_keys", PROVIDED, ("rights_key",), {"invalid_before": "time"}),
    Part(
        "deletion_notices",
        ABOUT,
        ("deletion_notice",),
        {"request": "text", "recipient": "text", "state": "word", "at": "time", "goes": "day"},
    ),
    Part(
        "pictures",
        PROVIDED,
        ("snap",),
        {"number": "text", "case": "text", "month": "month", "kind": "word", "file": "text", "goes": "day?"},
    ),
    Part("reports_received", ABOUT, ("case",), {"month": "month", "reason": "word", "reports": "whole"}),
    Part(
        "cases",
        ABOUT,
        ("case_subject", "evidence", "case_comment"),
        {
            "number": "text",
            "month": "month",
            "state": "word",
            "measure": "word?",
            "rule": "text?",
            "decided": "day?",
            "by": "word?",
            "address": "text?",
            "port": "whole?",
            "country": "text?",
            "goes": "day?",
            "texts": "whole",
            "texts_go": "day?",
            "comments": "whole",
        },
    ),
    Part(
        "bans",
        ABOUT,
        ("ban",),
        {
            "number": "text",
            "case": "text",
            "measure": "word",
            "kind": "word",
            "rule": "text",
            "words": "text?",
            "since": "day",
            "until": "day?",
            "lifted": "day?",
            "by": "word?",
            "goes": "day?",
        },
    ),
    Part(
        "notices",
        ABOUT,
        ("notice",),
        {
            "number": "text",
            "case": "text",
            "kind": "word",
            "rule": "text",
            "words": "text?",
            "since": "day",
            "seen": "time?",
            "lifted": "day?",
            "by": "word",
            "goes": "day",
        },
    ),
    Part("looks", ABOUT, ("audit",), {"day": "day", "action": "word", "why": "text", "goes": "day"}),
    Part(
        "disclosures",
        ABOUT,
        ("disclosure", "disclosure_subject", "law_order"),
        {
            "at": "time",
            "kind": "word",
            "recipient": "text",
            "basis": "text",
            "categories": "text",
            "records": "whole",
            "state": "word",
            "goes": "day",
        },
    ),
    Part("holds", ABOUT, ("hold",), {"authority": "text", "since": "time", "until": "time"}),
    Part("addresses_shown", ABOUT, ("signal",), {"video_chats": "whole"}),
)
PART_OF = {item: part.name for part in PARTS for item in part.items}

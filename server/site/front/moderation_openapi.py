"""Describe the moderation API for the OpenAPI document: routes of the console's port, by a bearer token that a moderator made there.

**Invariant:** a test compares these routes and their answers with those of the console.
"""

from __future__ import annotations

from typing import Any, Final

from server.site.front.openapi import BOOLEAN, JSON, NUMBER, STRING, WHOLE, Route, Schema, operation, record

TAG: Final = "moderation"
TOKEN: Final = "moderationToken"
PREFIX: Final = "/api/moderation"
CASE: Final = f"{PREFIX}/cases/{{case}}"
EXAMPLE: Final = {"case": "0" * 32}
SERVERS: Final[list[Schema]] = [
    {
        "url": "{console}",
        "description": "The console's own port, never the public one.",
        "variables": {"console": {"default": "http://localhost:9466", "description": "`console.origin`"}},
    }
]
TOKENS: Final[Schema] = {
    "type": "http", "scheme": "bearer",
    "description": "A token that a moderator made at `/tokens` of the console, with the scope that the operation names: read, act or stream.",
}  # fmt: skip


def array_of(item: Schema) -> Schema:
    """Return the schema of an array."""
    return {"type": "array", "items": item}


AT: Final[Schema] = WHOLE | {"description": "Unix seconds"}
ID: Final[Schema] = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
QUEUE: Final[Schema] = {"type": "string", "enum": ["urgent", "people", "machine", "spam", "low"]}
MEASURE: Final[Schema] = {"type": "string", "enum": ["none", "warning", "pause", "ban", "age"]}
RULE: Final[Schema] = {"type": "string", "description": "R1 to R7; empty with `none`"}
NEW: Final = record(id=ID, queue=QUEUE, mode=STRING, opened=AT, reasons=array_of(STRING))
CROWD: Final[Schema] = {"type": ["object", "null"], "description": "of many reports, how they came"}
LISTED: Final[dict[str, Schema]] = {
    "id": ID, "queue": QUEUE, "state": STRING, "mode": STRING, "opened": AT, "reasons": array_of(STRING), "reports": WHOLE,
    "weight": NUMBER | {"description": "of the reporters together"}, "points": NUMBER | {"description": "the order in the queue"},
    "claimed_by": STRING, "passed_to": STRING | {"description": "a moderator, or @role"}, "crowd": CROWD,
}  # fmt: skip
LISTED_CASE: Final = record("", **LISTED)
LINE: Final = record(number=WHOLE, side=WHOLE, at=AT, text=STRING, marked=BOOLEAN | {"description": "by the reporter"})
CHAT: Final = record(
    mode=STRING, began=AT, at=AT, reported=WHOLE | {"description": "the side whom the case is about, 0 or 1"}, cut=BOOLEAN, lines=array_of(LINE),
    detections=array_of(record(number=WHOLE, side=WHOLE, rule=STRING)),
)  # fmt: skip
NOTE: Final = record(reason=STRING, note=STRING, count=WHOLE, reporter=record(known=BOOLEAN, right=WHOLE, of=WHOLE))
EARLIER: Final = record(
    case=STRING, closed=AT, state=STRING, measure=STRING, rule=STRING
) | {"description": "about the same user; `case` is empty where it may not be opened"}  # fmt: skip
OUTCOME: Final[Schema] = record(closed=AT, decided_by=STRING, measure=STRING, rule=STRING, undo=AT) | {
    "type": ["object", "null"]
}
OPENED_CASE: Final = record(
    "", **LISTED, country=STRING, notes=array_of(NOTE), chats=array_of(CHAT), chats_total=WHOLE, earlier=array_of(EARLIER),
    steps={
        "type": "object", "additionalProperties": WHOLE, "description": "by rule, the seconds of the next step of its ladder; 0: a warning",
    },
    program=record(measure=STRING, rule=STRING) | {"type": ["object", "null"], "description": "an action until a person decides"},
    outcome=OUTCOME, second_review=BOOLEAN, pictures=WHOLE, child_since={"type": ["integer", "null"]},
    comments=array_of(record(at=AT, by=STRING, text=STRING, passed_to=STRING)), alike=WHOLE,
)  # fmt: skip
LIST: Final = record(
    queue=QUEUE,
    queues={"type": "object", "additionalProperties": record(open=WHOLE, oldest=AT)},
    cases=array_of(LISTED_CASE),
)
DECISION: Final = record(
    "measure", measure=MEASURE, rule=RULE,
    seconds={"type": ["integer", "null"], "description": "of a pause or ban; null: the next step of the rule's ladder"},
    words={"type": "string", "maxLength": 300, "description": "for the user"},
) | {"additionalProperties": False}  # fmt: skip
DECIDED: Final = record(
    measure=MEASURE, rule=RULE, seconds={"type": ["integer", "null"]}, effect=STRING, undo={"type": ["integer", "null"]}
)
FAILED: Final = record(
    "error", error=STRING | {"description": "a code: token, scope, missing, taken, beyond, decided, away …"}, message=STRING, needs=STRING,
    field=STRING, most=WHOLE,
)  # fmt: skip
STREAM: Final[Schema] = {
    "type": "string",
    "description": (
        "Server-sent events. `ready`: it begins here; `case`: a new case (ModerationNewCase); `reset`: what was missed cannot be told, list the "
        "cases. A comment each 15 seconds. Each event has an id; sent back as Last-Event-ID it goes on behind it."
    ),
}
USUAL: Final = dict.fromkeys((401, 403, 503), (JSON, FAILED))
OF_A_CASE: Final = USUAL | {404: (JSON, FAILED)}
CHANGED: Final = {204: ("", {}), **OF_A_CASE, 409: (JSON, FAILED)}
NAMED: Final[dict[str, Schema]] = {
    "ModerationCase": OPENED_CASE, "ModerationCases": LIST, "ModerationDecision": DECISION, "ModerationDecided": DECIDED,
    "ModerationError": FAILED,
}  # fmt: skip
ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "GET", f"{PREFIX}/cases", "The sizes of the queues, and the first cases of one (scope read)", {200: (JSON, LIST), **OF_A_CASE}, TAG,
        query={"queue": QUEUE | {"default": "people"}}, proof=TOKEN,
    ),
    Route(
        "GET", f"{PREFIX}/events", "New cases as they come (scope stream)", tag=TAG, proof=TOKEN,
        answers={200: ("text/event-stream", STREAM), **USUAL, 429: (JSON, FAILED)},
    ),
    Route(
        "GET", CASE, "A case with the text of its chats (scope read); it is not claimed", {200: (JSON, OPENED_CASE), **OF_A_CASE}, TAG, "", EXAMPLE,
        proof=TOKEN,
    ),
    Route("POST", f"{CASE}/claim", "Claim a case for 15 minutes (scope act)", CHANGED, TAG, "", EXAMPLE, proof=TOKEN),
    Route("POST", f"{CASE}/release", "Release it (scope act)", CHANGED, TAG, "", EXAMPLE, proof=TOKEN),
    Route(
        "POST", f"{CASE}/decide", "Decide a case, as the token's moderator (scope act); 403 `beyond`: it needs the console", tag=TAG,
        path_fields=EXAMPLE, body=DECISION, proof=TOKEN,
        answers={200: (JSON, DECIDED), 400: (JSON, FAILED), **OF_A_CASE, 409: (JSON, FAILED), 422: (JSON, FAILED)},
    ),
    Route("POST", f"{CASE}/undo", "Undo a decision of a moment ago (scope act)", CHANGED, TAG, "", EXAMPLE, proof=TOKEN),
)  # fmt: skip


def add_moderation(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document with the moderation API added."""
    for route in ROUTES:
        path = document["paths"].setdefault(route.path, {"servers": SERVERS})
        path[route.method.lower()] = operation(route, NAMED)
    components = document["components"]
    components["schemas"] = {**components["schemas"], **NAMED, "ModerationNewCase": NEW}
    components["securitySchemes"] = {**components["securitySchemes"], TOKEN: TOKENS}
    return document

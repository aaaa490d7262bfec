"""Build the OpenAPI 3.1 document that describes the HTTP routes.

**Invariant:** a test fails for a route that is served and not described, or described and not served.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from engine.wire.protocol import TEXT_MAX
from server.ops.health.readiness import STATUS as READY_STATES
from server.ops.version import VERSION

Schema = dict[str, Any]

STRING: Final[Schema] = {"type": "string"}
NUMBER: Final[Schema] = {"type": "number"}
WHOLE: Final[Schema] = {"type": "integer"}
HTML: Final = "text/html"
TEXT: Final = "text/plain"
JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
COOKIE: Final = "identity"
KEY: Final = "rightsKey"


def record(required: str = "", **fields: Schema) -> Schema:
    """Return the schema of a JSON object; `required`: names, separated by spaces, all by default."""
    return {"type": "object", "properties": fields, "required": required.split() or list(fields)}


@dataclass(frozen=True, slots=True)
class Route:
    """One operation.

    `answers`: media type and schema by status; with `needs`, 404 is added for the setting being off. `form`: the form's fields, each with an
    example.

    Paths are in aiohttp's syntax, so that they can be compared with the served ones; `needs` names the setting that enables a route.
    """

    method: str
    path: str
    summary: str
    answers: dict[int, tuple[str, Schema]]
    tag: str = "page"
    needs: str = ""
    path_fields: dict[str, str] = field(default_factory=dict)  # an example of each
    query: dict[str, Schema] = field(default_factory=dict)
    body: Schema | None = None
    form: dict[str, str] = field(default_factory=dict)  # an example of each
    media: str = ""  # media type of a body that is neither JSON nor a form
    proof: str = ""  # the security scheme by which a client proves that the data is its own
    other_proof: bool = False  # it is answered without the scheme too, by a proof in the form or with less


PAGE: Final = {200: (HTML, STRING)}
SAME: Final[dict[int, tuple[str, Schema]]] = {304: ("", {})}  # to If-None-Match
BLOB: Final[Schema] = {}
ERROR: Final = record("error", error=STRING, wait=NUMBER, tries=WHOLE)
PROOF: Final = record(domain=STRING, proof=STRING, expires=WHOLE)
REFUSALS: Final = dict.fromkeys((400, 403, 408, 409, 410, 413, 422, 429, 503), (JSON, ERROR))
TRANSLATE: Final[Schema] = {
    "type": "object",
    "properties": {
        "token": STRING,
        "text": {"type": "string", "minLength": 1, "maxLength": TEXT_MAX},
        "to": {"type": "string", "examples": ["en"]},
        "from": {"type": "string", "examples": ["de"]},
    },
    "required": ["token", "text", "to"],
}
TRANSLATED: Final[Schema] = {
    "type": "object",
    "properties": {"text": STRING, "from": STRING},
    "required": ["text", "from"],
}
MAILED: Final = record(domain=STRING, within=WHOLE, check=STRING)
LOG_ANSWERS: Final = {
    200: (HTML, STRING),
    403: (HTML, STRING),
    404: (HTML, STRING),
    429: (HTML, STRING),
    503: (HTML, STRING),
}
SPY: Final = record(ask=NUMBER, discuss=NUMBER, asking=WHOLE, discussing=WHOLE)
USUAL: Final[Schema] = {"type": "object", "properties": dict.fromkeys(("text", "video", "spy"), WHOLE)}
TALKING: Final[Schema] = {
    "type": "object", "description": "how many users talk, by the language of their chat; empty where several hosts do not know it",
    "additionalProperties": WHOLE,
}  # fmt: skip
SERVICE: Final[Schema] = {
    "type": "object",
    "description": "what the operators say to all users, as the fields of the frame `service`",
}
FIGURES: Final = record("online spy", online=WHOLE, talking=TALKING, usual=USUAL, spy=SPY, service=SERVICE)
BOOLEAN: Final[Schema] = {"type": "boolean"}
CONFIG: Final = record(
    "grace modes",
    grace=NUMBER | {"description": "seconds for which the chat of a dropped connection waits for it, as in `hello`"},
    modes={
        "type": "array", "items": {"type": "string", "enum": ["text", "video"]}, "description": "the values of `mode` that `find` may have",
    },
    college=BOOLEAN | {"description": "college mode: /api/college/ exists"},
    save=BOOLEAN | {"description": "`save` is taken: chats can be kept at an address"},
    video=BOOLEAN | {"description": "video chats"},
    relay=BOOLEAN | {"description": "with video: `find` may say `relay`"},
    adult=BOOLEAN | {"description": "`find` must say `adult`"},
    translation=BOOLEAN | {"description": "/api/translate exists"},
    pictures=BOOLEAN | {"description": "cameras are checked: `snap` asks for pictures"},
    in_chat=STRING | {"enum": ["checked", "on"], "description": "users may send each other pictures: only while they can be checked, or always"},
    checker=STRING | {"description": "the company that scores these pictures, if it is one"},
    challenges=STRING | {"description": "the origin at which a company's challenge runs, if there is one"},
    moderated=BOOLEAN | {"description": "moderators read reports"},
    rights=BOOLEAN | {"description": "/api/rights and the pages of one's own data exist"},
    privacy=WHOLE | {"description": "the version of the privacy statement: major × 1,000 + minor"},
    statement={
        "type": "object", "description": "a version of the privacy statement that is announced",
        "properties": {"version": STRING, "from": WHOLE | {"description": "the Unix time from which it holds"}}, "required": ["version", "from"],
    },
    incident=record(since=WHOLE) | {"description": "a recent incident with personal data: /privacy/incidents"},
    hours={
        "type": "array", "items": WHOLE, "minItems": 2, "maxItems": 2,
        "description": "the hours of the day, UTC, between which half of the chats begin, by the last month's statistics",
    },
    name=STRING | {"description": "the operator's name for this installation"},
    sentence=STRING | {"description": "the operator's sentence for the home page"},
    young=STRING | {"description": "the address of a page for young people, for users who say that they are under 18"},
)  # fmt: skip
WHY: Final = record(
    "status path final", status=WHOLE | {"description": "of the answer; 101: it would be accepted"}, reason=STRING, retry_after=WHOLE,
    path=STRING | {"description": "of the WebSocket"}, final=BOOLEAN | {"description": "another attempt makes no sense"},
)  # fmt: skip
FIGURE: Final[Schema] = {
    "type": "object",
    "description": "A number, and its parts by name where it is shown.",
    "properties": {
        "number": {
            "type": ["integer", "string", "null"],
            "description": "`< 10` for a small one; null: not shown, because another one would follow from it",
        },
        "parts": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Figure"}},
    },
    "required": ["number"],
}
SMALL: Final[Schema] = {"type": ["integer", "string"], "description": "`< 10` for a small one"}
PARTED: Final[Schema] = {"$ref": "#/components/schemas/Figure"}
SHARE: Final[Schema] = {"type": ["number", "null"], "minimum": 0, "maximum": 1}
HALF_DONE: Final[Schema] = {
    "type": ["integer", "null"],
    "description": "Seconds within which half of them were done; 0: longer; null: too few.",
}
MONTH: Final = record(
    month={"type": "string", "pattern": r"^\d{4}-\d\d$"}, reports=PARTED, founded=SHARE, decided=HALF_DONE, decisions=PARTED, appeals=PARTED,
    answered=HALF_DONE, second=PARTED, agreed=SHARE, lifted=PARTED, pictures=PARTED, looks=PARTED, referrals=PARTED, notices=PARTED, operators=SMALL,
    requests=PARTED, denials=PARTED, replied=HALF_DONE, orders=PARTED, order_countries=PARTED, holds=PARTED, disclosures=PARTED,
)  # fmt: skip
MEAN: Final[Schema] = WHOLE | {"description": "mean of a day, rounded to 5; never under 10"}
SPAN: Final = {"from": WHOLE, "to": {"type": ["integer", "null"]}, "chats": MEAN}
HOURS: Final = {"days": {"type": "string", "enum": ["weekday", "weekend", "day"]}} | SPAN
PARTS: Final[Schema] = {"type": "array", "items": record(of={"type": "array", "items": STRING}, chats=MEAN)}
USE: Final = record(
    month={"type": "string", "pattern": r"^\d{4}-\d\d$"},
    hours={"type": "array", "items": {"type": "object", "properties": HOURS, "required": list(HOURS)}},
    lengths={
        "type": "array", "items": {"type": "object", "properties": SPAN, "required": list(SPAN)},
        "description": "seconds that chats lasted: `from`, and less than `to`; null: any longer",
    },
    modes=PARTS, endings=PARTS, languages=PARTS,
)  # fmt: skip
STATUS: Final = record(
    count=WHOLE, servers={"type": "array", "items": STRING}, spyQueueTime=NUMBER, spyeeQueueTime=NUMBER,
    antinudeservers={"type": "array", "items": STRING, "minItems": 1}, antinudepercent=NUMBER, rtmfp=STRING, timestamp=NUMBER,
)  # fmt: skip
EVENTS: Final[Schema] = {
    "type": ["array", "null"],
    "items": {"type": "array", "minItems": 1},
}
STARTED: Final[Schema] = {
    "anyOf": [STRING, record("", clientID=STRING, events=EVENTS), {"type": "object", "maxProperties": 0}]
}
WORD: Final[Schema] = {"type": "string", "enum": ["win", "fail"]}
READY: Final = record(
    status={"type": "string", "enum": [*READY_STATES]},
    degraded={"type": "array", "items": STRING},
)
POLLED: Final = record(
    "number frames", number=NUMBER, frames={"type": "array", "items": {"type": "object"}}, closed=NUMBER
)
ID: Final = "central1:" + "0" * 30
START: Final = {"firstevents": "1", "randid": "ABCDEFGH", "lang": "en", "topics": '["tea"]'}
IN_LANGUAGE: Final[dict[str, Schema]] = {
    "lang": {
        "type": "string",
        "description": "a language instead of Accept-Language's; one that is not there is passed over",
        "examples": ["de"],
    }
}
UNREADABLE: Final = {status: (JSON, {"type": "object"}) for status in (400, 408, 413)}


def word(path: str, summary: str, **form: str) -> Route:
    """Return a POST of Omegle's protocol that is answered with `win` or `fail`."""
    answers = {200: (TEXT, WORD), **UNREADABLE}
    return Route("POST", path, summary, answers, "omegle", "omegle.enabled", form={"id": ID, **form})


RIGHTS_ANSWERS: Final = dict.fromkeys((200, 400, 403, 408, 409, 413, 429, 503), (HTML, STRING))
RIGHTS_STATUS: Final = record(
    "request_id kind received_at expected_by status", request_id=STRING, kind=STRING, received_at=STRING, expected_by=STRING,
    status={"type": "string", "enum": ["open", "in_progress", "fulfilled", "denied", "revoked", "expired"]},
    reason={"type": ["string", "null"]}, processing_details={"type": ["string", "null"]}, answer={"type": ["string", "null"]},
    know={"type": "object"}, removed_by=STRING,
)  # fmt: skip
RIGHTS_ERRORS: Final = dict.fromkeys((400, 403, 408, 413, 429, 503), (JSON, ERROR))
RIGHTS_FORM: Final = {"token": "none", "proof": "sr1.none"}
RIGHTS_PAGES: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "": ("The page, by a rights key, an agent's code or a saved log's delete address", {}),
    "/see": ("Everything that is held about a person", {}),
    "/download": ("The same as a ZIP", {}),
    "/delete": ("The page that asks once more", {}),
    "/delete/confirm": ("Delete: hidden at once, removed later", {"records": "1", "logs": "1"}),
    "/delete/cancel": ("Take a deletion back", {}),
    "/deletion": ("How a deletion stands", {}),
    "/restrict": ("Keep everything, hidden", {}),
    "/object": ("Object", {"text": "Because."}),
    "/release": ("End that", {}),
    "/key": ("Make a rights key", {"revoke": "1"}),
    "/key/file": ("A rights key as a text file", {}),
    "/agent": ("Make a code for an agent", {"know": "1", "delete": "1"}),
    "/ticket": ("Ask without a proof", {"kind": "other", "text": "Hello.", "contact": "", "solution": ""}),
    "/state": ("How a request stands", {"number": "0000000000000"}),
    "/claim": (
        "Prove a request that came by mail, by the secret of its receipt",
        {"number": "0000000000000", "secret": "A" * 22},
    ),
}
RIGHTS_ROUTES: Final = (
    Route(
        "GET", "/privacy/request", "Requests about one's own data", PAGE | {503: (HTML, STRING)}, "rights", "store.enabled",
        proof=COOKIE, other_proof=True,
    ),
    *(
        Route(
            "POST", f"/privacy/request{path}", summary, RIGHTS_ANSWERS, "rights", "store.enabled", form=RIGHTS_FORM | fields,
            proof=COOKIE, other_proof=True,
        )
        for path, (summary, fields) in RIGHTS_PAGES.items()
    ),
    Route(
        "GET", "/privacy/request/{number}", "How a request stands, for the browser that sent it",
        dict.fromkeys((200, 403, 429, 503), (HTML, STRING)), "rights", "store.enabled", {"number": "0000000000000"},
        proof=COOKIE,
    ),
    Route(
        "GET", "/privacy/request/{number}/{secret}", "How a request that came by mail stands, by the link in its receipt",
        dict.fromkeys((200, 403, 429, 503), (HTML, STRING)), "rights", "store.enabled",
        {"number": "0000000000000", "secret": "A" * 22},
        proof=COOKIE, other_proof=True,
    ),
    Route(
        "POST", "/api/rights", "Ask, by a rights key or an agent's code: `Authorization: Bearer`; `export` is answered with a ZIP", tag="rights",
        needs="store.enabled", proof=KEY, answers={200: (JSON, RIGHTS_STATUS), **RIGHTS_ERRORS},
        body=record("kind", kind={"type": "string", "enum": ["know", "export", "delete"]}, records={"type": "boolean"}, logs={"type": "boolean"}),
    ),
    Route(
        "GET", "/api/rights/{number}", "How a request stands, by the same proof", tag="rights", needs="store.enabled", proof=KEY,
        path_fields={"number": "0000000000000"}, answers={200: (JSON, RIGHTS_STATUS), **RIGHTS_ERRORS},
    ),
)  # fmt: skip

ROUTES: Final[tuple[Route, ...]] = (
    Route("GET", "/healthz", "Whether connections are taken", {200: (TEXT, STRING)}, "operation"),
    Route(
        "GET", "/readyz", "Whether new people may be sent here; degraded: a part is away, people go on chatting",
        {200: (JSON, READY), 503: (JSON, READY)}, "operation",
    ),
    Route("GET", "/api/status", "Who is here", {200: (JSON, FIGURES)}, "api"),
    Route("GET", "/api/config", "What this server offers; what is missing is not offered", {200: (JSON, CONFIG)}, "api"),
    Route("GET", "/api/why", "What a WebSocket handshake of this client would be answered now", {200: (JSON, WHY)}, "api"),
    Route(
        "GET", "/client/{name}", "The JavaScript client, to import: v1.js, and what it imports", tag="api", path_fields={"name": "v1.js"},
        answers={200: ("text/javascript", STRING), 404: ("", {})} | SAME,
    ),
    Route("GET", "/api/privacy", "The privacy statement, as data", {200: (JSON, {"type": "object"})} | SAME, "api", query=IN_LANGUAGE),
    Route("GET", "/api/openapi.json", "This document", {200: (JSON, {"type": "object"})} | SAME, "api"),
    Route("GET", "/api/asyncapi.json", "The WebSocket's document", {200: (JSON, {"type": "object"})} | SAME, "api"),
    Route("POST", "/api/forget", "Let the browser drop our cookie", {204: ("", {}), 403: ("", {})}, "api", proof=COOKIE),
    Route(
        "POST", "/api/under-18", "One is not 18: records go, and the browser drops our cookie", {204: ("", {}), 403: ("", {}), 503: ("", {})}, "api",
        proof=COOKIE,
    ),
    Route(
        "GET", "/.well-known/serendip-receipts", "The public key by which a receipt is checked", {200: (TEXT, STRING)}, "api", "store.enabled"
    ),
    Route(
        "POST", "/api/poll", "Open a connection of HTTP requests in place of the WebSocket: see protocol.md", tag="api", needs="server.poll_clients",
        answers={200: (JSON, record("id", id=STRING)), **dict.fromkeys((400, 403, 421, 429, 431, 503), (TEXT, STRING))},
    ),
    Route(
        "GET", "/api/poll/{id}", "The frames behind batch `after`; held until there are some", tag="api", needs="server.poll_clients",
        path_fields={"id": "A" * 22}, query={"after": {"type": "integer", "minimum": 0}},
        answers={200: (JSON, POLLED), 204: ("", {}), **dict.fromkeys((404, 409, 503), (TEXT, STRING))},
    ),
    Route(
        "POST", "/api/poll/{id}", "Send frames, one a line", tag="api", needs="server.poll_clients", path_fields={"id": "A" * 22},
        query={"number": {"type": "integer", "minimum": 1}, "close": {"type": "integer"}},
        answers={204: ("", {}), **dict.fromkeys((400, 404, 408, 409, 413, 503), (TEXT, STRING))},
    ),
    Route(
        "GET", "/ws", "The WebSocket, serendip.v1: see asyncapi.json", tag="api",
        answers={101: ("", {}), **dict.fromkeys((400, 403, 404, 405, 421, 426, 429, 431, 503), (TEXT, STRING))},
    ),
    Route(
        "POST", "/api/translate", "A line in another language, for a client with a session", tag="api", needs="translation.url",
        body=TRANSLATE,
        answers={
            200: (JSON, TRANSLATED),
            **dict.fromkeys((400, 403, 408, 413, 422, 429, 503), (JSON, ERROR)),
        },
    ),
    Route(
        "POST", "/api/college/mail", "Ask for a mail with a code", tag="college", needs="mail.host", proof=COOKIE,
        body=record(address={"type": "string", "maxLength": 254, "examples": ["me@university.example"]}),
        answers={202: (JSON, MAILED), **REFUSALS},
    ),
    Route(
        "POST", "/api/college/code", "Give the code for a proof", tag="college", needs="mail.host", proof=COOKIE,
        body=record("code", code={"type": "string", "maxLength": 16, "examples": ["123456"]}, check=STRING), answers={200: (JSON, PROOF), **REFUSALS},
    ),
    Route(
        "POST", "/api/college/claim", "A proof, once the mail's link was confirmed in this browser", tag="college", needs="mail.host", proof=COOKIE,
        body={"type": "object", "properties": {"check": STRING}}, answers={200: (JSON, PROOF), **REFUSALS},
    ),
    Route(
        "GET", "/college/{link}", "The page of a mail's link", tag="college", needs="mail.host", path_fields={"link": "x"},
        answers={200: (HTML, STRING), 403: (HTML, STRING), 410: (HTML, STRING)},
    ),
    Route(
        "POST", "/college/{link}", "Its button", tag="college", needs="mail.host", path_fields={"link": "x"},
        answers={200: (HTML, STRING), 403: (HTML, STRING), 410: (HTML, STRING)},
    ),
    Route("GET", "/", "The page", PAGE | SAME),
    Route("GET", "/about", "What this is", PAGE | SAME),
    Route("GET", "/rules", "The rules", PAGE | SAME),
    Route("GET", "/privacy", "The privacy statement", PAGE | SAME, query=IN_LANGUAGE),
    Route("GET", "/privacy/changes", "Every version of it, with what changed", PAGE | SAME, query=IN_LANGUAGE),
    Route("GET", "/privacy/incidents", "Incidents with personal data", {200: (HTML, STRING), 503: (HTML, STRING)}, needs="store.enabled"),
    Route(
        "GET", "/privacy/{version}", "A version of it, as it was", {200: (HTML, STRING), 404: ("", {})} | SAME,
        path_fields={"version": "1"}, query=IN_LANGUAGE,
    ),
    Route("GET", "/parents", "For parents", PAGE),
    Route(
        "GET", "/notice", "The form of a notice from the public", PAGE, "safety",
        query={"kind": {"type": "string", "enum": ["log", "chat", "danger", "child", "other"]}, "at": {"type": "string"}},
    ),
    Route(
        "POST", "/notice", "Tell us of something unlawful, without an account; 303: to its receipt",
        {303: ("", {}), **dict.fromkeys((400, 403, 408, 413, 429, 503), (HTML, STRING))}, "safety",
        form={"kind": "other", "about": "", "words": "Somebody sells passports here.", "contact": "", "solution": ""},
    ),
    Route(
        "GET", "/notice/{receipt}", "What came of a notice", dict.fromkeys((200, 404, 429, 503), (HTML, STRING)), "safety",
        path_fields={"receipt": "none"},
    ),
    Route("GET", "/transparency", "What moderation did, month by month", dict.fromkeys((200, 503), (HTML, STRING)), "safety"),
    Route(
        "GET", "/api/transparency", "The same, as data",
        {
            200: (JSON, record("months", months={"type": "array", "items": MONTH}, ledger=record(at=WHOLE, hash=STRING))),
            503: (JSON, ERROR),
        }, "safety",
    ),
    Route("GET", "/statistics", "How this server is used, month by month", {200: (HTML, STRING), 503: (HTML, STRING)} | SAME),
    Route(
        "GET", "/api/statistics", "The same, as data", {200: (JSON, record(months={"type": "array", "items": USE})), 503: (JSON, ERROR)},
    ),
    Route("GET", "/api/statistics.csv", "The same, as a table", {200: ("text/csv", STRING), 503: (JSON, ERROR)}),
    Route("GET", "/challenge", "The frame in which a company's challenge runs, at `challenge.origin` alone", PAGE, needs="challenge.site_key"),
    Route("GET", "/offline", "What the page shows without a network", PAGE | SAME),
    Route("GET", "/sw.js", "The page's service worker", {200: ("text/javascript", STRING)} | SAME),
    Route("GET", "/manifest.webmanifest", "The page's manifest", {200: ("application/manifest+json", {"type": "object"})} | SAME),
    Route("GET", "/favicon.ico", "The icon", {200: ("image/png", BLOB)} | SAME),
    Route(
        "GET", "/.well-known/security.txt", "Whom to tell of a security problem (RFC 9116)", {200: (TEXT, STRING), 404: ("*/*", BLOB)},
        needs="operator.security_contact",
    ),
    Route(
        "GET", "/.well-known/gpc.json", "That Global Privacy Control is honoured",
        {200: (JSON, record(gpc={"type": "boolean"}, lastUpdate=STRING))},
    ),
    Route("GET", "/robots.txt", "What crawlers may read", {200: (TEXT, STRING)}),
    Route(
        "GET", "/s/{version}/{name}", "A file of the page", {200: ("*/*", BLOB), 404: (TEXT, STRING)} | SAME,
        path_fields={"version": "0", "name": "none.js"},
    ),
    Route(
        "GET", "/log/{id}", "A saved log: a page, plain text or JSON, by `as` or Accept", tag="log", needs="store.enabled",
        path_fields={"id": "none"}, query={"as": {"type": "string", "enum": ["text", "json"]}},
        answers={200: ("*/*", BLOB), 404: ("*/*", BLOB), 429: ("*/*", BLOB), 503: ("*/*", BLOB)},
    ),
    Route("GET", "/log/remove/{id}", "The page that removes a log", PAGE, "log", "store.enabled", {"id": "none"}),
    Route("POST", "/log/remove/{id}", "Remove a log that this browser took part in", {**LOG_ANSWERS}, "log", "store.enabled", {"id": "none"}),
    Route("GET", "/log/delete/{secret}", "The page that deletes a log by its secret", LOG_ANSWERS, "log", "store.enabled", {"secret": "none"}),
    Route("POST", "/log/delete/{secret}", "Delete a log by its secret", LOG_ANSWERS, "log", "store.enabled", {"secret": "none"}),
    Route(
        "GET", "/report/{receipt}", "What came of a report", dict.fromkeys((200, 404, 429, 503), (HTML, STRING)), "safety", "store.enabled",
        {"receipt": "none"},
    ),
    Route(
        "GET", "/appeal/{token}", "Reason and end of a ban or a warning", dict.fromkeys((200, 404, 429, 503), (HTML, STRING)), "safety",
        "store.enabled", {"token": "none"},
    ),
    Route(
        "POST", "/appeal/{token}", "Ask for a review of a ban or warning", dict.fromkeys((200, 400, 403, 404, 408, 413, 429, 503), (HTML, STRING)),
        "safety", "store.enabled", {"token": "none"}, form={"words": "It was not me."},
    ),
    Route(
            "POST", "/api/snap/{nonce}/{kind}", "A picture that `snap` asked for: what one sees of the other, or one's own camera",
            {204: ("", {}), **dict.fromkeys((400, 404, 408, 413, 415), ("", {}))}, "safety", "pictures.mode",
            path_fields={"nonce": "none", "kind": "theirs"}, media="image/jpeg",
    ),
    Route(
        "POST", "/api/picture/{key}", "A picture for the partner, under the key of `upload`: a JPEG with nothing but its picture",
        {204: ("", {}), **dict.fromkeys((400, 404, 408, 413, 415), ("", {}))}, "page", "pictures.in_chat",
        path_fields={"key": "A" * 22}, media="image/jpeg",
    ),
    Route(
        "GET", "/api/picture/{key}", "A picture of the chat, while it runs", {200: ("image/jpeg", BLOB), 404: ("", {})}, "page",
        "pictures.in_chat", path_fields={"key": "A" * 22},
    ),
    *RIGHTS_ROUTES,
    Route(
        "GET", "/start", "Start a search: omegle-protocol.md", {200: (JSON, STARTED), **UNREADABLE}, "omegle", "omegle.enabled",
        query={name: {"type": "string", "examples": [example]} for name, example in START.items()},
    ),
    Route(
        "POST", "/start", "Start a search: omegle-protocol.md", {200: (JSON, STARTED), **UNREADABLE}, "omegle", "omegle.enabled",
        form=START,
    ),
    *(
        Route(method, "/status", "Figures, in Omegle's form", {200: (JSON, STATUS), **UNREADABLE}, "omegle", "omegle.enabled")
        for method in ("GET", "POST")
    ),
    Route(
        "POST", "/events", "What happened; held until something does", {200: (JSON, EVENTS), **UNREADABLE}, "omegle", "omegle.enabled",
        form={"id": ID},
    ),
    word("/send", "Say something", msg="hello"),
    word("/typing", "It types"),
    *(word(path, "It stopped typing") for path in ("/stoppedtyping", "/stopTyping", "/stoptyping", "/stoppedTyping")),
    word("/disconnect", "Leave"),
    word("/stoplookingforcommonlikes", "From now on any partner will do"),
    word("/recaptcha", "Answer a challenge", response="x"),
    word("/rtcpeerdescription", "A WebRTC description", desc='{"type":"offer","sdp":"v=0"}'),
    word("/icecandidate", "A WebRTC candidate", candidate="null"),
    Route("POST", "/check", "A token without a meaning", {200: (TEXT, STRING), **UNREADABLE}, "omegle", "omegle.enabled"),
    Route(
        "POST", "/upload", "A still of one's own camera; kept nowhere", {200: (TEXT, WORD), **UNREADABLE}, "omegle", "omegle.enabled",
        media="image/jpeg",
    ),
    Route(
        "POST", "/generate", "A page with the address of the saved log", {200: (HTML, STRING), **UNREADABLE}, "omegle", "omegle.enabled",
        form={"log": '[["You:","hello"]]', "randid": "ABCDEFGH"},
    ),
)  # fmt: skip

# Addresses of earlier releases, which still answer. Described, they would overlap with others: `/log/{id}/remove` with `/log/delete/{secret}`.
EARLIER: Final = (("GET", "/log/{id}/remove"), ("POST", "/log/{id}/remove"))


def document() -> dict[str, Any]:
    """Return the whole document as JSON values."""
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = operation(route, NAMED)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Serendip",
            "version": VERSION,
            "description": (
                "Every HTTP route. asyncapi.json describes the WebSocket at /ws. A Host that the server does not know is answered 421, a method "
                "that a path does not have 405 with Allow, a head over 16 KiB 431. Under /api/ errors are JSON."
            ),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [],
        "paths": paths,
        "components": {"schemas": NAMED, "securitySchemes": PROOFS},
    }


def operation(route: Route, named: Mapping[str, Schema]) -> dict[str, Any]:
    """Return an operation as JSON values. `named`: the schemas that are referred to by a name."""
    made: dict[str, Any] = {
        "tags": [route.tag],
        "summary": route.summary,
        "operationId": operation_id(route.method, route.path),
    }
    if route.proof:
        made["security"] = [{route.proof: []}, *([{}] if route.other_proof else [])]
    if route.needs:
        made["description"] = f"Only where the setting `{route.needs}` allows it."
    parameters = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "minLength": 1, "examples": [example]},
        }
        for name, example in route.path_fields.items()
    ] + [{"name": name, "in": "query", "schema": schema} for name, schema in route.query.items()]
    if parameters:
        made["parameters"] = parameters
    if route.body is not None:
        made["requestBody"] = {"required": True, "content": {JSON: {"schema": _reference(route.body, named)}}}
    elif route.form:
        fields = {name: {"type": "string", "examples": [example]} for name, example in route.form.items()}
        made["requestBody"] = {"content": {FORM: {"schema": {"type": "object", "properties": fields}}}}
    elif route.media:
        made["requestBody"] = {"content": {route.media: {}}}
    off = {404: (JSON, ERROR) if route.path.startswith("/api/") else ("*/*", BLOB)} if route.needs else {}
    made["responses"] = {
        str(status): {
            "description": _WORDS[status],
            **({"content": {media: {"schema": _reference(schema, named)}}} if media else {}),
        }
        for status, (media, schema) in sorted((off | {421: (TEXT, STRING)} | route.answers).items())
    }
    return made


def operation_id(method: str, path: str) -> str:
    """Return an identifier, which generators turn into a function's name: `GET /log/remove/{id}` is `getLogRemoveId`."""
    words = re.findall(r"[A-Za-z0-9]+", path)
    return method.lower() + "".join(word[0].upper() + word[1:] for word in words or ["page"])


def _reference(schema: Schema, named: Mapping[str, Schema]) -> Schema:
    """Return a reference in place of a named schema."""
    return next(({"$ref": f"#/components/schemas/{name}"} for name, one in named.items() if one is schema), schema)


NAMED: Final[dict[str, Schema]] = {
    "Error": ERROR,
    "Config": CONFIG,
    "Status": FIGURES,
    "Figure": FIGURE,
    "Readiness": READY,
    "Translation": TRANSLATED,
    "TranslationRequest": TRANSLATE,
    "CollegeMail": MAILED,
    "CollegeProof": PROOF,
    "RightsRequest": RIGHTS_STATUS,
    "OmegleStatus": STATUS,
    "OmegleEvents": EVENTS,
    "OmegleStart": STARTED,
    "OmegleWord": WORD,
}
PROOFS: Final[dict[str, Schema]] = {
    COOKIE: {
        "type": "apiKey", "in": "cookie", "name": "__Host-id",
        "description": "The identity cookie that `GET /` and `/ws` set; `id` where the page comes by plain http.",
    },
    KEY: {"type": "http", "scheme": "bearer", "description": "A rights key, or an agent's code."},
}  # fmt: skip


_WORDS: Final = {
    101: "It is a WebSocket from here on",
    200: "Done",
    202: "Taken",
    204: "Done, and nothing to say",
    303: "Taken; go there",
    304: "Not changed",
    400: "The request cannot be read",
    401: "No valid token",
    403: "Not allowed",
    404: "Not there",
    405: "Not by this method; see Allow",
    408: "The body did not come in time",
    409: "Not confirmed yet, or too late",
    410: "Not valid any more",
    413: "Too large",
    415: "Not of that kind",
    421: "The Host is not known here",
    422: "It can be read, and is not allowed: the code of the error says why",
    426: "A WebSocket is spoken here",
    429: "Too much; see Retry-After",
    431: "The head is too large",
    503: "Not now; see Retry-After",
}

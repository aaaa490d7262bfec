"""Build JSON Schemas for the files of a data export.

**Invariant:** they are generated from `export_parts`, as the files are, so schemas and files cannot differ.
"""

from __future__ import annotations

from typing import Any

from server.trust.data_export.export_parts import PARTS, Part

DRAFT = "https://json-schema.org/draft/2020-12/schema"
TEXT: dict[str, Any] = {"type": "string"}
TEXTS: dict[str, Any] = {"type": "array", "items": TEXT}
WHOLE: dict[str, Any] = {"type": "integer", "minimum": 0}
KINDS: dict[str, dict[str, Any]] = {
    "text": TEXT,
    "word": TEXT,
    "whole": WHOLE,
    "time": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"},
    "day": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"},
    "month": {"type": "string", "pattern": r"^\d{4}-\d\d$"},
}


def _kind(kind: str) -> dict[str, Any]:
    plain = KINDS[kind.rstrip("?")]
    return {"anyOf": [plain, {"type": "null"}]} if kind.endswith("?") else plain


def _object(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an object with all these fields and no other."""
    return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}


def _listed(part: Part) -> dict[str, Any]:
    return {"type": "array", "items": _object({name: _kind(kind) for name, kind in part.fields.items()})}


ITEM = {
    **dict.fromkeys(("key", "what", "basis", "kept", "exported", "deleted_on_request"), TEXT),
    **dict.fromkeys(("categories", "sources", "purposes", "recipients"), TEXTS),
}
ANY = {"type": "array", "items": {"type": "object"}}
KNOW = _object(
    {
        "statement": _object({"version": {"type": ["integer", "string"]}, "date": TEXT}),
        "controller": {"type": "object"},
        "held": {"type": "boolean"},
        "items": {"type": "array", "items": _object(ITEM | {"part": TEXT, "pieces": WHOLE})},
        "elsewhere": {"type": "array", "items": _object(ITEM)},
        "categories": {
            "type": "array",
            "items": _object(
                {"category": TEXT, "name": TEXT, "collected": {"type": "boolean"}, "of_you": TEXTS}
                | dict.fromkeys(("sources", "purposes", "recipients"), TEXTS)
            ),
        },
        "recipients": ANY,
        "disclosed_for_a_business_purpose": {
            "type": "array",
            "items": _object({"recipient": TEXT, "name": TEXT, "categories": TEXTS, "purposes": TEXTS}),
        },
        "sold_or_shared": {"type": "array", "maxItems": 0},
        "automated_decisions": ANY,
        "retention": {"type": "object"},
        "rights": TEXTS,
        "complaint": TEXT,
        "counts": _object({part.name: WHOLE for part in PARTS}),
        "parts": _object({part.name: _listed(part) for part in PARTS}),
    }
)
MESSAGE = _object({"from": {"enum": [1, 2]}, "time": WHOLE | {"description": "Unix seconds"}, "text": TEXT})
SAVED_LOG = _object(
    {
        "number": TEXT,
        "saved": KINDS["time"],
        "you": WHOLE | {"description": "which of the two you were"},
        "mode": TEXT,
        "started": WHOLE,
        "cut": {"type": "boolean"},
        "account": {"type": "boolean"},
        "common": TEXTS,
        "colleges": {"type": "array", "items": {"type": ["string", "null"]}},
        "question": {"type": ["string", "null"]},
        "messages": {"type": "array", "items": MESSAGE},
    }
)
SCHEMAS: dict[str, dict[str, Any]] = {
    name: {"$schema": DRAFT, "title": name, **schema}
    for name, schema in (
        ("know", KNOW),
        *((part.name, _listed(part)) for part in PARTS),
        ("saved_log", SAVED_LOG),
    )
}

"""Build `know.json`, the main document of an export: a person's data, each kind beside the privacy statement's text about it.

**Invariant:** all text comes from the statement or the privacy registry. The document contains no time of creation, so equal data gives equal
bytes, and all sections are present even if empty.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from server.data.privacy import registry_history
from server.data.privacy.registry_model import Category
from server.data.statement.statement_document import PROVIDERS
from server.trust.data_export.export_parts import PART_OF, PARTS, Row

# Recipient by kind of provider ([[recipients]] of the settings).
BUSINESS = {kind: who.value for kind, who in PROVIDERS.items()}
YEAR = 365  # days before the answer that the law requires
RIGHTS = (
    "to see what is held about you, and to take it with you: this answer",
    "to have it deleted",
    "to have it left untouched while you dispute it (restriction), and to object to its use",
    "to have a decision about you looked at again by a person: the appeal of a ban",
    "to let somebody else ask for you",
    "to be treated no worse for asking",
)


def document(
    stated: Mapping[str, Any], pieces: Mapping[str, Sequence[Row]], counts: Mapping[str, int], now: int
) -> dict[str, Any]:
    """Return the whole document. `stated`: of server.data.privacy.current_statement; `pieces`: by part; `counts`: of each part, shown here or not."""
    held = [row for row in stated["items"] if counts.get(PART_OF.get(row["key"], ""), 0)]
    return {
        "statement": {"version": stated["version"], "date": stated["date"]},
        "controller": stated["operator"],
        "held": bool(held),
        "items": [_item(row) | {"part": PART_OF[row["key"]], "pieces": counts[PART_OF[row["key"]]]} for row in held],
        "elsewhere": [_item(row) for row in stated["items"] if row["key"] not in PART_OF],
        "categories": [_category(row, held, now) for row in stated["categories"]],
        "recipients": _recipients(stated, held),
        "disclosed_for_a_business_purpose": _business(stated, held),
        "sold_or_shared": [],
        "automated_decisions": [
            {"ban": row["number"], "rule": row["rule"], "since": row["since"], "until": row["until"]}
            for row in pieces["bans"]
            if row["by"] == "a machine"
        ],
        "retention": stated["retention"],
        "rights": list(RIGHTS),
        "complaint": _complaint(stated["operator"]),
        "counts": {part.name: counts[part.name] for part in PARTS},
        "parts": {part.name: list(pieces[part.name]) for part in PARTS},
    }


def _item(row: Mapping[str, Any]) -> dict[str, Any]:
    said = ("key", "what", "categories", "sources", "purposes", "basis", "recipients", "kept", "exported")
    return {name: row[name] for name in said} | {"deleted_on_request": row["deletable_why"]}


def _category(row: Mapping[str, Any], held: Sequence[Mapping[str, Any]], now: int) -> dict[str, Any]:
    """Return the required facts of a category: sources, purposes, recipients; `collected` by any version of the last 12 months."""
    name = next(category.name for category in Category if category.value == row["name"])
    of_you = [item for item in held if name in item["categories"]]
    return {
        "category": name,
        "name": row["name"],
        "collected": row["collected"] or name in _collected(now),
        "of_you": [item["key"] for item in of_you],
        **{
            part: sorted({word for item in of_you for word in item[part]})
            for part in ("sources", "purposes", "recipients")
        },
    }


def _collected(now: int) -> set[str]:
    """Return the categories of every version of the statement in force in the 12 months before."""
    since = f"{datetime.datetime.fromtimestamp(now - YEAR * 86_400, datetime.UTC):%Y-%m-%d}"
    versions = registry_history.history()
    ended = [later.date for later in versions[1:]] + ["9999"]
    lasting = [version for version, end in zip(versions, ended, strict=True) if end > since]
    return {name for version in lasting for item in version.items.values() for name in item.get("categories", ())}


def _recipients(stated: Mapping[str, Any], held: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the possible recipients of this person's data, by name if known."""
    may = {word for item in held for word in item["recipients"]}
    return [
        dict(row)
        | {
            "names": [one["name"] for one in stated["providers"] if BUSINESS.get(one["kind"]) == row["recipient"]],
            "items": [item["key"] for item in held if row["recipient"] in item["recipients"]],
        }
        for row in stated["recipients"]
        if row["recipient"] in may
    ]


def _business(stated: Mapping[str, Any], held: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the named providers with the categories that they got; empty without providers."""
    found = []
    for one in stated["providers"]:
        got = [item for item in held if BUSINESS.get(one["kind"]) in item["recipients"]]
        if got:
            why = sorted({word for item in got for word in item["purposes"]})
            letters = sorted({name for item in got for name in item["categories"]})
            found.append(
                {"recipient": BUSINESS[one["kind"]], "name": one["name"], "categories": letters, "purposes": why}
            )
    return found


def _complaint(operator: Mapping[str, Any]) -> str:
    """Return the sentence that names the authority for complaints."""
    who = operator.get("authority") or "the data protection authority of the place where you live or work"
    return f"You can complain to {who}."

"""Make the records of processing activities that GDPR Article 30(1) asks of a controller, from the registry and the settings.

An activity is a purpose of the registry. What only the operator knows is `[to fill in]`, never left out. English, for an authority: the words of the
privacy statement. **Invariant:** every item that this deployment has is in at least one activity.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from server.data.privacy.registry import REGISTRY
from server.data.privacy.registry_model import Category, Purpose
from server.data.statement.statement_document import document
from server.ops.config.settings import UNNAMED, Settings

UNKNOWN: Final = "[to fill in]"
USERS: Final = "users of the service"
STAFF: Final = "moderators and operators"
SUBJECTS: Final = {  # of the items that are not about users alone
    "operator": (STAFF,),
    "answer_template": (STAFF,),
    "api_token": (STAFF,),
    "approval": (STAFF,),
    "audit": (USERS, STAFF),
    "access_log": ("visitors of the pages",),
    "law_notice": ("people who report something without an account",),
    **dict.fromkeys(
        ("request", "request_text", "request_answer", "request_mail", "request_limits"),
        ("people who make a request",),
    ),
}
SECURITY: Final = ("security", "security.bare", "disk", "memory")  # the texts of the statement that describe measures
TRANSFERS: Final = {
    "": UNKNOWN,
    "inside": "none out of the European Union",
    "adequacy": "adequacy decision (Article 45)",
    "clauses": "standard contractual clauses (Article 46(2)(c))",
    "rules": "binding corporate rules (Article 47)",
    "consent": "explicit consent (Article 49(1)(a))",
}


def processing_records(settings: Settings) -> dict[str, Any]:
    """Return the records as JSON values. Raises NotReleased."""
    made = document(settings)
    operator = settings.operator
    return {
        "registry": made["registry"],
        "controller": {
            "name": UNKNOWN if operator.name == UNNAMED else operator.name,
            "address": operator.address or UNKNOWN,
            "email": operator.email or UNKNOWN,
            "country": operator.country or UNKNOWN,
            "representative": operator.representative or "none named",
            "data protection officer": operator.officer or "none named",
        },
        "activities": [
            activity for purpose in Purpose if (activity := _activity(purpose.value, made["items"]))["data"]
        ],
        "data": [_datum(item) for item in made["items"]],
        "providers": [
            {
                "name": one["name"],
                "kind": one["kind"],
                "country": one["country"] or UNKNOWN,
                "contract": one["contract"] or UNKNOWN,
                "safeguard": TRANSFERS[one["safeguard"]],
                "copy": one["safeguard_link"],
            }
            for one in made["providers"]
        ],
        "security": [text["body"] for text in made["texts"] if text["key"] in SECURITY],
    }


def _activity(purpose: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    mine = [item for item in items if purpose in item["purposes"]]
    return {
        "purpose": purpose,
        "subjects": _each(who for item in mine for who in SUBJECTS.get(item["key"], (USERS,))),
        "categories": _each(Category[name].value for item in mine for name in item["categories"]),
        "bases": _each(item["basis"] for item in mine),
        "recipients": _each(who for item in mine for who in item["recipients"]),
        "data": [REGISTRY.heading(item["key"]) for item in mine],
    }


def _datum(item: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": REGISTRY.heading(item["key"]),
        "subjects": list(SUBJECTS.get(item["key"], (USERS,))),
        "what": item["what"],
        "sources": item["sources"],
        "basis": item["basis"],
        "recipients": item["recipients"],
        "kept": item["kept"],
        "places": item["places"],
    }


def _each(found: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(found))


def missing(records: dict[str, Any]) -> list[str]:
    """Return what the settings do not say, to be filled in by hand."""
    found = [name for name, value in records["controller"].items() if value == UNKNOWN]
    for one in records["providers"]:
        found += [f"{key} of {one['name']}" for key in ("country", "contract", "safeguard") if one[key] == UNKNOWN]
    return found if records["providers"] else [*found, "every provider ([[recipients]])"]


def markdown(records: dict[str, Any]) -> str:
    """Return the records as a document."""
    registry = records["registry"]
    lines = [
        "# Records of processing activities",
        "",
        "GDPR, Article 30(1). Made by `serendip privacy records` from the settings of this deployment and version",
        f"{registry['version']} ({registry['date']}) of the program's registry of personal data.",
        "",
        "## Controller",
        "",
        *(f"- {name}: {value}" for name, value in records["controller"].items()),
    ]
    for number, one in enumerate(records["activities"], 1):
        lines += ["", f"## Activity {number}: {one['purpose']}", ""]
        for name in ("subjects", "categories", "bases", "recipients", "data"):
            lines.append(f"- {_TITLES[name]}: {'; '.join(one[name]) or 'none'}")
    lines += ["", "## Providers, and transfers to third countries", ""]
    lines += _rows(
        ("provider", "kind", "country", "contract", "safeguard of a transfer"),
        [
            (one["name"], one["kind"], one["country"], one["contract"], f"{one['safeguard']} {one['copy']}".rstrip())
            for one in records["providers"]
        ],
    )
    lines += ["", "## Time limits for deletion", ""]
    lines += _rows(
        ("data", "about", "kept", "where", "what it is"),
        [
            (one["name"], "; ".join(one["subjects"]), one["kept"], "; ".join(one["places"]), one["what"])
            for one in records["data"]
        ],
    )
    lines += ["", "## Technical and organisational measures", "", *(f"- {body}" for body in records["security"])]
    lines += [
        f"- Organisation: {UNKNOWN}: who has which access, training, contracts with moderators, the machine room."
    ]
    return "\n".join(lines) + "\n"


_TITLES: Final = {
    "subjects": "Whom it concerns",
    "categories": "Categories of data",
    "bases": "Legal bases",
    "recipients": "Categories of recipients",
    "data": "Data",
}


def _rows(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    if not rows:
        return [UNKNOWN]
    table = [head, ("---",) * len(head), *rows]
    return ["| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in row) + " |" for row in table]

"""Compare the registry with the program: every declared item must exist, and every column, log field, metric label, cookie and browser storage key
must be declared.

**Invariant:** `findings` returns an empty list in a correct source tree, and each finding names its place (tests, `serendip privacy check`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from sqlalchemy import MetaData

from server.data.privacy.registry import REGISTRY
from server.data.privacy.registry_model import (
    BrowserStore,
    Column,
    Cookie,
    LogField,
    MetricLabel,
    ObjectPrefix,
    Registry,
)
from server.data.schema import (  # noqa: F401 - their tables
    console_schema,
    data_request_schema,
    deletion_schema,
    disclosure_schema,
    emergency_review_schema,
    incident_schema,
    law_order_schema,
    moderation_schema,
    transparency_schema,
)
from server.data.schema.record_schema import metadata
from server.ops import log
from server.ops.metrics.metric_table import METRICS
from server.ops.security import identity_cookie

SERVER = Path(__file__).resolve().parents[2]
STORAGE = re.compile(r"""\b(?:local|session)Storage\s*\.\s*setItem\s*\(\s*(?:["'`]([^"'`]+)["'`]|(\w+))""")
CONSTANT = re.compile(r"""\bconst (\w+) = ["']([^"']*)["']""")
TEMPLATE = re.compile(r"\$\{(\w+)\}")
KEPT = re.compile(r"\bconst KEPT = \[([^\]]*)\]")
PUT = re.compile(r"""\.put\(\s*f?["']([a-z]+/)""")


def columns(metadata: MetaData, registry: Registry) -> list[str]:
    """Return findings about database columns, in both directions."""
    findings: list[str] = []
    declared: dict[str, set[str]] = {}
    for item, place in registry.places(Column):
        declared.setdefault(place.name, set()).add(item.key)  # type: ignore[union-attr]
    seen: set[str] = set()
    for table in metadata.sorted_tables:
        for column in table.columns:
            name = f"{table.name}.{column.name}"
            seen.add(name)
            if "pd" not in column.info:
                findings.append(f"column {name}: says nothing about personal data")
            elif column.info["pd"] is None:
                if not column.info.get("why"):
                    findings.append(f"column {name}: is said to hold nothing personal, without a reason")
                if name in declared:
                    findings.append(
                        f"column {name}: the registry declares it as {sorted(declared[name])}, the schema as nobody's"
                    )
            elif column.info["pd"] not in declared.get(name, set()):
                findings.append(
                    f"column {name}: holds {column.info['pd']!r}, which the registry does not declare there"
                )
    findings += [
        f"column {name}: declared by {sorted(keys)}, but there is no such column"
        for name, keys in declared.items()
        if name not in seen
    ]
    return findings


def subjects(metadata: MetaData, registry: Registry) -> list[str]:
    """Return findings about clocks and subjects of items that are not columns although they look like column names."""
    names = {f"{table.name}.{column.name}" for table in metadata.sorted_tables for column in table.columns}
    findings = [
        f"{item.key}: its subject {item.subject} is no column"
        for item in registry.items
        if item.subject and item.subject not in names
    ]
    for item in registry.items:
        after = getattr(item.keep, "after", "")
        if "." in after and after not in names:
            findings.append(f"{item.key}: its clock {after} is no column")
    return findings


def named(kind: str, found: Iterable[str], declared: Iterable[str], *, optional: Iterable[str] = ()) -> list[str]:
    """Return the differences between the names found and the names declared, of one kind. `optional`: may be declared without existing."""
    there, said = set(found), set(declared)
    return [f"{kind} {name}: not declared in the registry" for name in sorted(there - said)] + [
        f"{kind} {name}: declared, but there is no such {kind}" for name in sorted(said - there - set(optional))
    ]


def cookies(found: Iterable[str], registry: Registry) -> list[str]:
    """Return findings about the cookies that the server can set."""
    return named("cookie", found, (place.name for _, place in registry.places(Cookie)))  # type: ignore[union-attr]


def prefixes(sources: Path, registry: Registry) -> list[str]:
    """Return findings about object prefixes: those that a `put` in the sources names, against those declared."""
    text = "".join(path.read_text() for path in sorted(sources.rglob("*.py")))
    found = set(PUT.findall(text)) | set(re.findall(r'name = f"([a-z]+/)\{', text))
    return named("object prefix", found, (place.prefix for _, place in registry.places(ObjectPrefix)))  # type: ignore[union-attr]


def log_fields(events: Mapping[str, Iterable[str]], registry: Registry) -> list[str]:
    """Return findings about log fields: each is declared as personal data, or listed as never personal."""
    declared = {place.name for _, place in registry.places(LogField)}  # type: ignore[union-attr]
    plain = {entry.name.removeprefix("log:") for entry in registry.not_personal if entry.name.startswith("log:")}
    there = {f"{event}.{field}" for event, fields in events.items() for field in fields}
    findings = [
        f"log field {name}: not declared in the registry"
        for name in sorted(there)
        if name not in declared and name.rpartition(".")[2] not in plain
    ]
    return findings + [f"log field {name}: declared, but no event has it" for name in sorted(declared - there)]


def metric_labels(labels: Mapping[str, Iterable[str]], registry: Registry) -> list[str]:
    """Return findings about metric labels. `labels`: label names by metric name."""
    declared = {place.name for _, place in registry.places(MetricLabel)}  # type: ignore[union-attr]
    plain = {entry.name.removeprefix("label:") for entry in registry.not_personal if entry.name.startswith("label:")}
    there = {label for names in labels.values() for label in names}
    return [f"metric label {name}: not declared in the registry" for name in sorted(there - declared - plain)]


def browser(found: Iterable[str], registry: Registry) -> list[str]:
    """Return findings about the keys that the page stores in the browser."""
    return named("browser store", found, (place.key for _, place in registry.places(BrowserStore)))  # type: ignore[union-attr]


def browser_keys(folder: Path) -> set[str]:
    """Return the keys of localStorage and sessionStorage that the page's scripts set, with names of constants and templates resolved."""
    found: set[str] = set()
    for path in sorted(folder.rglob("*.js")):
        if "vendor" in path.parts:
            continue
        text = path.read_text()
        constants = dict(CONSTANT.findall(text))
        for quoted, name in STORAGE.findall(text):
            key = constants.get(name, f"?{name}") if name else quoted
            for inner in TEMPLATE.findall(key):
                key = key.replace(f"${{{inner}}}", constants.get(inner, "?"))
            found.add(key)
        for names in KEPT.findall(text):
            found |= {f"{constants.get('NAME', '?')}/{name}" for name in re.findall(r'"([^"]+)"', names)}
    return found


def set_cookies(sources: Path) -> set[str]:
    """Return the names of cookies that the sources set beside `identity_cookie.py`: literals, and constants defined in any source."""
    text = "".join(path.read_text() for path in sorted(sources.rglob("*.py")))
    constants = dict(re.findall(r"""^([A-Z_]+) = ["']([^"']+)["']""", text, re.M))
    named = re.findall(r"""\.set_cookie\(\s*(?:["']([^"']+)["']|([A-Z_]+))""", text)
    return {literal or constants.get(constant, f"?{constant}") for literal, constant in named}


def findings() -> list[str]:
    """Return all findings about this program: undeclared data, and declared data that does not exist."""
    return [
        *columns(metadata, REGISTRY),
        *subjects(metadata, REGISTRY),
        *cookies({identity_cookie.PLAIN, identity_cookie.SECURE} | set_cookies(SERVER), REGISTRY),
        *prefixes(SERVER, REGISTRY),
        *log_fields(log.EVENTS, REGISTRY),
        *metric_labels({metric.name: metric.labels for metric in METRICS}, REGISTRY),
        *browser(browser_keys(SERVER / "site/web"), REGISTRY),
    ]

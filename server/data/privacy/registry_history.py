"""The registry's versions and their history. Rule: a registry that changed needs a new version; a deployment's version begins with it.

`history/*.json` holds one snapshot a version (date and number in the name). Two levels: any change of the registry
needs a release (`is_released`), and a change that *adds* a category, purpose or recipient is a change of which people
are told (`additions`). `serendip privacy release` writes the next one; the build's tests fail until it is there.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from server.data.privacy.registry import DEFAULT_DAYS, REGISTRY
from server.data.privacy.registry_model import Days, Item, Registry
from server.ops.config.settings import Retention

HISTORY = Path(__file__).parent / "history"


class NotReleased(RuntimeError):
    """The registry is not what the newest version says: `serendip privacy release` first."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the statement."""

    number: int
    date: str
    items: Mapping[str, Mapping[str, Any]]
    digest: str
    news: tuple[str, ...] = ()


def days_of(item: Item, retention: Retention) -> int:
    """Days that this deployment keeps an item: the default may be shortened, the erasure list lives as long as a backup."""
    keep = item.keep
    if not isinstance(keep, Days):
        raise ValueError(f"{item.key} is not kept for a number of days")
    if item.key == "erasure":
        return retention.backup_days
    return min(retention.days, keep.days) if keep.days == DEFAULT_DAYS else keep.days


def snapshot(registry: Registry = REGISTRY) -> dict[str, dict[str, Any]]:
    """The registry as plain values, in a fixed order: what a version is made of."""
    return {
        item.key: {
            "categories": sorted(c.name for c in item.categories),
            "what": item.what,
            "sources": sorted(s.name for s in item.sources),
            "purposes": sorted(p.name for p in item.purposes),
            "basis": item.basis.name,
            "recipients": sorted(r.name for r in item.recipients),
            "keep": repr(item.keep),
            "places": sorted(repr(place) for place in item.places),
            "export": item.export.name,
            "delete": [item.delete.can, item.delete.why],
            "hold": item.hold,
        }
        for item in sorted(registry.items, key=lambda item: item.key)
    } | {f"text:{text.key}": {"what": text.body} for text in registry.texts}


def digest(snap: Mapping[str, Any]) -> str:
    """SHA-256 of a snapshot."""
    return hashlib.sha256(orjson.dumps(snap, option=orjson.OPT_SORT_KEYS)).hexdigest()


def additions(old: Mapping[str, Mapping[str, Any]], new: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What people must be told: items, and categories, purposes or recipients of items, that the old version did not have."""
    found: list[str] = []
    for key, row in new.items():
        if key.startswith("text:"):
            continue
        before = old.get(key)
        if before is None:
            found.append(f"new: {key}")
            continue
        for field in ("categories", "purposes", "recipients"):
            found += [f"{key}: {field} now has {word}" for word in sorted(set(row[field]) - set(before[field]))]
    return found


@lru_cache(maxsize=1)
def history() -> tuple[Version, ...]:
    """All versions, oldest first. Raises NotReleased where there is none."""
    versions = []
    for path in sorted(HISTORY.glob("*.json")):
        body = orjson.loads(path.read_bytes())
        versions.append(
            Version(body["version"], body["date"], body["items"], body["digest"], tuple(body.get("news", ())))
        )
    if not versions:
        raise NotReleased("the statement has no version yet: serendip privacy release")
    return tuple(sorted(versions, key=lambda version: version.number))


def current() -> Version:
    """The newest version."""
    return history()[-1]


def check(registry: Registry = REGISTRY) -> list[str]:
    """Why the registry may not be published as it stands; empty when the newest version says exactly this."""
    new = snapshot(registry)
    newest = current()
    if digest(new) == newest.digest:
        return []
    told = additions(newest.items, new)
    changed = sorted(key for key in new.keys() | newest.items.keys() if new.get(key) != newest.items.get(key))
    return [f"the registry changed since version {newest.number} ({newest.date}): {', '.join(changed)}", *told]


def release(today: datetime.date, folder: Path = HISTORY, registry: Registry = REGISTRY) -> Path | None:
    """Write the next version; None when nothing changed. A day has one version at most a number: the name holds both."""
    new = snapshot(registry)
    history.cache_clear()
    old = [orjson.loads(path.read_bytes()) for path in sorted(folder.glob("*.json"))]
    newest = max(old, key=lambda body: int(body["version"]), default=None)
    if newest is not None and newest["digest"] == digest(new):
        return None
    number = 1 if newest is None else int(newest["version"]) + 1
    news = [] if newest is None else additions(newest["items"], new)
    body = {"version": number, "date": today.isoformat(), "digest": digest(new), "news": news, "items": new}
    path = folder / f"{today.isoformat()}-{number:03}.json"
    path.write_bytes(orjson.dumps(body, option=orjson.OPT_INDENT_2) + b"\n")
    return path

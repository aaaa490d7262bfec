"""Keep the released versions of the registry (`history/*.json`), and write the next one for `serendip privacy release`.

**Rule:** any change of the registry needs a release, or the tests fail (`check`). A change that adds a category, purpose or recipient must also be
announced to users (`additions`).
"""

from __future__ import annotations

import datetime
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from server.data.privacy.registry import DEFAULT_DAYS, REGISTRY
from server.data.privacy.registry_model import Days, Item, Purpose, Recipient, Registry, Source
from server.ops.config.settings import Retention

HISTORY = Path(__file__).parent / "history"
_days = re.compile(r"Days\(days=(\d+), after='([^']*)'").match
_words = re.compile(r"""(?:Forever\(why|(?:While|For)\(what)=(?:'([^']*)'|"([^"]*)")""").match


class NotReleased(RuntimeError):
    """The registry differs from the newest released version, or no version exists: run `serendip privacy release`."""


@dataclass(frozen=True, slots=True)
class Version:
    """One released version of the registry."""

    number: int
    date: str
    items: Mapping[str, Mapping[str, Any]]
    digest: str
    news: tuple[str, ...] = ()


def days_of(item: Item, retention: Retention) -> int:
    """Return the days that this deployment keeps an item: the default may be shortened; the erasure list lives as long as a backup.

    Raises ValueError if the item is not kept for a number of days.
    """
    keep = item.keep
    if not isinstance(keep, Days):
        raise ValueError(f"{item.key} is not kept for a number of days")
    if item.key == "erasure":
        return retention.backup_days
    return min(retention.days, keep.days) if keep.days == DEFAULT_DAYS else keep.days


def snapshot(registry: Registry = REGISTRY) -> dict[str, dict[str, Any]]:
    """Return the registry as plain values in a fixed order: the content of a version."""
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
    """Return the SHA-256 of a snapshot."""
    return hashlib.sha256(orjson.dumps(snap, option=orjson.OPT_SORT_KEYS)).hexdigest()


def additions(old: Mapping[str, Mapping[str, Any]], new: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the additions that users must be told of: new items, and new categories, purposes or recipients of known items."""
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
    """Return all versions, oldest first. Raises NotReleased if none exists."""
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
    """Return the newest version. Raises NotReleased."""
    return history()[-1]


def check(registry: Registry = REGISTRY) -> list[str]:
    """Return the reasons why the registry may not be published as it is; empty if the newest version is identical to it."""
    new = snapshot(registry)
    newest = current()
    if digest(new) == newest.digest:
        return []
    told = additions(newest.items, new)
    changed = sorted(key for key in new.keys() | newest.items.keys() if new.get(key) != newest.items.get(key))
    return [f"the registry changed since version {newest.number} ({newest.date}): {', '.join(changed)}", *told]


def release(today: datetime.date, folder: Path = HISTORY, registry: Registry = REGISTRY) -> Path | None:
    """Write the next version and return its file; None if nothing changed. The file name holds date and number."""
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


def released() -> list[dict[str, Any]]:
    """Return number, date and additions of all versions, newest first."""
    return [{"version": v.number, "date": v.date, "news": list(v.news)} for v in reversed(history())]


@lru_cache(maxsize=8)
def past_statement(name: str) -> dict[str, Any] | None:
    """Return the items and sentences of a version; None if no version has this number."""
    found = next((version for version in history() if str(version.number) == name), None)
    if found is None:
        return None
    rows = found.items.items()
    return {
        "version": found.number,
        "date": found.date,
        "items": [_item(key, row) for key, row in rows if not key.startswith("text:")],
        "texts": [row["what"] for key, row in rows if key.startswith("text:")],
    }


def _item(key: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item of a snapshot in words; a name that the model no longer has stays as it is."""
    return {
        "key": key,
        "what": row["what"],
        "categories": row["categories"],
        "sources": [_value(Source, name) for name in row["sources"]],
        "purposes": [_value(Purpose, name) for name in row["purposes"]],
        "recipients": [_value(Recipient, name) for name in row["recipients"]],
        "kept": _kept(row["keep"]),
    }


def _value(kind: type[Source] | type[Purpose] | type[Recipient], name: str) -> str:
    return str(kind[name].value) if name in kind.__members__ else name


def _kept(said: str) -> str:
    if found := _days(said):
        return f"{found[1]} days, from {found[2]}"
    words = _words(said)
    return (words[1] or words[2]) if words else said

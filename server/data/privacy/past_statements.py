"""Versions of the statement that stand in the program itself: those of the registry. Rule: read from their snapshots, as they were."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from server.data.privacy.registry_history import history
from server.data.privacy.registry_model import Purpose, Recipient, Source

_days = re.compile(r"Days\(days=(\d+), after='([^']*)'").match
_words = re.compile(r"""(?:Forever\(why|(?:While|For)\(what)=(?:'([^']*)'|"([^"]*)")""").match


def versions() -> list[dict[str, Any]]:
    """All of them, the newest first: number, date, what was added."""
    return [{"version": v.number, "date": v.date, "news": list(v.news)} for v in reversed(history())]


@lru_cache(maxsize=8)
def document(name: str) -> dict[str, Any] | None:
    """The pieces and sentences of a version; None: there is none of that number."""
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
    """An item of a snapshot in words; a name that there no longer is stays as it is."""
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

"""Compare the data processing of a deployment before and after a change, and list the differences for the privacy statement.

**Invariant:** each difference is either an addition, which must be announced before it takes effect, or not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from server.data.privacy import registry_history

ADDS = frozenset(
    (
        "registry.added",
        "recipient.added",
        "recipient.changed",
        "operator",
        "transfer",
        "country",
        "days.longer",
        "backups.longer",
        "feature.on",
    )
)  # announced to users in advance


@dataclass(frozen=True, slots=True)
class Change:
    """One change. `key`: a sentence of the catalogues under `privacy.change.`; `name`: the thing that changed."""

    key: str
    name: str

    @property
    def adds(self) -> bool:
        """Whether users must be told before the change takes effect."""
        return self.key in ADDS

    def __str__(self) -> str:
        return f"{self.key}: {self.name}"


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Return all changes between two states (`statement_versions.state`), those of the registry first."""
    return [
        *_registry(old["registry"], new["registry"]),
        *_operator(old, new),
        *_recipients(old, new),
        *_lengths(old, new),
        *_features(old, new),
    ]


def _registry(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    if old["digest"] == new["digest"]:
        return
    known = {version.number: version for version in registry_history.history()}
    before, after = known.get(old["version"]), known.get(new["version"])
    added = registry_history.additions(before.items, after.items) if before and after else []
    for said in added:
        yield Change("registry.added", said)
    if not added:
        yield Change("registry.words", str(new["version"]))


def _operator(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    before, after = old["operator"], new["operator"]
    if before["name"] != after["name"]:
        yield Change("operator", after["name"])
    if before["country"] != after["country"]:
        yield Change("country", after["country"])
    for name in after:
        if name not in ("name", "country") and before.get(name) != after[name]:
            yield Change("contact", after[name])


def _recipients(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    before, after = ({(one["name"], one["kind"]): one for one in state["recipients"]} for state in (old, new))
    for key, one in after.items():
        if key not in before:
            yield Change("recipient.added", one["name"])
        elif _filled(before[key]) != _filled(one):
            yield Change("recipient.changed", one["name"])
    for key, one in before.items():
        if key not in after:
            yield Change("recipient.gone", one["name"])


def _filled(one: Mapping[str, Any]) -> dict[str, Any]:
    """Return the filled fields of a recipient: an older version had fewer fields."""
    return {name: value for name, value in one.items() if value}


def _lengths(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for name, key in (("days", "days"), ("backup_days", "backups")):
        before, after = old["retention"][name], new["retention"][name]
        if before != after:
            yield Change(f"{key}.{'longer' if after > before else 'shorter'}", str(after))


def _features(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    before, after = set(old["features"]), set(new["features"])
    for name in sorted(after - before):
        yield Change("feature.on", name)
    for name in sorted(before - after):
        yield Change("feature.off", name)

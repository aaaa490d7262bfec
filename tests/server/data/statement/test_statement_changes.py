"""Each change of a deployment is named, and whether people are told of it before."""

from __future__ import annotations

from typing import Any

import pytest

from server.data.privacy import registry_history
from server.data.statement.statement_changes import ADDS, compare
from server.data.statement.statement_versions import state
from server.http.words.catalogue import words
from server.ops.config.settings import Settings

OLD: dict[str, Any] = {
    "operator": {"name": "A", "country": "Norway", "email": "a@example.org"},
    "retention": {"days": 60, "backup_days": 10},
    "recipients": [{"name": "Hoster", "kind": "hosting"}],
}


@pytest.mark.parametrize(
    ("new", "key", "name"),
    [
        ({"operator": {**OLD["operator"], "name": "B"}}, "operator", "B"),
        ({"operator": {**OLD["operator"], "country": "France"}}, "country", "France"),
        ({"operator": {**OLD["operator"], "email": "b@example.org"}}, "contact", "b@example.org"),
        ({"retention": {"days": 61, "backup_days": 10}}, "days.longer", "61"),
        ({"retention": {"days": 59, "backup_days": 10}}, "days.shorter", "59"),
        ({"retention": {"days": 60, "backup_days": 11}}, "backups.longer", "11"),
        ({"retention": {"days": 60, "backup_days": 9}}, "backups.shorter", "9"),
        ({"recipients": []}, "recipient.gone", "Hoster"),
        ({"recipients": [*OLD["recipients"], {"name": "CDN", "kind": "cdn"}]}, "recipient.added", "CDN"),
        ({"recipients": [{"name": "Hoster", "kind": "hosting", "country": "France"}]}, "recipient.changed", "Hoster"),
        ({"mail": {"host": "mail.example"}}, "feature.on", "mail"),
        ({"omegle": {"enabled": False}}, "feature.off", "omegle"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_setting_of_the_statement_is_a_change_of_its_own(new: dict[str, Any], key: str, name: str) -> None:
    before, after = (state(Settings.model_validate({**OLD, **chosen})) for chosen in ({}, new))
    (change,) = compare(before, after)
    assert (change.key, change.name) == (key, name)
    assert change.adds == (key in ADDS)
    assert all(f"privacy.change.{key}" in one.table for one in words().values())
    assert compare(before, before) == []


def test_a_newer_registry_says_what_it_adds() -> None:
    versions = registry_history.history()
    old, new = (state(Settings()) | {"registry": {"version": v.number, "digest": v.digest}} for v in versions[:2])
    found = compare(old, new)
    assert [change.name for change in found] == registry_history.additions(versions[0].items, versions[1].items)
    assert {change.key for change in found} == {"registry.added"}
    assert {change.key for change in compare(new, old)} <= {"registry.added", "registry.words"}

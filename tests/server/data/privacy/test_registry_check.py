"""The registry, the walk and the statement agree with the program; a change that is not declared, or not released, fails by its name."""

from __future__ import annotations

import dataclasses
import datetime
from pathlib import Path

import pytest
from sqlalchemy import Column, LargeBinary, MetaData

from server.data.privacy import registry_check, registry_history
from server.data.privacy.registry import REGISTRY
from server.data.privacy.registry_model import Category, Cookie, Days, Item, Purpose, Recipient, Registry
from server.data.schema.record_schema import metadata
from server.ops.config.settings import Retention


def changed(key: str, **fields: object) -> Registry:
    """The registry with one item changed."""
    items = tuple(dataclasses.replace(item, **fields) if item.key == key else item for item in REGISTRY.items)  # type: ignore[arg-type]
    return dataclasses.replace(REGISTRY, items=items, _by_key={})


def test_everything_that_is_there_is_declared_and_everything_declared_is_there() -> None:
    assert registry_check.findings() == []


def test_the_newest_version_says_exactly_what_the_registry_says() -> None:
    assert registry_history.check() == [], "run: serendip privacy release"


def test_what_is_said_and_shown_serves_the_chats_safety_and_the_law_alone() -> None:
    allowed = {Purpose.SERVICE, Purpose.SAFETY, Purpose.RULES, Purpose.LEGAL, Purpose.VERIFY}
    shown = [item for item in REGISTRY.items if {Category.L, Category.LOG, Category.H} & set(item.categories)]
    assert len(shown) > 5
    assert [item.key for item in shown if set(item.purposes) - allowed] == []


def test_a_new_column_fails_with_its_name() -> None:
    other = MetaData()
    for table in metadata.sorted_tables:
        copy = table.to_metadata(other)
        for column in table.columns:
            copy.c[column.name].info.update(column.info)
    other.tables["party"].append_column(Column("mood", LargeBinary(4)))
    assert registry_check.columns(other, REGISTRY) == ["column party.mood: says nothing about personal data"]
    other.tables["party"].c.mood.info["pd"] = "identity"
    assert registry_check.columns(other, REGISTRY) == [
        "column party.mood: holds 'identity', which the registry does not declare there"
    ]


def test_a_declared_column_that_is_gone_fails_with_its_name() -> None:
    identity = REGISTRY.item("identity")
    from server.data.privacy.registry_model import Column as Place

    found = registry_check.columns(metadata, changed("identity", places=(*identity.places, Place("party.face"))))
    assert found == ["column party.face: declared by ['identity'], but there is no such column"]


def test_a_new_cookie_browser_key_log_field_or_label_fails_with_its_name(tmp_path: Path) -> None:
    assert registry_check.cookies({"id", "__Host-id", "__Host-mod", "__Host-mod-language", "track"}, REGISTRY) == [
        "cookie track: not declared in the registry"
    ]
    assert registry_check.log_fields({"server.ready": {"host"}, "chat.said": {"text"}}, REGISTRY) == [
        "log field chat.said.text: not declared in the registry"
    ]
    assert registry_check.metric_labels({"x": ("interest",)}, REGISTRY) == [
        "metric label interest: not declared in the registry"
    ]
    (tmp_path / "a.js").write_text(
        'const KEY = "spy";\nlocalStorage.setItem(`${KEY}.x`, 1); sessionStorage.setItem(KEY, 1); localStorage.setItem("y", 2)'
    )
    assert registry_check.browser_keys(tmp_path) == {"spy.x", "spy", "y"}
    (tmp_path / "b.py").write_text(
        'MINE = "mine"\nx.set_cookie("hello", 1)\nx.set_cookie(MINE, 1)\nstore.put(f"faces/{n}", b"")'
    )
    assert registry_check.set_cookies(tmp_path) == {"hello", "mine"}
    assert "object prefix faces/: not declared in the registry" in registry_check.prefixes(tmp_path, REGISTRY)


def test_a_cookie_that_nobody_sets_fails_with_its_name() -> None:
    identity = REGISTRY.item("identity")
    wider = changed("identity", places=(*identity.places, Cookie("old")))
    assert registry_check.cookies({"id", "__Host-id", "__Host-mod", "__Host-mod-language"}, wider) == [
        "cookie old: declared, but there is no such cookie"
    ]


@pytest.mark.parametrize(
    ("key", "fields", "told"),
    [
        ("country", {"purposes": (Purpose.SAFETY, Purpose.IMPROVE)}, "country: purposes now has IMPROVE"),
        (
            "identity",
            {"recipients": (Recipient.HOSTING, Recipient.POLICE, Recipient.COURT, Recipient.MODERATION)},
            "identity: recipients now has MODERATION",
        ),
        ("chat", {"categories": (Category.F, Category.G), "recipients": ()}, "chat: categories now has G"),
    ],
)
def test_a_new_category_purpose_or_recipient_fails_until_there_is_a_version_that_tells_people(
    key: str, fields: dict[str, object], told: str, tmp_path: Path
) -> None:
    wider = changed(key, **fields)
    found = registry_history.check(wider)
    assert key in found[0]
    assert told in found
    today = datetime.date(2027, 1, 2)
    registry_history.release(today, tmp_path, REGISTRY)
    assert registry_history.release(today, tmp_path, REGISTRY) is None
    path = registry_history.release(today, tmp_path, wider)
    registry_history.history.cache_clear()
    assert path is not None
    assert path.name == "2027-01-02-002.json"
    assert told in path.read_text()


def test_country_is_not_for_the_police() -> None:
    with pytest.raises(ValueError, match="country"):
        changed("country", recipients=(Recipient.POLICE,))


def test_a_category_of_which_none_is_collected_cannot_be_claimed() -> None:
    with pytest.raises(ValueError, match="chat"):
        changed("chat", categories=(Category.K,))


def test_days_follow_the_deployment_and_never_exceed_the_promise() -> None:
    items = [item for item in REGISTRY.items if isinstance(item.keep, Days)]
    short = Retention(days=30, backup_days=7)
    assert {item.key: registry_history.days_of(item, short) for item in items} == {
        "identity": 30, "address": 30, "country": 30, "chat": 30, "audit": 365, "erasure": 7,
        "report": 30, "case": 30, "case_subject": 30, "case_comment": 30, "ban": 30, "notice": 30, "appeal": 30, "law_notice": 30,
        "approval": 365, "emergency_review": 730,
        "access_log": 14, "deletion": 730, "request": 730, "deletion_notice": 730, "disclosure_subject": 730,
        "law_order": 730, "request_answer": 30, "agent_use": 14,
        "request_mail": 1,
    }  # fmt: skip
    assert all(registry_history.days_of(item, Retention()) <= 730 for item in items)


def test_the_history_is_dated_in_order_and_whole() -> None:
    versions = registry_history.history()
    assert [version.number for version in versions] == list(range(1, len(versions) + 1))
    assert [version.date for version in versions] == sorted(version.date for version in versions)
    assert all(registry_history.digest(version.items) == version.digest for version in versions)


def test_an_item_says_all_that_the_law_asks_for() -> None:
    for item in REGISTRY.items:
        assert isinstance(item, Item)
        assert item.categories, item.key
        assert item.sources, item.key
        assert item.purposes, item.key
        assert item.places, item.key
        assert item.delete.why, item.key
    contracts = {contract.recipient for contract in REGISTRY.contracts}
    assert {recipient for item in REGISTRY.items for recipient in item.recipients} <= contracts

"""Test know.json: categories, recipients and decisions, from the statement and the records."""

from __future__ import annotations

from typing import Any

from server.ops.config.settings import Retention
from server.trust.data_export.export_document import document
from server.trust.data_export.export_parts import PARTS, Row
from tests.server.data.conftest import NOW
from tests.server.trust.rights.people import stated


def answer(hosting: str = "", counts: dict[str, int] | None = None, bans: list[Row] | None = None) -> dict[str, Any]:
    pieces: dict[str, list[Row]] = {part.name: [] for part in PARTS} | {"bans": bans or []}
    return document(stated(hosting, Retention()), pieces, dict.fromkeys(pieces, 0) | (counts or {}), NOW)


def test_every_item_of_the_statement_is_either_held_or_explained() -> None:
    know = answer(counts={part.name: 1 for part in PARTS})
    told = [item["key"] for item in (*know["items"], *know["elsewhere"])]
    assert sorted(told) == sorted(item["key"] for item in stated("", Retention())["items"])


def test_an_item_is_there_where_the_person_has_pieces_of_it() -> None:
    know = answer(counts={"chats": 3})
    assert {item["key"]: item["pieces"] for item in know["items"]} == dict.fromkeys(
        ("identity", "address", "country", "chat"), 3
    )
    assert know["held"] is True


def test_who_works_for_the_operator_is_named_with_what_they_got() -> None:
    (found,) = answer("Hosting Ltd", {"chats": 3})["disclosed_for_a_business_purpose"]
    assert (found["name"], found["categories"]) == ("Hosting Ltd", ["A", "F", "G"])


def test_none_is_said_where_nobody_is_named_or_nothing_is_held() -> None:
    assert answer("", {"chats": 3})["disclosed_for_a_business_purpose"] == []
    assert answer("Hosting Ltd")["disclosed_for_a_business_purpose"] == []
    assert answer("Hosting Ltd")["recipients"] == []
    assert answer("Hosting Ltd")["sold_or_shared"] == []


def test_a_category_says_of_whom_for_what_and_from_where() -> None:
    rows = {row["category"]: row for row in answer(counts={"chats": 3})["categories"]}
    assert rows["G"]["of_you"] == ["country"]
    assert rows["G"]["sources"] == ["derived from what the person's device sent"]
    assert "the police, on demand" not in rows["G"]["recipients"]
    assert rows["E"]["collected"] is False
    assert rows["B"]["collected"] is True
    assert rows["B"]["of_you"] == []


def test_a_ban_by_a_machine_alone_is_an_automated_decision() -> None:
    row: Row = {"number": "1", "rule": "R5", "since": "2026-11-24T16:05:09Z", "until": "2026-11-25T16:05:09Z"}
    assert answer(bans=[row | {"by": "a person"}])["automated_decisions"] == []
    (found,) = answer(bans=[row | {"by": "a machine"}])["automated_decisions"]
    assert found == {"ban": "1", **{name: row[name] for name in ("rule", "since", "until")}}


def test_the_authority_is_told_without_a_name_where_none_is_known() -> None:
    assert "the place where you live or work" in answer()["complaint"]

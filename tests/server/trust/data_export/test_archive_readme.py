"""Test README.html and the page of the same data: complete in every language, without a script."""

from __future__ import annotations

import re

import pytest

from server.data.privacy.registry import REGISTRY
from server.data.statement.term_translations import SAID
from server.http.pages import Pages
from server.trust.data_export import archive_readme
from server.trust.data_export.export_parts import PARTS, Row
from server.trust.rights.request_pages import FIELDS
from tests.server.trust.data_export.test_export_document import answer

PAGES = Pages(lambda name: f"/static/{name}")
VALUES: dict[str, str | int] = {
    **dict.fromkeys(("text", "word"), "<b>&"),
    "whole": 1, "time": "2026-11-24T16:05:09Z", "day": "2026-11-24", "month": "2026-11",
}  # fmt: skip


def full() -> dict[str, object]:
    """An answer with a row in every part."""
    know = answer("Hosting Ltd", {part.name: 3 for part in PARTS})
    rows: dict[str, list[Row]] = {
        part.name: [{name: VALUES[kind.rstrip("?")] for name, kind in part.fields.items()}] for part in PARTS
    }
    return know | {"parts": rows}


def test_the_readme_is_one_file_without_script_or_address() -> None:
    page = archive_readme.page(answer("Hosting Ltd", {"chats": 3}))
    assert re.findall(r"<script|src=|href=|url\(", page) == []
    for t in PAGES.said.values():
        assert t("know.part.chats") in page
        assert t("know.held") in page
        assert f'lang="{t.language}" dir="{t.direction}"' in page
    assert page == archive_readme.page(answer("Hosting Ltd", {"chats": 3}))


def test_the_readme_of_who_has_nothing_says_so() -> None:
    page = archive_readme.page(answer())
    for t in PAGES.said.values():
        assert t("know.nothing") in page
        assert t("know.held") not in page


@pytest.mark.parametrize("language", PAGES.said)
def test_the_page_shows_every_part_and_field_in_the_readers_words(language: str) -> None:
    t = PAGES.said[language]
    page = PAGES.text("rights-know.html", t=t, know=full(), fields=FIELDS, heading=REGISTRY.heading, say=SAID[language])
    for part in PARTS:
        assert f'id="part-{part.name}"' in page
        for field in part.fields:
            assert t(f"know.field.{field}") in page
    assert "Hosting Ltd" in page
    assert "<b>&" not in page
    assert "&lt;b&gt;&amp;" in page
    assert t("know.newest") in page


@pytest.mark.parametrize("language", PAGES.said)
def test_the_page_of_a_user_of_whom_nothing_is_held_says_so_in_one_sentence(language: str) -> None:
    t = PAGES.said[language]
    page = PAGES.text(
        "rights-know.html", t=t, know=answer(), fields=FIELDS, heading=REGISTRY.heading, say=SAID[language]
    )
    assert t("know.nothing") in page
    assert 'id="part-' not in page

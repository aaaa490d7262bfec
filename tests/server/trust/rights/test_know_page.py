"""Test the page of one's own data in every language: no English word of a table is left."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from engine.wire.protocol import REASONS
from server.data.privacy.registry import REGISTRY
from server.data.statement.term_translations import SAID, TERMS
from server.http.pages import Pages
from server.trust.data_export.export_document import RIGHTS
from server.trust.data_export.export_parts import PARTS
from server.trust.data_requests import request_states
from server.trust.rights.request_pages import FIELDS
from server.trust.sanctions.sanction_scale import MEASURES
from tests.house.sources import ROOT
from tests.server.data.conftest import NOW, Kit
from tests.server.trust.rights import people

PAGES = Pages(lambda name: name)
LANGUAGES = sorted(TERMS)
ALIKE = {"chat", "text", "video", "spam", "pause"}  # the same word in several languages
# Words of lists that no constant of the code holds whole.
WORDS = {
    "mode": ("text", "video", "spy", "college"),
    "how": ("left", "lost", "moderation", "restart"),
    "outcome": ("none", "acted", "aged", "reversed"),
    "state": (*request_states.STATES, "decided", "aged", "reversed", "lifted", "upheld", "lapsed", "done", "waiting", "failed", "denied_by",
        "told", "refused", "nothing", "untold", "by_us", "contract"),
    "reason": (*REASONS, request_states.VERIFY, *request_states.REFUSALS),
    "measure": MEASURES,
    "kind": (*request_states.KINDS, "identity", "network", "warning", "pause", "info", "objected", "replay"),
    "way": request_states.WAYS,
    "what": ("records", "logs", "records, logs"),
    "by": ("a machine", "a person"),
}  # fmt: skip


def acts() -> Iterator[str]:
    """What operators do at somebody's data, as the trail names it."""
    for path in (
        path for name in ("commands", "console", "safety") for path in (Path(ROOT) / "server" / name).glob("*.py")
    ):
        yield from re.findall(r'"((?:log|safety) [a-z][a-z ]+|request (?:show|extend))"', path.read_text())
    yield from (f"request {state}" for state in ("fulfilled", "denied", "revoked"))


def test_every_language_has_every_word_of_every_field() -> None:
    named = {name for part in PARTS for name, kind in part.fields.items() if kind.startswith("word")}
    assert named == set(WORDS) | {"action"}
    wanted = {word for words in WORDS.values() for word in words} | set(acts()) | set(RIGHTS) | {"the person"}
    for language in LANGUAGES:
        assert {word for word in wanted if TERMS[language].find(word) is None} == set(), language


async def everything(kit: Kit) -> dict[str, Any]:
    """An answer with a row in each part."""
    await people.told(kit)
    await people.held(kit, people.A, secret=False)
    kit.now = NOW + 2 * people.DAY
    return await people.known(kit).know(people.A, int(kit.now))


def rendered(know: dict[str, Any], language: str) -> str:
    """The page's body."""
    page = PAGES.text(
        "rights-know.html",
        know=know,
        fields=FIELDS,
        t=PAGES.said[language],
        say=SAID[language],
        heading=REGISTRY.heading,
    )
    return page.partition("<h1>")[2].partition("</main>")[0]


def visible(html: str) -> list[str]:
    """Each piece of text between two tags."""
    return [text.strip() for text in unescape(re.sub(r"<[^>]*>", "\n", html)).split("\n") if text.strip()]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_no_english_word_of_a_table_is_left(kit: Kit, language: str) -> None:
    know = await everything(kit)
    assert all(know["parts"][part.name] for part in PARTS)
    theirs = rendered(know, language)
    assert 'lang="en"' not in theirs
    text = "\n".join(visible(theirs))
    for english, word in TERMS[language].terms.items():
        if english == word or "{" in english or english.lower() in ALIKE:
            continue
        whole = rf"(?m)(?:^|[:;,.] ){re.escape(english)}(?:$|[;,.])" if len(english) < 25 else re.escape(english)
        assert not re.search(whole, text), english


async def test_where_nothing_is_held_one_sentence_says_so_and_empty_parts_are_one_line_elsewhere(kit: Kit) -> None:
    nothing = await people.known(kit).know(people.A, NOW)
    said = rendered(nothing, "en")
    assert "Nothing is stored about the browser or the key that asked." in said
    assert 'id="part-' not in said
    assert "<table>" not in said
    await people.told(kit)
    some = await people.known(kit).know(people.A, int(kit.now))
    some["parts"]["holds"], some["counts"]["holds"] = [], 0
    said = rendered(some, "en")
    assert 'id="part-chats"' in said
    assert 'id="part-holds"' not in said
    assert PAGES.said["en"].text("know.part.holds") in said.partition("Nothing is held of:")[2].partition("</p>")[0]


async def test_english_says_what_it_said(kit: Kit) -> None:
    text = rendered(await everything(kit), "en")
    assert 'lang="en"' not in text
    for said in (
        "To have it deleted.",
        "Identity",
        "120 days after the end of the chat",
        "log show",
        "a complaint",
        "Court of Oslo",
    ):
        assert said in text, said


async def test_a_word_without_its_like_is_marked(kit: Kit) -> None:
    know = await everything(kit)
    know["parts"]["looks"][0]["action"] = "a new <act>"
    assert '<bdi><span lang="en" dir="ltr">a new &lt;act&gt;</span></bdi>' in rendered(know, LANGUAGES[0])

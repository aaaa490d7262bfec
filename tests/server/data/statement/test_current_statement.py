"""What people read at a moment: the version that holds, the one that comes, and what providers got in twelve months."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import orjson
import pytest

from server.data.database import schema_migration
from server.data.keys.epoch_keys import epoch_of
from server.data.privacy import registry_history
from server.data.privacy.registry import REGISTRY
from server.data.privacy.registry_history import additions, snapshot
from server.data.privacy.registry_model import Recipient
from server.data.statement.current_statement import (
    NEW,
    REPLACED,
    YEAR,
    PublishedStatement,
    Unfit,
    added,
    open_published,
)
from server.data.statement.statement_versions import DAY, FOLDER, NOTICE, announce, settle
from server.data.statement.term_translations import SAID
from server.http.words.sentence_formatter import said
from server.ops.config.settings import Objects, Settings
from server.ops.health.background_tasks import Tasks
from tests.server.data.conftest import ended, make_kit

NOW = 1_800_000_000
MAIL = {"mail": {"host": "mail.example"}, "recipients": [{"name": "Mailer", "kind": "mail"}]}


class Clock:
    """A time that the test moves."""

    def __init__(self) -> None:
        self.now = float(NOW)

    def __call__(self) -> float:
        return self.now


def settings(data: Path, **chosen: Any) -> Settings:
    """Of a deployment in a folder."""
    return Settings.model_validate({"data": data, **chosen})


def opened(data: Path, clock: Clock) -> PublishedStatement:
    """As a server has it."""
    published = PublishedStatement(settings(data), clock)
    published.read()
    return published


def test_the_announced_one_is_told_before_its_day_and_holds_from_then_on(tmp_path: Path) -> None:
    clock = Clock()
    settle(settings(tmp_path), NOW)
    before = opened(tmp_path, clock)
    first = before.version
    assert before.newest() == {"version": first.name, "from": first.effective}
    assert before.offers() == {"privacy": first.serial, "statement": None}
    told = announce(settings(tmp_path, **MAIL), NOTICE, NOW)
    assert before.coming is None
    before.read()
    assert before.offers() == {"privacy": told.serial, "statement": {"version": told.name, "from": told.effective}}
    assert before.newest() == {"version": told.name, "from": told.effective}
    answer = before.answer(before.version, "en")
    assert (answer["version"], answer["coming"]["version"]) == (first.name, told.name)
    clock.now = told.effective
    assert (before.version, before.newest()["version"]) == (told, told.name)
    assert before.offers() == {"privacy": told.serial, "statement": None}


def test_what_each_hello_names_is_kept_until_a_day_comes_or_other_versions_are_read(tmp_path: Path) -> None:
    clock = Clock()
    settle(settings(tmp_path), NOW)
    told = announce(settings(tmp_path, **MAIL), NOTICE, NOW)
    later = announce(settings(tmp_path), 2 * NOTICE, NOW)
    published = opened(tmp_path, clock)
    said = published.newest()
    clock.now = told.effective - 0.001
    assert published.newest() is said
    assert said["version"] == told.name
    clock.now = told.effective
    assert published.newest() == {"version": later.name, "from": later.effective}
    clock.now = later.effective
    last = published.newest()
    clock.now += 1000 * DAY
    assert published.newest() is last
    assert last["version"] == later.name
    clock.now = NOW  # a clock that is set back
    assert published.newest() == said
    third = announce(settings(tmp_path, **MAIL), 1 + NOTICE, NOW)
    assert published.newest() == said
    published.read()
    clock.now = told.effective
    assert published.newest()["version"] == third.name


def test_all_versions_stay_with_what_changed_in_words_of_the_language(tmp_path: Path) -> None:
    settle(settings(tmp_path), NOW)
    settle(settings(tmp_path, **MAIL), NOW + 1)
    published = opened(tmp_path, Clock())
    german = published.history("de")
    assert [row["changes"] for row in german] == [
        ["Ein neuer Dienstleister bekommt Daten: Mailer", "Eingeschaltet: Mails für den College-Modus"],
        [],
    ]
    assert [row["announced"] for row in german] == [False, True]
    for row in german:
        version = published.named(row["version"])
        assert version is not None
        assert published.answer(version, "de")["language"] == "de"
    assert published.named("0.0") is None


def test_an_addition_of_the_registry_is_told_by_the_names_that_the_statement_uses() -> None:
    old, new = snapshot(), snapshot()
    old["case_subject"] = {**new["case_subject"], "recipients": []}
    del old["case_comment"]
    news = additions(old, new)
    assert "new: case_comment" in news
    for language in said():
        say = SAID[language]
        told = {added(one, say) for one in news}
        heading = say(REGISTRY.heading("case_subject"))
        whom = [say(Recipient[word].value) for word in new["case_subject"]["recipients"]]
        assert told == {*(f"{heading}: {word}" for word in whom), say(REGISTRY.heading("case_comment"))}, language


def test_the_additions_of_every_version_are_told_in_every_language() -> None:
    for version in registry_history.history():
        for one in version.news:
            key = one.removeprefix(NEW).partition(":")[0]
            assert any(item.key == REPLACED.get(key, key) for item in REGISTRY.items), (
                "no item has its heading any more"
            )
            english = added(one, SAID["en"])
            assert all(added(one, SAID[language]) != english for language in ("ru", "ja", "ar")), one


def test_the_changes_page_has_no_word_of_the_program_for_an_addition(tmp_path: Path) -> None:
    settle(settings(tmp_path), NOW)
    settle(settings(tmp_path, **MAIL), NOW + 1)
    newest = max((tmp_path / FOLDER).glob("*.json"))
    kept = orjson.loads(newest.read_bytes())
    addition = [{"key": "registry.added", "name": "case_subject: recipients now has CHILDREN"}]
    newest.write_bytes(orjson.dumps(kept | {"changes": addition}))
    english, german = (opened(tmp_path, Clock()).history(language)[0]["changes"] for language in ("en", "de"))
    say = SAID["de"]
    assert "CHILDREN" not in english[0] + german[0]
    assert "now has" not in english[0] + german[0]
    assert f"{say(REGISTRY.heading('case_subject'))}: {say(Recipient.CHILDREN.value)}" in german[0]
    assert added("gone_item: recipients now has NEVER_DECLARED", say) == "gone_item: recipients now has NEVER_DECLARED"


def test_a_language_that_came_later_is_said_of_what_holds_and_old_versions_stay_as_they_were(tmp_path: Path) -> None:
    settle(settings(tmp_path), NOW)
    settle(settings(tmp_path, **MAIL), NOW + 1)
    for path in (tmp_path / FOLDER).glob("*.json"):
        kept = orjson.loads(path.read_bytes())
        path.write_bytes(orjson.dumps(kept | {"documents": {"en": kept["documents"]["en"]}}))
    clock = Clock()
    clock.now = NOW + 2
    published = PublishedStatement(settings(tmp_path, **MAIL), clock)
    published.read()
    old, new = published.versions
    assert published.answer(new, "ja")["language"] == "ja"
    assert published.answer(old, "ja")["language"] == "en"
    assert published.answer(old, "en")["texts"] == old.documents["en"]["texts"]


def test_what_was_disclosed_in_twelve_months_counts_versions_that_no_longer_hold(tmp_path: Path) -> None:
    clock = Clock()
    relay = "the mail relay of the operator"
    settle(settings(tmp_path, **MAIL), NOW)
    settle(settings(tmp_path), NOW + DAY)
    published = opened(tmp_path, clock)

    def mailed() -> set[str]:
        return {row["letter"] for row in published.disclosed() if relay in row["to"]}

    clock.now = NOW + 2 * DAY
    assert mailed() == {"A", "B"}
    clock.now = NOW + DAY + YEAR
    assert mailed() == {"A", "B"}
    clock.now = NOW + DAY + YEAR + 1
    assert mailed() == set()


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"mail": MAIL["mail"], "privacy": {"recipients": "fail"}}, r"mail\.example gets .*\[\[recipients\]\]"),
        ({**MAIL, "privacy": {"changes": "fail"}}, r"recipient\.added: Mailer"),
    ],
    ids=["nobody named", "not announced"],
)
async def test_a_start_that_would_break_a_promise_is_refused_where_it_is_set_so(
    tmp_path: Path, chosen: dict[str, Any], said: str
) -> None:
    await asyncio.to_thread(settle, settings(tmp_path), int(time.time()) - DAY)
    await asyncio.to_thread((tmp_path / "serendip.db").touch)  # which does not say whether anybody chatted
    tasks = Tasks()
    with pytest.raises(Unfit, match=said):
        await open_published(settings(tmp_path, **chosen), tasks)
    published = await open_published(settings(tmp_path, **(chosen | {"privacy": {}})), tasks)
    await tasks.end("statement")
    assert published.version.count == 2
    assert not published.version.announced


@pytest.mark.parametrize("chats", [0, 1])
async def test_what_was_tried_before_anybody_chatted_is_no_version_that_was_broken(tmp_path: Path, chats: int) -> None:
    tasks = Tasks()
    await asyncio.to_thread(settle, settings(tmp_path), int(time.time()) - DAY)
    url = f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}"
    kit = await asyncio.to_thread(make_kit, url, tmp_path, Objects())
    await asyncio.to_thread(kit.pseudonyms.epochs.make, epoch_of(time.time()))
    await schema_migration.migrate_apart(url, tmp_path)
    await kit.write(*(ended(now=time.time()) for _ in range(chats)))
    await kit.database.close()
    published = await open_published(settings(tmp_path, **MAIL), tasks)
    await tasks.end("statement")
    assert published.version.announced == (chats == 0)
    assert [row["announced"] for row in published.history("en")] == ([False, True] if chats else [True])

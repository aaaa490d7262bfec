"""Provide the privacy statement in effect, the announced next one, and all earlier versions.

**Invariant:** the version files are read once a minute in a thread, never in the event loop.
"""

from __future__ import annotations

import asyncio
import datetime
import re
import time
from collections.abc import Callable, Sequence
from math import inf
from typing import Any, NamedTuple

from server.data.database.database_url import NoDriver
from server.data.errors import StoreAway
from server.data.privacy.registry import REGISTRY
from server.data.privacy.registry_history import NotReleased
from server.data.privacy.registry_model import Category, Purpose, Recipient
from server.data.statement import statement_versions
from server.data.statement.recipient_check import refusal, unnamed
from server.data.statement.statement_changes import Change
from server.data.statement.statement_document import document as made
from server.data.statement.statement_document import named_providers
from server.data.statement.statement_versions import DAY, Version
from server.data.statement.term_translations import SAID
from server.http.words.sentence_formatter import Said, said
from server.ops import log
from server.ops.config.settings import Settings
from server.ops.health.background_tasks import Tasks

NEW = "new: "  # prefix of a new item in `server.data.privacy.registry_history.additions`
WORDS = {
    "categories": Category,
    "purposes": Purpose,
    "recipients": Recipient,
}  # fields in which an item can gain members
REPLACED = {
    "request_step": "deletion_notice"
}  # items of old versions: those that replaced them, whose headings are translated
_addition = re.compile(r"(?P<key>\w+): (?P<field>categories|purposes|recipients) now has (?P<word>\w+)").fullmatch
EVERY = 60.0  # seconds between two reads of the versions
YEAR = 366 * DAY


class Unfit(Exception):
    """This deployment may not start with its present statement; the text says what to do."""


class _Newest(NamedTuple):
    """Newest version as `hello` sends it, valid for these versions from Unix time `since` until before `until`."""

    versions: Sequence[Version]
    since: float
    until: float
    said: dict[str, Any]


class PublishedStatement:
    """The statement versions of this deployment.

    `clock`: Unix time; `there`: the versions read from disk; if there are none, the only version is the one of the settings.
    """

    def __init__(
        self, settings: Settings, clock: Callable[[], float] = time.time, there: Sequence[Version] = ()
    ) -> None:
        self._settings = settings
        self._clock = clock
        self.versions: list[Version] = list(there) or [statement_versions.first(settings, int(clock()))]
        self._listeners: list[Callable[[], None]] = []
        self._newest = _Newest([], 0.0, 0.0, {})

    def on_read(self, changed: Callable[[], None]) -> None:
        """Call `changed` after each later `read` of the background task."""
        self._listeners.append(changed)

    def read(self) -> None:
        """Read the versions from the data folder. Raises OSError, ValueError."""
        self.versions = statement_versions.read(self._settings.data) or self.versions

    async def follow(self) -> None:
        """Read announcements once a minute, for ever; also notices the day on which a version takes effect."""
        while True:
            await asyncio.sleep(EVERY)
            await asyncio.to_thread(self.read)
            for changed in self._listeners:
                changed()

    @property
    def version(self) -> Version:
        """The version in effect now."""
        return statement_versions.in_effect(self.versions, self._clock()) or self.versions[0]

    @property
    def coming(self) -> Version | None:
        """The announced version, or None."""
        return statement_versions.coming(self.versions, self._clock())

    def newest(self) -> dict[str, Any]:
        """Return the name of the newest announced version and the Unix time from which it is in effect (possibly later), for `hello`.

        Returns the same object, which callers must not change, until new versions are read or a version takes effect.
        """
        now, kept = self._clock(), self._newest
        if kept.versions is not self.versions or not kept.since <= now < kept.until:
            kept = self._newest = _newest(self.versions, now)
        return kept.said

    def offers(self) -> dict[str, Any]:
        """Return the fields for `/api/config`: `privacy` rises with each announced version; `statement` is present before a version's day."""
        coming = self.coming
        serial = max(version.serial for version in (self.version, *((coming,) if coming else ())))
        return {"privacy": serial, "statement": {"version": coming.name, "from": coming.effective} if coming else None}

    def named(self, name: str) -> Version | None:
        """Return a version by its name, or None."""
        return next((version for version in self.versions if version.name == name), None)

    def answer(self, version: Version, language: str) -> dict[str, Any]:
        """Return a version as `/api/privacy` and the page show it."""
        coming = self.coming
        kept = version.documents
        return {
            "version": version.name,
            "serial": version.serial,
            "date": iso_date(version.effective),
            "announced": version.announced,
            "coming": {"version": coming.name, "date": iso_date(coming.effective), "transfer": coming.transfer}
            if coming
            else None,
            "history": self.history(language),
            "disclosed": self.disclosed(),
            **(kept.get(language) or self._later(version, language) or kept["en"]),
        }

    def _later(self, version: Version, language: str) -> dict[str, Any] | None:
        """Return a version in a language added after it was made; None if its English text is no longer the present one."""
        return made(self._settings, language) if statement_versions.says(version, self._settings) else None

    def history(self, language: str) -> list[dict[str, Any]]:
        """Return all versions, newest first, with their changes in words."""
        t, now = said()[language], self._clock()
        return [
            {
                "version": version.name,
                "date": iso_date(version.effective),
                "made": iso_date(version.made),
                "announced": version.announced,
                "holds": version.effective <= now,
                "changes": [
                    t.text(f"privacy.change.{change.key}", name=_named(change, t) or "–") for change in version.changes
                ],
            }
            for version in reversed(self.versions)
        ]

    def disclosed(self) -> list[dict[str, Any]]:
        """Return the categories disclosed to named providers in the last 12 months, with the kinds of providers, over all versions then in effect."""
        now = self._clock()
        found: dict[str, dict[str, Any]] = {}
        ends = [version.effective for version in self.versions[1:]] + [now]
        for version, end in zip(self.versions, ends, strict=True):
            if version.effective > now or end < now - YEAR:
                continue
            document = version.documents["en"]
            named = {who.value for who in named_providers(one["kind"] for one in document["providers"])}
            for category in document["categories"]:
                row = found.setdefault(
                    category["name"], {"letter": category["letter"], "name": category["name"], "to": []}
                )
                row["to"] += [word for word in category["disclosed"] if word in named and word not in row["to"]]
        return [row for row in found.values() if row["to"]]


async def open_published(settings: Settings, tasks: Tasks) -> PublishedStatement:
    """Read the versions, write a new one if the settings changed, and start following announcements. Raises Unfit."""
    if said := refusal(settings):
        raise Unfit(f"{said}. Name it in [[recipients]], or set screening.provider=off")
    nobody = unnamed(settings) if settings.privacy.recipients == "fail" else []
    if nobody:
        raise Unfit(f"{'; '.join(nobody)}. Name them in [[recipients]]")
    try:
        settled = await asyncio.to_thread(statement_versions.is_settled, settings)
        last_chat = None if settled else await _last_chat(settings)
        problem = await asyncio.to_thread(statement_versions.settle, settings, last_chat=last_chat)
        there = await asyncio.to_thread(statement_versions.read, settings.data)
        published = await asyncio.to_thread(PublishedStatement, settings, there=there)
    except (statement_versions.NotAnnounced, NotReleased, OSError, ValueError) as error:
        raise Unfit(str(error)) from None
    if problem:
        log.get().warning("setup.warning", check="privacy", said=problem, remedy="serendip privacy announce")
    tasks.start("statement", published.follow)
    return published


async def _last_chat(settings: Settings) -> float | None:
    """Return the end of the last chat on record in Unix seconds, 0 without such a chat, None if unknown."""
    if not settings.store.enabled:
        return None
    from server.data.database.last_chat_time import (
        last_chat,  # loads 40 MB of libraries, needed only after settings changed
    )

    try:
        return await last_chat(settings)
    except (StoreAway, NoDriver):  # the store reports the problem when it starts
        return None


def _newest(versions: Sequence[Version], now: float) -> _Newest:
    version = statement_versions.coming(versions, now) or statement_versions.in_effect(versions, now) or versions[0]
    days = [one.effective for one in versions]
    return _Newest(
        versions,
        max((day for day in days if day <= now), default=-inf),
        min((day for day in days if day > now), default=inf),
        {"version": version.name, "from": version.effective},
    )


def _named(change: Change, t: Said) -> str:
    """Return the name of a change's subject, in a language as far as it has a word for it."""
    if change.key.startswith("feature."):
        return t.text(f"privacy.feature.{change.name}")
    if change.key == "registry.added":
        return added(change.name, SAID[t.language])
    return change.name


def added(news: str, say: Callable[[str], str]) -> str:
    """Return an addition of `registry_history.additions` in words: `case_subject: recipients now has COURT` names the item and the recipient."""
    if news.startswith(NEW):
        return say(_heading(news.removeprefix(NEW)))
    found = _addition(news)
    if found is None or found["word"] not in WORDS[found["field"]].__members__:
        return news
    return f"{say(_heading(found['key']))}: {say(WORDS[found['field']][found['word']].value)}"


def _heading(key: str) -> str:
    return REGISTRY.heading(REPLACED.get(key, key))


def iso_date(at: int) -> str:
    """Return a Unix time as a UTC date."""
    return datetime.datetime.fromtimestamp(at, datetime.UTC).date().isoformat()

"""What people read now: which version holds, which one comes, and all earlier ones. Rule: read anew each minute, never in the loop."""

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
from server.data.statement.recipient_check import unnamed
from server.data.statement.statement_changes import Change
from server.data.statement.statement_document import document as made
from server.data.statement.statement_document import named_providers
from server.data.statement.statement_versions import DAY, Version
from server.data.statement.term_translations import SAID
from server.http.words.sentences import Said, said
from server.ops import log
from server.ops.config.settings import Settings
from server.ops.health.background_tasks import Tasks

NEW = "new: "  # how an item that is new is written (server.data.privacy.registry_history.additions)
WORDS = {"categories": Category, "purposes": Purpose, "recipients": Recipient}  # of an item that has more than before
_addition = re.compile(r"(?P<key>\w+): (?P<field>categories|purposes|recipients) now has (?P<word>\w+)").fullmatch
EVERY = 60.0  # seconds between looks for an announcement
YEAR = 366 * DAY


class Unfit(Exception):
    """This deployment may not start with the statement that it has; the text says what to do."""


class _Newest(NamedTuple):
    """What is said of these versions at a Unix time from `since` to before `until`."""

    versions: Sequence[Version]
    since: float
    until: float
    said: dict[str, Any]


class Published:
    """The versions of this deployment. `clock`: Unix time; `there`: the versions that were read, before which what the settings say is the
    only one."""

    def __init__(
        self, settings: Settings, clock: Callable[[], float] = time.time, there: Sequence[Version] = ()
    ) -> None:
        self._settings = settings
        self._clock = clock
        self.versions: list[Version] = list(there) or [statement_versions.first(settings, int(clock()))]
        self.tell: Callable[[], None] = lambda: None  # after each look
        self._newest = _Newest([], 0.0, 0.0, {})

    def read(self) -> None:
        """Look for versions in the data folder. Raises OSError, ValueError."""
        self.versions = statement_versions.read(self._settings.data) or self.versions

    async def follow(self) -> None:
        """Take up announcements, and the day on which one begins to hold."""
        while True:
            await asyncio.sleep(EVERY)
            await asyncio.to_thread(self.read)
            self.tell()

    @property
    def version(self) -> Version:
        """The one that holds now."""
        return statement_versions.in_effect(self.versions, self._clock()) or self.versions[0]

    @property
    def coming(self) -> Version | None:
        """The one that is announced."""
        return statement_versions.coming(self.versions, self._clock())

    def newest(self) -> dict[str, Any]:
        """For `hello`: name of the newest version that people are told of, and the Unix time from which it holds, which may be to come.

        The same object, never to be written to, until other versions were read or the clock passes a day on which one begins to hold.
        """
        now, kept = self._clock(), self._newest
        if kept.versions is not self.versions or not kept.since <= now < kept.until:
            kept = self._newest = _newest(self.versions, now)
        return kept.said

    def offers(self) -> dict[str, Any]:
        """For `/api/config`: `privacy` rises with each version that people are told of, `statement` is there before its day."""
        coming = self.coming
        serial = max(version.serial for version in (self.version, *((coming,) if coming else ())))
        return {"privacy": serial, "statement": {"version": coming.name, "from": coming.effective} if coming else None}

    def named(self, name: str) -> Version | None:
        """A version by its name; None: there is none."""
        return next((version for version in self.versions if version.name == name), None)

    def answer(self, version: Version, language: str) -> dict[str, Any]:
        """A version as `/api/privacy` and the page have it."""
        coming = self.coming
        kept = version.documents
        return {
            "version": version.name,
            "serial": version.serial,
            "date": day(version.effective),
            "announced": version.announced,
            "coming": {"version": coming.name, "date": day(coming.effective), "transfer": coming.transfer}
            if coming
            else None,
            "history": self.history(language),
            "disclosed": self.disclosed(),
            **(kept.get(language) or self._later(version, language) or kept["en"]),
        }

    def _later(self, version: Version, language: str) -> dict[str, Any] | None:
        """What a version says in a language that there was none of when it was made; None where its English is not the present one."""
        return made(self._settings, language) if statement_versions.says(version, self._settings) else None

    def history(self, language: str) -> list[dict[str, Any]]:
        """All versions, the newest first, with what changed in words."""
        t, now = said()[language], self._clock()
        return [
            {
                "version": version.name,
                "date": day(version.effective),
                "made": day(version.made),
                "announced": version.announced,
                "holds": version.effective <= now,
                "changes": [
                    t.text(f"privacy.change.{change.key}", name=_named(change, t) or "–") for change in version.changes
                ],
            }
            for version in reversed(self.versions)
        ]

    def disclosed(self) -> list[dict[str, Any]]:
        """Categories that named providers were given in the last 12 months, with their kinds: of all versions that held then."""
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


async def opened(settings: Settings, tasks: Tasks) -> Published:
    """The versions, the newest of which says what these settings do; looked at anew from here on. Raises Unfit."""
    nobody = unnamed(settings) if settings.privacy.recipients == "fail" else []
    if nobody:
        raise Unfit(f"{'; '.join(nobody)}. Name them in [[recipients]]")
    try:
        settled = await asyncio.to_thread(statement_versions.is_settled, settings)
        last_chat = None if settled else await _last_chat(settings)
        problem = await asyncio.to_thread(statement_versions.settle, settings, last_chat=last_chat)
        there = await asyncio.to_thread(statement_versions.read, settings.data)
        published = await asyncio.to_thread(Published, settings, there=there)
    except (statement_versions.NotAnnounced, NotReleased, OSError, ValueError) as error:
        raise Unfit(str(error)) from None
    if problem:
        log.get().warning("setup.warning", check="privacy", said=problem, remedy="serendip privacy announce")
    tasks.start("statement", published.follow)
    return published


async def _last_chat(settings: Settings) -> float | None:
    """When the last chat on record ended, 0: there is none; None: that is not known."""
    if not settings.store.enabled:
        return None
    from server.data.database.last_chat import last_chat  # 40 MB of libraries, for a start with other settings alone

    try:
        return await last_chat(settings)
    except (StoreAway, NoDriver):  # the start of the store says what is wrong with it
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
    """What a change is about, in a language as far as that has a word for it."""
    if change.key.startswith("feature."):
        return t.text(f"privacy.feature.{change.name}")
    if change.key == "registry.added":
        return added(change.name, SAID[t.language])
    return change.name


def added(news: str, say: Callable[[str], str]) -> str:
    """One of `server.data.privacy.registry_history.additions`, in words: `case_subject: recipients now has COURT` names who gets what."""
    if news.startswith(NEW):
        return say(REGISTRY.heading(news.removeprefix(NEW)))
    found = _addition(news)
    if found is None or found["word"] not in WORDS[found["field"]].__members__:
        return news
    return f"{say(REGISTRY.heading(found['key']))}: {say(WORDS[found['field']][found['word']].value)}"


def day(at: int) -> str:
    """A Unix time as a date, UTC."""
    return datetime.datetime.fromtimestamp(at, datetime.UTC).date().isoformat()

"""Hold what operators say to all users: an announcement, and maintenance, in which chats continue and none begins.

A statement is a body with the time at which it was made (Unix ms). The newest of each kind holds in all processes and on all hosts, so that they may
exchange statements in any order. One process of a host writes them to `DATA/run/service.json`, to be read at the next start.
**Invariant:** statements of other hosts are checked as an operator's are, and texts and languages are bounded.
"""

from __future__ import annotations

import contextlib
import math
import os
import time
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import orjson

FILE: Final = "service.json"
ANNOUNCEMENT: Final = "announcement"  # id, texts by language, until (Unix seconds, 0: until it is withdrawn)
MAINTENANCE: Final = "maintenance"  # until (Unix seconds at which it is expected to end, 0: unknown)
KINDS: Final = (ANNOUNCEMENT, MAINTENANCE)
TEXT_MAX: Final = 300  # characters
LANGUAGES_MAX: Final = 16
AHEAD_MAX: Final = 60_000  # ms that a statement of another host may be ahead of this clock
UNTIL_MAX: Final = 1 << 40
Body = Mapping[str, Any]
Rows = dict[str, tuple[int, Body | None]]  # kind to the time and body of its newest statement; None: it was withdrawn


class BadStatement(ValueError):
    """A statement is malformed; the text says how."""


class ServiceState:
    """The statements as one process knows them. `path`: file to keep them in, None: in memory only; `wall`: Unix seconds."""

    def __init__(self, path: Path | None = None, wall: Callable[[], float] = time.time) -> None:
        self._path = path
        self._wall = wall
        self._rows: Rows = {}
        self.store_away = (
            False  # this host's database or object store does not answer, or its disk is full: what needs them fails
        )
        if path is not None:
            with contextlib.suppress(OSError, ValueError):
                self._take(orjson.loads(path.read_bytes()), math.inf)  # its own: the clock may have been set back since

    @property
    def now(self) -> int:
        """Unix seconds, by the clock of this state."""
        return int(self._wall())

    @property
    def rows(self) -> Rows:
        """All statements, for another process."""
        return dict(self._rows)

    def state(self, kind: str, body: Body | None) -> dict[str, Any]:
        """Return a new statement as rows for `take`, newer than all that are known. Raises BadStatement."""
        known = self._rows.get(kind, (0, None))[0]
        rows = {kind: (max(int(self._wall() * 1000), known + 1), body)}
        _checked(rows, self._latest)
        return rows

    @property
    def _latest(self) -> float:
        """Unix seconds, by the clock or by the newest statement: a clock that was set back does not make it last until then."""
        return max([self._wall(), *[at / 1000 for at, _ in self._rows.values()]])

    def take(self, rows: object) -> bool:
        """Take statements of an operator or another process; returns whether one is new here. Raises BadStatement, with nothing changed."""
        if not self._take(rows, self._latest):
            return False
        if self._path is not None:
            self._write(self._path)
        return True

    def _take(self, rows: object, latest: float) -> bool:
        news = {kind: row for kind, row in _checked(rows, latest).items() if row[0] > self._rows.get(kind, (0,))[0]}
        self._rows |= news
        return bool(news)

    def _write(self, path: Path) -> None:
        with contextlib.suppress(OSError):  # it holds all the same; other hosts know it too
            path.parent.mkdir(mode=0o700, exist_ok=True)
            fresh = path.with_name(f"{path.name}.{os.getpid()}")
            fresh.write_bytes(orjson.dumps(self._rows))
            fresh.replace(path)

    @property
    def announcement(self) -> Body | None:
        """The announcement that holds now: `id`, `texts`, and `until` if it ends by itself."""
        body = self._rows.get(ANNOUNCEMENT, (0, None))[1]
        if body is None or (body["until"] and body["until"] <= self._wall()):
            return None
        return {name: value for name, value in body.items() if value}

    @property
    def maintenance(self) -> Body | None:
        """The maintenance that holds now, with `until` if its end is known."""
        body = self._rows.get(MAINTENANCE, (0, None))[1]
        return None if body is None else {name: value for name, value in body.items() if value}

    @property
    def told(self) -> dict[str, Any]:
        """The fields of the frame `service`; empty: there is nothing to say. `read_only`: nothing can be saved at the moment."""
        said = {ANNOUNCEMENT: self.announcement, MAINTENANCE: self.maintenance}
        more = {"read_only": True} if self.store_away else {}
        return {name: body for name, body in said.items() if body is not None} | more

    def frame(self) -> bytes:
        """Return the frame `service`, also if there is nothing to say."""
        return orjson.dumps({"type": "service", **self.told})

    def greeting(self) -> bytes | None:
        """Return the frame for a new client; None: there is nothing to say."""
        return self.frame() if (self._rows or self.store_away) and self.told else None


def text_for(announcement: Body, language: str) -> str:
    """Return an announcement in a language, else in English, else in the first that it has."""
    texts: Mapping[str, str] = announcement["texts"]
    return texts.get(language) or texts.get(language.split("-")[0]) or texts.get("en") or next(iter(texts.values()))


def _checked(rows: object, latest: float) -> Rows:
    """Return the rows of known kinds. `latest`: Unix seconds that they may be AHEAD_MAX ahead of. Raises BadStatement."""
    if not isinstance(rows, Mapping):
        raise BadStatement("statements are an object")
    found: Rows = {}
    for kind, row in rows.items():
        match row:
            case [int(at), None] if kind in KINDS:
                found[kind] = at, None
            case [int(at), {"id": str(id), "texts": {**texts}, "until": int(until)}] if kind == ANNOUNCEMENT:
                found[kind] = at, {"id": _short(id), "texts": _texts(texts), "until": _until(until)}
            case [int(at), {"until": int(until)}] if kind == MAINTENANCE:
                found[kind] = at, {"until": _until(until)}
            case _ if kind in KINDS:
                raise BadStatement(f"{kind}: it lacks a field, or one has another type")
            case _:
                continue  # of a later release
        if not 0 < at <= latest * 1000 + AHEAD_MAX:
            raise BadStatement(f"{kind}: its time is in the future")
    return found


def _short(id: str) -> str:
    if not (0 < len(id) <= 32 and id.isascii() and id.isalnum()):
        raise BadStatement("announcement: its id is letters and digits")
    return id


def _until(until: int) -> int:
    if not 0 <= until < UNTIL_MAX:
        raise BadStatement("the end is no time")
    return until


def _is_one_line(text: str) -> bool:
    """Whether a text has no control character, half character or line end."""
    return not any(unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") for sign in text)


def _texts(texts: Mapping[object, object]) -> dict[str, str]:
    """Return texts by language. Raises BadStatement."""
    found: dict[str, str] = {}
    if not 0 < len(texts) <= LANGUAGES_MAX:
        raise BadStatement(f"announcement: from 1 to {LANGUAGES_MAX} languages")
    for language, text in texts.items():
        if not (isinstance(language, str) and 0 < len(language) <= 8 and language.isascii()):
            raise BadStatement("announcement: a language is a tag like `de`")
        if not (isinstance(text, str) and 0 < len(text.strip()) <= TEXT_MAX and _is_one_line(text)):
            raise BadStatement(f"announcement: a text is one line of 1 to {TEXT_MAX} characters")
        found[language] = text.strip()
    return found

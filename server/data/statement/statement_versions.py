"""The versions of one deployment's statement, in DATA/statement. Rule: what adds to the use of people's data is announced 14 days before it
holds, 30 where the data goes to another operator.

A version is `R.N`: the registry's, and the count of this deployment's changes under it. One file a version, written once, with the
statement as it was said in each language; nothing is ever changed in it, so that old versions stay readable. A version under which
nobody chatted is no promise to anybody: the next one replaces it, as when an operator tries the program first and configures it then.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from server.data.privacy.registry_history import current
from server.data.statement.enabled_features import features
from server.data.statement.statement_changes import Change, compare
from server.data.statement.statement_document import document
from server.http.words.sentences import said
from server.ops.config.settings import Settings

FOLDER = "statement"  # under DATA
NOTICE = 14  # days between an announcement and what it adds
TRANSFER = 30  # where it is that people's data goes to another operator
DAY = 86_400


class NotAnnounced(RuntimeError):
    """What this deployment does is more than its statement says; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version. `made`, `effective`: Unix times; `announced`: false where what it adds was told to nobody before."""

    registry: int
    count: int
    made: int
    effective: int
    announced: bool
    digest: str
    state: Mapping[str, Any]
    changes: Sequence[Change]
    documents: Mapping[str, Mapping[str, Any]]

    @property
    def name(self) -> str:
        """As people read it: `3.2`."""
        return f"{self.registry}.{self.count}"

    @property
    def transfer(self) -> str:
        """The operator to whom people's data goes with it; empty: it stays."""
        return next((change.name for change in self.changes if change.key == "transfer"), "")

    @property
    def serial(self) -> int:
        """A number that rises with each version, for programs and the page."""
        return self.registry * 1000 + self.count


def state(settings: Settings) -> dict[str, Any]:
    """What a version is made of: all that a person would want to be told of when it changes."""
    operator = settings.operator
    return {
        "registry": {"version": current().number, "digest": current().digest},
        "operator": operator.model_dump(),
        "recipients": [recipient.model_dump(mode="json") for recipient in settings.recipients],
        "retention": {"days": settings.retention.days, "backup_days": settings.retention.backup_days},
        "features": sorted(features(settings)),
    }


def read(data: Path) -> list[Version]:
    """All versions, the oldest first. Raises OSError, and ValueError where a file is damaged."""
    found = []
    for path in (data / FOLDER).glob("*.json"):
        body = orjson.loads(path.read_bytes())
        body["changes"] = [Change(**change) for change in body["changes"]]
        found.append(Version(**body))
    return sorted(found, key=lambda version: (version.effective, version.serial))


def in_effect(versions: Sequence[Version], now: float) -> Version | None:
    """The newest that holds now; the first where a clock says that none does yet. None: there is none."""
    return next(
        (version for version in reversed(versions) if version.effective <= now), versions[0] if versions else None
    )


def coming(versions: Sequence[Version], now: float) -> Version | None:
    """The next that is announced and does not hold yet."""
    return next((version for version in versions if version.effective > now), None)


def is_settled(settings: Settings, now: int | None = None) -> bool:
    """Whether the statement says what this deployment does. Raises OSError, ValueError."""
    held = in_effect(read(settings.data), int(time.time()) if now is None else now)
    return held is not None and held.digest == _digest(state(settings))


def settle(settings: Settings, now: int | None = None, last_chat: float | None = None) -> str:
    """Make the statement say what this deployment does, at its start; what was not announced before as a sentence, empty: nothing.

    `last_chat`: when the last chat on record ended, Unix seconds, 0: there is none; None: it is not known. Raises NotAnnounced where
    `privacy.changes` is `fail` and something was not, OSError.
    """
    now = int(time.time()) if now is None else now
    versions, mine = read(settings.data), state(settings)
    held = in_effect(versions, now)
    if held is not None and held.digest == _digest(mine):
        return ""
    unused = [] if last_chat is None else _unused(versions, now, last_chat, settings.retention.days)
    if unused:
        held = next((one for one in reversed(versions) if one.effective <= now and one not in unused), None)
    problem = ""
    if held is None or held.digest != _digest(mine):
        problem = _say(settings, versions, held, now)
    for version in unused:
        (settings.data / FOLDER / f"{version.name}.json").unlink(missing_ok=True)
    return problem


def _say(settings: Settings, versions: Sequence[Version], held: Version | None, now: int) -> str:
    """Write the version of these settings, which holds from now on; what was not announced before. Raises NotAnnounced, OSError."""
    changes = compare(held.state, state(settings)) if held is not None else []
    adding = [change for change in changes if change.adds]
    problem = ""
    if adding:
        problem = f"the privacy statement was not announced {NOTICE} days before: {', '.join(map(str, adding))}"
        if settings.privacy.changes == "fail":
            raise NotAnnounced(
                f"{problem}. First: serendip privacy announce --effective {NOTICE}, with the old settings running"
            )
    _write(settings.data, _draft(settings, versions, changes, made=now, effective=now, announced=not adding))
    return problem


def _unused(versions: Sequence[Version], now: int, last_chat: float, days: int) -> list[Version]:
    """The newest versions under which nobody chatted. One that is older than chats are kept may have been used."""
    found: list[Version] = []
    for version in reversed([one for one in versions if one.effective <= now]):
        kept = min(days, int(version.state["retention"]["days"]))
        if version.effective <= last_chat or version.effective <= now - kept * DAY:
            break
        found.append(version)
    return found


def announce(settings: Settings, days: int, now: int, *, transfer: bool = False, dry: bool = False) -> Version:
    """The version of these settings, which holds in `days`; what only takes away may hold at once. Raises NotAnnounced, OSError.

    `transfer`: the operator whom they name is another one, to whom people's data goes; else the same under another name.
    """
    versions, mine = read(settings.data), state(settings)
    last = versions[-1] if versions else None
    if last is not None and last.digest == _digest(mine):
        raise NotAnnounced(f"version {last.name} says exactly this already")
    held = in_effect(versions, now)
    changes = compare(held.state, mine) if held is not None else []
    if transfer:
        changes = [Change("transfer", one.name) if one.key == "operator" else one for one in changes]
        if not any(one.key == "transfer" for one in changes):
            raise NotAnnounced(
                "a transfer goes to another operator, and these settings name the same one (operator.name)"
            )
    if days < TRANSFER and transfer:
        raise NotAnnounced(f"people's data goes to another operator: {TRANSFER} days at least")
    if days < NOTICE and any(change.adds for change in changes):
        raise NotAnnounced(f"it adds to what is done with people's data: {NOTICE} days at least")
    version = _draft(settings, versions, changes, made=now, effective=now + days * DAY, announced=True)
    if not dry:
        _write(settings.data, version)
    return version


def first(settings: Settings, now: int) -> Version:
    """What a deployment says that has no version yet, unwritten."""
    return _draft(settings, (), (), made=now, effective=now, announced=True)


def says(version: Version, settings: Settings) -> bool:
    """Whether a version is of exactly these settings and this program's list, so that it can be said in a language that came later."""
    return version.digest == _digest(state(settings))


def _digest(mine: Mapping[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(mine, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _draft(
    settings: Settings, versions: Sequence[Version], changes: Sequence[Change], *, made: int, effective: int, announced: bool,
) -> Version:  # fmt: skip
    mine = state(settings)
    registry = mine["registry"]["version"]
    count = 1 + max((version.count for version in versions if version.registry == registry), default=0)
    documents = {language: document(settings, language) for language in said()}
    return Version(registry, count, made, effective, announced, _digest(mine), mine, changes, documents)


def _write(data: Path, version: Version) -> None:
    """Whole or not at all. Another host's of the same name and state is as good. Raises OSError."""
    folder = data / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    draft = folder / f".{version.name}.{os.getpid()}"
    draft.write_bytes(orjson.dumps(version, option=orjson.OPT_INDENT_2))
    try:
        os.link(draft, folder / f"{version.name}.json")
    except FileExistsError:
        if all(other.digest != version.digest for other in read(data)):
            raise
    finally:
        draft.unlink()

"""Write and read the versions of this deployment's privacy statement, in DATA/statement. A version `R.N` is the registry's number and this
deployment's count of changes.

**Invariant:** a version file is never changed. A change that adds to the use of personal data is announced 14 days before it takes effect, 30 if the
data is transferred to another operator.
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
from server.http.words.sentence_formatter import said
from server.ops.config.settings import Settings

FOLDER = "statement"  # under DATA
NOTICE = 14  # days between an announcement and what it adds
TRANSFER = 30  # days, if personal data is transferred to another operator
DAY = 86_400


class NotAnnounced(RuntimeError):
    """This deployment does more with personal data than its statement says; the text says what the operator must do."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version. `made`, `effective`: Unix times; `announced`: false if its additions took effect without notice."""

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
        """The version in words: `3.2`."""
        return f"{self.registry}.{self.count}"

    @property
    def transfer(self) -> str:
        """The operator who receives personal data with it; empty if it is not transferred."""
        return next((change.name for change in self.changes if change.key == "transfer"), "")

    @property
    def serial(self) -> int:
        """Number that rises with each version, for programs and the page."""
        return self.registry * 1000 + self.count


def state(settings: Settings) -> dict[str, Any]:
    """Return the state that a version describes: everything whose change matters to users."""
    operator = settings.operator
    return {
        "registry": {"version": current().number, "digest": current().digest},
        "operator": operator.model_dump(),
        "recipients": [recipient.model_dump(mode="json") for recipient in settings.recipients],
        "retention": {"days": settings.retention.days, "backup_days": settings.retention.backup_days},
        "features": sorted(features(settings)),
    }


def read(data: Path) -> list[Version]:
    """Return all versions, oldest first. Raises OSError, and ValueError if a file is damaged."""
    found = []
    for path in (data / FOLDER).glob("*.json"):
        body = orjson.loads(path.read_bytes())
        body["changes"] = [Change(**change) for change in body["changes"]]
        found.append(Version(**body))
    return sorted(found, key=lambda version: (version.effective, version.serial))


def in_effect(versions: Sequence[Version], now: float) -> Version | None:
    """Return the newest version in effect; the first if a wrong clock says that none is; None if there are no versions."""
    return next(
        (version for version in reversed(versions) if version.effective <= now), versions[0] if versions else None
    )


def coming(versions: Sequence[Version], now: float) -> Version | None:
    """Return the next version that is announced and not yet in effect, or None."""
    return next((version for version in versions if version.effective > now), None)


def is_settled(settings: Settings, now: int | None = None) -> bool:
    """Return whether the version in effect describes this deployment. Raises OSError, ValueError."""
    held = in_effect(read(settings.data), int(time.time()) if now is None else now)
    return held is not None and held.digest == _digest(state(settings))


def settle(settings: Settings, now: int | None = None, last_chat: float | None = None) -> str:
    """Make the statement describe this deployment, at its start; return a sentence about unannounced additions, or an empty one.

    `last_chat`: end of the last chat on record in Unix seconds, 0 without chats, None if unknown. Raises NotAnnounced if an addition was not
    announced and `privacy.changes` is `fail`; OSError.

    A version under which no chat happened is replaced by the next one without notice, for example while an operator configures a new server.
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
    """Write the version of these settings, in effect now; return a sentence about unannounced additions. Raises NotAnnounced, OSError."""
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
    """Return the newest versions under which no chat happened. A version older than the retention of chats may have been used."""
    found: list[Version] = []
    for version in reversed([one for one in versions if one.effective <= now]):
        kept = min(days, int(version.state["retention"]["days"]))
        if version.effective <= last_chat or version.effective <= now - kept * DAY:
            break
        found.append(version)
    return found


def announce(settings: Settings, days: int, now: int, *, transfer: bool = False, dry: bool = False) -> Version:
    """Write the version of these settings, in effect in `days` days; removals alone may take effect at once. Raises NotAnnounced, OSError.

    `transfer`: the operator named in the settings is another one, who receives the personal data; else the same one renamed.
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
    """Return the version of a deployment that has none yet, unwritten."""
    return _draft(settings, (), (), made=now, effective=now, announced=True)


def says(version: Version, settings: Settings) -> bool:
    """Return whether a version describes exactly these settings and this registry, so that it can be rendered in a language added later."""
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
    """Write the file whole or not at all. A file of the same name and state, written by another host, is accepted. Raises OSError."""
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

"""Build users and reports for the tests of moderation. **Invariant:** identity and address follow from a user's number."""

from __future__ import annotations

import itertools
import secrets

from server.data.objects.sealed_objects import Sealed
from server.data.records.address_country import Countries
from server.ops.config.moderation_policy import DAY
from server.trust.cases.report_cases import Cases
from server.trust.decisions.case_work import CaseWork
from server.trust.evidence.chat_evidence import ChatLine, Evidence
from server.trust.evidence.reported_chat import NOBODY, Person, Reported
from server.trust.evidence.reported_picture import OWN, STRIP, Picture
from server.trust.sanctions.ban_loader import Bans
from server.trust.sanctions.sanction_scale import Decision
from tests.server.data.conftest import NOW, Kit, address

_numbers = itertools.count(1)
NONE = Decision("none")


def ban(rule: str = "R5", days: int | None = None) -> Decision:
    """Return a ban by a rule; without days the next step of its ladder."""
    return Decision("ban", rule, None if days is None else days * DAY)


def sealed(kit: Kit) -> Sealed:
    """Return sealed objects under keys of their own."""
    return Sealed(kit.database, kit.objects, kit.pseudonyms)


def cases(kit: Kit) -> Cases:
    """Return the intake of reports."""
    return Cases(kit.database, sealed(kit), kit.pseudonyms, Countries().find, clock=lambda: kit.now)


def desk(kit: Kit) -> CaseWork:
    """Return the work on cases, at the test's time."""
    return CaseWork(kit.database, sealed(kit), kit.pseudonyms, clock=lambda: kit.now)


def bans(kit: Kit) -> Bans:
    """Return the bans in force, at the test's time."""
    return Bans(kit.database, kit.pseudonyms, clock=lambda: kit.now)


def person(number: int) -> Person:
    """Return a user with a cookie; 0: without one."""
    return Person(number, address(number or 999))


def text(*lines: str, side: int = 1) -> Evidence:
    """Return a chat in which both sides wrote in turn."""
    return Evidence(
        "text", NOW - 60, NOW, side, tuple(ChatLine(n + 1, n & 1, NOW, line) for n, line in enumerate(lines)), False
    )


def reported(
    by: int = 11,
    about: int = 22,
    reason: str = "spam",
    note: str = "",
    at: int = NOW,
    said: Evidence | None = None,
    shown: tuple[Picture, ...] = (),
) -> Reported:
    """Return a report of user `by` about user `about`."""
    next(_numbers)
    return Reported(secrets.token_bytes(16), reason, note, at, "text", person(by), person(about), 1, said, shown=shown)


def acted(
    found: str = "repeat", about: int = 22, at: int = NOW, said: Evidence | None = None, shown: tuple[Picture, ...] = ()
) -> Reported:
    """Return a detection about a user."""
    return Reported(b"", found, "", at, "text", NOBODY, person(about), 1, said, True, shown)


def pictures(at: int = NOW) -> tuple[Picture, ...]:
    """Return two pictures of the reported camera, as the partner saw it and as its own browser sent it, and one of the other camera: random bytes."""
    return tuple(
        Picture(kind, side, at, b"\xff\xd8" + secrets.token_bytes(64))
        for kind, side in ((STRIP, 1), (OWN, 1), (OWN, 0))
    )

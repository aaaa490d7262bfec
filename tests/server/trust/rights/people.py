"""Build two users with all data that can be stored of them, made by the service's own parts."""

from __future__ import annotations

import copy
import functools
import io
import json
import zipfile
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert

from server.data.privacy import audit_log
from server.data.privacy.disclosure_ledger import Disclosure, DisclosureLedger
from server.data.privacy.registry_model import Category, What
from server.data.records.chat_rows import EndedChat, Party
from server.data.records.store_ports import Saved
from server.data.records.transcript import Line, Transcript
from server.data.retention import legal_holds
from server.data.schema.data_request_schema import rights_key
from server.data.schema.deletion_schema import deletion, deletion_notice
from server.data.statement.current_statement import PublishedStatement
from server.data.store.store_runner import Parts
from server.ops.config.settings import Retention, Settings
from server.ops.security import reference_numbers
from server.trust.cases.user_appeals import Appeals
from server.trust.data_export.person_export import PersonExports
from server.trust.data_requests.request_store import NewRequest, Requests
from server.trust.decisions.appeal_decisions import AppealDecisions
from server.trust.evidence.reported_picture import OWN, STRIP, Picture
from server.trust.sanctions.ban_table import path_of
from server.trust.sanctions.sanction_scale import Decision
from tests.server.data.conftest import NOW, Kit, address
from tests.server.trust.moderation import people

A, B, C = 11, 22, 33
DAY = 86_400


@dataclass
class Story:
    """The stored data, as far as a test must know it. `marks`: values of each user that no other export may contain."""

    log: Saved
    case: bytes
    marks: dict[int, list[str]]


def known(kit: Kit, **operator: str) -> PersonExports:
    """Return the exports of this store."""
    parts = Parts(kit.database, kit.objects, kit.pseudonyms, kit.logs, None)  # type: ignore[arg-type]
    return PersonExports(parts, lambda: stated("Hosting Ltd", kit.retention, **operator))


def stated(hosting: str, retention: Retention, **operator: str) -> dict[str, Any]:
    """Return the statement of a deployment with one provider; none if its name is empty. The caller may change it."""
    return copy.deepcopy(_stated(hosting, retention.model_dump_json(), tuple(operator.items())))


@functools.cache  # a server makes it once, in nine languages; tests ask some hundred times
def _stated(hosting: str, retention: str, operator: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    recipients = [{"name": hosting, "kind": "hosting"}] if hosting else []
    chosen = {
        "operator": {"name": "The operator"} | dict(operator),
        "retention": Retention.model_validate_json(retention),
        "recipients": recipients,
    }
    published = PublishedStatement(Settings.model_validate(chosen), lambda: NOW)
    return published.answer(published.version, "en")


async def packed(kit: Kit, identity: int, now: int = NOW) -> bytes:
    """Return the archive of one user."""
    return b"".join([some async for some in known(kit).export(identity, now)])


def unpacked(body: bytes) -> dict[str, bytes]:
    """Return its files by name."""
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def part(files: dict[str, bytes], name: str) -> Any:
    """Return one of its JSON files."""
    return json.loads(files[name])


def chat(ago: float, a: int = A, b: int = B, mode: str = "text") -> EndedChat:
    """Return a chat of two users that ended this many days ago."""
    at = NOW - ago * DAY
    return EndedChat(mode, "left", at - 60, at, (Party(0, a, address(a)), Party(1, b, address(b))))


async def told(kit: Kit) -> Story:
    """Let A and B chat, save, report each other, be banned and appeal; moderators look."""
    await kit.write(chat(3), chat(40), chat(2, mode="video"), chat(119, B, A))
    said = Transcript(
        "college", NOW - 3 * DAY, (Line(0, NOW, "said by A, =1+1"), Line(1, NOW + 1, "said by B")),
        common=("sailing",), colleges=("a.example.edu", "b.example.edu"),
    )  # fmt: skip
    log = await kit.logs.save(said, (Party(0, A, address(A)), Party(1, B, address(B))))
    found: dict[int, bytes] = {}
    for by, about in ((A, B), (B, A)):
        report = people.reported(by, about, reason="hate", note=f"=note of {by}", said=people.text(f"heard {about}"))
        found[about] = await people.cases(kit).take(report)
    appeals = Appeals(kit.database, kit.pseudonyms, clock=lambda: kit.now)
    for about in (A, B):
        decision = Decision("ban", "R4", 7 * DAY, f"told to {about}")
        await people.desk(kit).decide(found[about].hex(), "mod-one", f"why {about}", decision)
        token = path_of(kit.pseudonyms, found[about]).rpartition("/")[2]
        await appeals.write(token, f"appeal of {about}")
    reviews = AppealDecisions(kit.database, people.sealed(kit), kit.pseudonyms, clock=lambda: kit.now)
    await reviews.answer(found[A].hex(), "mod-two", "read again", uphold=True, words=f"answer to {A}")
    for by, about in ((A, B), (B, A)):
        report = people.reported(by, about, reason="nudity", at=NOW + DAY + 1, shown=cameras(by, about))
        warned = await people.cases(kit).take(report)
        decision = Decision("warning", "R2", None, f"warned {about}")
        await people.desk(kit).decide(warned.hex(), "mod-one", "a warning", decision)
    late = people.reported(C, A, reason="spam", note="a later note", at=NOW + 2 * DAY)
    await people.cases(kit).take(late)
    await audit_log.write_entry(
        kit.database, now=NOW, operator="mod-three", action="log show", why="a complaint", outcome="about",
        subject=kit.pseudonyms.audit_subject(kit.pseudonyms.kept_identity(A)),
    )  # fmt: skip
    await wrote(kit)
    marks = {
        who: [
            address(who),
            f"note of {who}",
            f"appeal of {who}",
            f"why {who}",
            f"answer to {who}",
            f"heard {who}",
            f"told to {who}",
            f"warned {who}",
            f"asked by {who}",
            f"camera of {who}",
        ]
        for who in (A, B)
    }
    return Story(log, found[A], marks)


def cameras(by: int, about: int) -> tuple[Picture, ...]:
    """Return the pictures of a video chat's report: the subject, as the partner saw them and as they sent it; and the reporter."""
    return (
        Picture(STRIP, 1, NOW + DAY, f"seen: camera of {about}".encode()),
        Picture(OWN, 1, NOW + DAY, f"own: camera of {about}".encode()),
        Picture(OWN, 0, NOW + DAY, f"own: camera of {by}".encode()),
    )


async def wrote(kit: Kit) -> None:
    """Let both users make requests, have data deleted long ago, and invalidate their keys."""
    for who in (A, B):
        await Requests(kit.database, kit.pseudonyms).open(
            NewRequest("other", "page", 3, who, text=f"asked by {who}"), NOW
        )
        number = reference_numbers.number()
        step = {
            "number": number, "recipient": "Hosting Ltd", "state": "told", "tries": 1, "began": NOW, "at": NOW,
            "next": None, "line": None, "known": None,
        }  # fmt: skip
        gone = {
            "number": number, "who": kit.pseudonyms.deletion_subject(who), "kind": "delete", "records": True, "logs": False,
            "asked": NOW - 200 * DAY, "due": NOW - 197 * DAY, "done": NOW - 197 * DAY, "statement": "2",
        }  # fmt: skip
        invalid = {"who": kit.pseudonyms.revoked_identity(who), "not_before": NOW * 1000 + 7}
        async with kit.database.write() as connection:
            await connection.execute(insert(deletion_notice).values(step))
            await connection.execute(insert(deletion).values(gone))
            await connection.execute(insert(rights_key).values(invalid))
        shown = Disclosure(What.REVEAL, f"shown to police of {who}", "demand", (Category.A,), 1)
        await DisclosureLedger(kit.database, lambda: NOW).intent(
            shown, [kit.pseudonyms.disclosure_subject(kit.pseudonyms.kept_identity(who))]
        )


async def held(kit: Kit, identity: int, *, secret: bool) -> int:
    """Place an order about a user."""
    return await legal_holds.place(
        kit.database, kit.pseudonyms, legal_holds.Selector("identity", str(identity)),
        authority="Court of Oslo", reason="order 7", now=int(kit.now), until=int(kit.now) + 90 * DAY, secret=secret,
    )  # fmt: skip

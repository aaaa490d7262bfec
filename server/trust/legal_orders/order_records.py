"""Find the stored records that a legal order names, live, held and hidden ones, and open those of its categories.

**Invariant:** finding opens nothing sealed: addresses, texts and pictures are opened by `opened` alone, after the ledger has its intent.
"""

from __future__ import annotations

import asyncio
import base64
import datetime
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from server.data.chat_logs.saved_logs import SavedLogs
from server.data.connection_source import SourceEndpoint
from server.data.database.database import Database
from server.data.keys.epoch_keys import KeyGone
from server.data.keys.pseudonyms import Pseudonyms
from server.data.objects.sealed_objects import Sealed
from server.data.privacy.registry_model import Category
from server.data.retention import legal_holds
from server.data.retention.legal_holds import Selector
from server.data.schema.moderation_schema import ban, case, case_subject, evidence
from server.data.schema.record_schema import chat, held_chat, held_party, log, log_party, party
from server.trust.evidence import chat_evidence, picture_evidence
from server.trust.evidence.reported_picture import KINDS

MOST: Final = 100_000  # records of one order; a larger one is answered in parts, by its times
A, B, F, G, H, L, LOG = Category.A, Category.B, Category.F, Category.G, Category.H, Category.L, Category.LOG
Piece = dict[str, Any]


class TooMany(ValueError):
    """The order names more records than one answer holds."""


@dataclass(frozen=True, slots=True)
class FoundRecords:
    """Rows that an order names, with nothing opened. `values`: the keyed values of the persons whom they are about."""

    chats: tuple[tuple[Row[Any], bool], ...]  # with whether the row is a held copy
    logs: tuple[Row[Any], ...]
    people: tuple[Row[Any], ...]  # of the logs
    cases: tuple[Row[Any], ...]
    bans: tuple[Row[Any], ...]
    evidence: tuple[Row[Any], ...]
    values: tuple[bytes, ...]

    def counts(self, categories: Sequence[Category]) -> dict[str, int]:
        """Return the number of records that these categories open, by part."""
        found = {
            "addresses": (A, len(self.chats) + len(self.people) + len(self.cases)),
            "chats": (F, len(self.chats)),
            "saved_logs": (F, len(self.logs)),
            "colleges": (B, len(self.logs)),
            "bans": (F, len(self.bans)),
            "countries": (G, len(self.chats) + len(self.cases)),
            "pictures": (H, sum(map(_is_picture, self.evidence))),
            "reported_texts": (L, sum(one.kind not in KINDS for one in self.evidence)),
            "saved_texts": (LOG, len(self.logs)),
        }
        return {name: count for name, (category, count) in found.items() if category in categories}


class OrderRecords:
    """Reads the records of one store for legal orders."""

    def __init__(self, database: Database, logs: SavedLogs, sealed: Sealed, pseudonyms: Pseudonyms) -> None:
        self._database = database
        self._logs = logs
        self._sealed = sealed
        self._pseudonyms = pseudonyms

    async def find(self, selector: Selector, since: int | None, until: int | None) -> FoundRecords:
        """Return the rows that a selector names between two Unix times, from one snapshot. Raises TooMany, StoreAway."""
        now = legal_holds.values(selector, self._pseudonyms)
        first, last = since or 0, 2**62 if until is None else until

        def within(at: ColumnElement[int]) -> ColumnElement[bool]:
            return true() if since is None and until is None else at.between(first, last)

        async with self._database.snapshot() as connection:
            some = sorted({*now, *await legal_holds.values_held(connection, self._pseudonyms, selector)})
            chats = [
                (row, people is held_party)
                for people, chats in ((party, chat), (held_party, held_chat))
                for row in await _rows(connection, _chats(people, chats, some, first, last))
            ]
            once = {(row.chat, row.side): (row, held) for row, held in chats}
            theirs = select(log_party.c.log).where(
                or_(log_party.c.identity.in_(some), log_party.c.address_mac.in_(some))
            )
            logs = await _rows(
                connection, select(log).where(or_(log.c.id.in_(some), log.c.id.in_(theirs)), within(log.c.saved))
            )
            mine = or_(log_party.c.identity.in_(some), log_party.c.address_mac.in_(some), log_party.c.log.in_(some))
            people = await _rows(
                connection,
                select(log_party, log.c.saved).join(log, log.c.id == log_party.c.log).where(mine, within(log.c.saved)),
            )
            subject = or_(case_subject.c.identity.in_(some), case_subject.c.network.in_(some))
            cases = await _rows(
                connection,
                select(case_subject, case.c.opened, case.c.mode)
                .join(case, case.c.id == case_subject.c.case)
                .where(subject, within(case.c.opened)),
            )
            about = select(case_subject.c.case).where(subject)
            bans = await _rows(
                connection, select(ban).where(or_(ban.c.mac.in_(some), ban.c.case.in_(about)), within(ban.c.since))
            )
            pieces = await _rows(
                connection, select(evidence).where(evidence.c.case.in_(about), within(evidence.c.made))
            )
        values = self._people(selector, [row for row, _ in once.values()], people, cases)
        return FoundRecords(tuple(once.values()), logs, people, cases, bans, pieces, values)

    def _people(
        self, selector: Selector, chats: Sequence[Row[Any]], logs: Sequence[Row[Any]], cases: Sequence[Row[Any]]
    ) -> tuple[bytes, ...]:
        """Return one value a person: of an order about an identity that identity's own, else those of the rows found."""
        if selector.kind == "identity":
            stored = len(selector.value) == 34
            return (bytes.fromhex(selector.value) if stored else self._pseudonyms.kept_identity(int(selector.value)),)
        found = {row.identity for row in (*chats, *logs, *cases)}
        return tuple(sorted(value for value in found if value is not None))

    async def opened(self, found: FoundRecords, categories: Sequence[Category]) -> dict[str, list[Piece]]:
        """Return the records of these categories, by part. Raises StoreAway, ObjectsAway."""
        parts: dict[str, list[Piece]] = {}
        if A in categories:
            parts["addresses"] = await asyncio.to_thread(
                self._addresses, found
            )  # a second of decryption, beside a loop that serves
        if B in categories:
            parts["colleges"] = [
                {
                    "log": row.id.hex(),
                    "saved": utc(row.saved),
                    "colleges": await self._logs.opened(row.object, row.object_key, lambda said: said.colleges),
                }
                for row in found.logs
            ]
        if F in categories:
            parts |= _activity(found)
        if G in categories:
            parts["countries"] = [
                *({"chat": row.chat.hex(), "at": utc(row.ended), "country": row.country} for row, _ in found.chats),
                *({"case": row.case.hex(), "at": utc(row.opened), "country": row.country} for row in found.cases),
            ]
        if H in categories:
            parts["pictures"] = await self._pictures(found)
        if L in categories:
            parts["reported_texts"] = await self._texts(found)
        if LOG in categories:
            parts["saved_texts"] = [
                {
                    "log": row.id.hex(),
                    "saved": utc(row.saved),
                    "chat": await self._logs.opened(row.object, row.object_key, asdict),
                }
                for row in found.logs
            ]
        return parts

    def _addresses(self, found: FoundRecords) -> list[Piece]:
        """Return the addresses with port and time; an address whose key was destroyed is null."""
        keys = self._pseudonyms
        live, kept, safety = keys.live_address, keys.kept_address, keys.safety_address
        return [
            *(
                {"chat": row.chat.hex(), "at": utc(row.ended), **_source(kept if held else live, row.address)}
                for row, held in found.chats
            ),
            *({"log": row.log.hex(), "at": utc(row.saved), **_source(kept, row.address)} for row in found.people),
            *({"case": row.case.hex(), "at": utc(row.opened), **_source(safety, row.address)} for row in found.cases),
        ]

    async def _pictures(self, found: FoundRecords) -> list[Piece]:
        """Return the pictures of reported chats; of apparent abuse material the hash alone, since a referral carries it."""
        pieces: list[Piece] = []
        for row in found.evidence:
            if _is_picture(row) and (body := await self._sealed.get(row.object, row.object_key)) is not None:
                grave = row.object.startswith(picture_evidence.CHILD)
                shown = (
                    {"sha256": hashlib.sha256(body).hexdigest()} if grave else {"jpeg": base64.b64encode(body).decode()}
                )
                pieces.append({"case": row.case.hex(), "at": utc(row.made), "kind": row.kind, **shown})
        return pieces

    async def _texts(self, found: FoundRecords) -> list[Piece]:
        pieces: list[Piece] = []
        for row in found.evidence:
            if row.kind in KINDS:
                continue
            body = await self._sealed.get(row.object, row.object_key)
            try:
                said = None if body is None else asdict(chat_evidence.unpack(body))
            except chat_evidence.Unreadable:
                said = None
            pieces.append({"case": row.case.hex(), "at": utc(row.made), "chat": said})
        return pieces


def _activity(found: FoundRecords) -> dict[str, list[Piece]]:
    """Return chats, saved logs and bans without addresses and texts."""
    return {
        "chats": [
            {
                "chat": row.chat.hex(), "side": row.side, "mode": row.mode, "started": utc(row.started),
                "ended": utc(row.ended), "how": row.how,
            }
            for row, _ in found.chats
        ],
        "saved_logs": [
            {"log": row.id.hex(), "saved": utc(row.saved), "removed": utc(row.hidden)} for row in found.logs
        ],
        "bans": [
            {
                "case": row.case.hex(), "measure": row.measure, "rule": row.rule, "since": utc(row.since),
                "until": utc(row.until), "lifted": utc(row.lifted),
            }
            for row in found.bans
        ],
    }  # fmt: skip


def _is_picture(row: Row[Any]) -> bool:
    """Whether a row of evidence is a picture of the case's subject. Those of the reporter are no part of an order about the subject."""
    return row.kind in KINDS and bool(row.subject)


def _chats(people: Any, chats: Any, some: list[bytes], first: int, last: int) -> Select[Any]:
    """Return the query for the chats of these values of which a part is between two times."""
    wanted = select(people, chats.c.mode, chats.c.started, chats.c.how).join(chats, chats.c.id == people.c.chat)
    theirs = or_(people.c.identity.in_(some), people.c.address_mac.in_(some))
    return wanted.where(theirs, people.c.ended >= first, chats.c.started <= last).order_by(people.c.chat)


async def _rows(connection: AsyncConnection, wanted: Select[Any]) -> tuple[Row[Any], ...]:
    found = tuple((await connection.execute(wanted.limit(MOST + 1))).all())
    if len(found) > MOST:
        raise TooMany(
            f"more than {MOST} records: answer it in parts, each entered as an order with --since and --until"
        )
    return found


def _source(open_: Callable[[bytes], SourceEndpoint], sealed: bytes | None) -> Piece:
    try:
        found = None if sealed is None else open_(sealed)
    except KeyGone:
        found = None
    return {"address": found and found.address, "port": found and (found.port or None)}


def utc(at: int | None) -> str | None:
    """Return a time as `2026-11-24T16:05:09Z`."""
    return None if at is None else f"{datetime.datetime.fromtimestamp(at, datetime.UTC).isoformat()[:19]}Z"

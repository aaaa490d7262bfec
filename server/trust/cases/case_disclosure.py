"""Disclose data of a case (the IP address of the reported user, or the whole case as a file), and place a legal hold on it.

**Invariant:** the audit log has an entry before each of these actions, and a second one with the outcome, also of a failure; before an address or a
file is given out, the disclosure ledger has its line too. The caller checks the moderator's role (`server.trust.console.console_gate`).
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any

import orjson
from sqlalchemy import not_, select

from server.data.connection_source import SourceEndpoint
from server.data.keys.epoch_keys import KeyGone
from server.data.privacy.disclosure_ledger import Disclosure, DisclosureLedger
from server.data.privacy.registry_model import Category, What
from server.data.retention import legal_holds
from server.data.schema.moderation_schema import ban, case, case_subject, evidence, report
from server.ops.config.moderation_policy import DAY
from server.trust.cases.case_base import CaseBase, Missing
from server.trust.cases.report_cases import NOTE
from server.trust.evidence import picture_evidence
from server.trust.evidence.chat_evidence import Evidence, Unreadable, unpack
from server.trust.sanctions.ban_rows import TOLD
from server.trust.sanctions.sanction_scale import Refused

UNKNOWN = SourceEndpoint("")
VERSION = 2  # of the file: with pictures
DEMAND = "demand"  # the basis of a disclosure without a legal order, which `server.trust.legal_orders` answers


NAMED = ": "  # between recipient and reason
RECIPIENT = 100  # characters


def named_reason(recipient: str, why: str) -> str:
    """Return the reason for an approval, which begins with the recipient, so that both are approved. Raises Refused if one is empty."""
    recipient, why = " ".join(recipient.replace(":", " ").split()), why.strip()
    if not why:
        raise Refused("refused.why")
    if not recipient:
        raise Refused("refused.recipient")
    return f"{recipient[:RECIPIENT]}{NAMED}{why}"


def _disclosure(what: What, recipient: str, *categories: Category) -> Disclosure:
    """Return a disclosure on demand. Raises Refused without a recipient, which the subject has a right to know."""
    if not recipient.strip():
        raise Refused("refused.recipient")
    return Disclosure(what, recipient.strip(), DEMAND, categories, 1)


class Disclosures(CaseBase):
    """Disclosures and holds of an officer."""

    async def case_id(self, text: str) -> bytes:
        """Return the id of the one case that begins with these digits. Raises Refused, StoreAway."""
        return await self._ident(text)

    async def address(self, text: str, operator: str, why: str, recipient: str) -> SourceEndpoint:
        """Return the address of a case's subject with port and time, empty if none is kept. Raises Refused, StoreAway.

        `recipient`: the authority that asks, as the subject reads it.
        """
        ident, one = await self._ident(text), _disclosure(What.REVEAL, recipient, Category.A)
        await self._note("safety reveal", operator, why, ident, "asked")
        async with self._database.read() as connection:
            about = select(case_subject.c.address).where(case_subject.c.case == ident)
            sealed = (await connection.execute(about)).scalar()
        if sealed is None:
            await self._note("safety reveal", operator, why, ident, "none is kept")
            return UNKNOWN
        try:
            async with self._recorded(ident, one):
                found = self._address_of(sealed)
                if not found.address:
                    raise KeyGone(ident.hex())
        except KeyGone:  # nothing was given, and the ledger says so
            await self._note("safety reveal", operator, why, ident, "none is kept")
            return UNKNOWN
        await self._note("safety reveal", operator, why, ident, "shown")
        return found

    def _address_of(self, sealed: bytes | None) -> SourceEndpoint:
        """Return the address of a case's subject for a disclosure that the ledger has; empty for NULL, or if its key is gone."""
        try:
            return UNKNOWN if sealed is None else self._pseudonyms.safety_address(sealed)
        except KeyGone:
            return UNKNOWN

    @contextlib.asynccontextmanager
    async def _recorded(self, ident: bytes, one: Disclosure) -> AsyncIterator[None]:
        """Wrap a disclosure about a case's subject in its lines of the ledger. Raises StoreAway."""
        async with self._database.read() as connection:
            about = select(case_subject.c.identity, case_subject.c.network).where(case_subject.c.case == ident)
            row = (await connection.execute(about)).first()
        value = None if row is None else row.identity or row.network
        subjects = [] if value is None else [self._pseudonyms.disclosure_subject(value)]
        async with DisclosureLedger(self._database, self._clock).recorded(one, subjects):
            yield

    async def export(self, text: str, operator: str, why: str, recipient: str) -> bytes:
        """Return a case with its evidence as JSON: no identity and no address; of apparent abuse material hashes alone.

        Raises Refused, StoreAway, ObjectsAway.
        """
        ident, one = await self._ident(text), _disclosure(What.EXPORT, recipient, Category.F, Category.H, Category.L)
        await self._note("safety export", operator, why, ident, "asked")
        try:
            async with self._recorded(ident, one):
                found = await self._file(ident)
        except Exception as error:
            await self._note("safety export", operator, why, ident, f"failed: {type(error).__name__}")
            raise
        digest = hashlib.sha256(found).hexdigest()
        await self._note("safety export", operator, why, ident, f"given: {len(found)} bytes, sha256 {digest}")
        return found

    async def _file(self, ident: bytes) -> bytes:
        """Return a case as JSON. Raises Missing, StoreAway, ObjectsAway."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(case).where(case.c.id == ident))).first()
            if row is None:
                raise Missing("refused.case.missing")
            reports = (
                await connection.execute(select(report).where(report.c.case == ident).order_by(report.c.at))
            ).all()
            bans = (await connection.execute(select(ban).where(ban.c.case == ident).order_by(ban.c.since))).all()
        told = ("queue", "state", "mode", "opened", "reasons", "decided_by", "measure", "rule", "closed")
        body = {
            "v": VERSION,
            "case": ident.hex(),
            **{name: row._mapping[name] for name in told},
            "reports": [
                {"at": one.at, "reason": one.reason, "note": self._opened(one.note, NOTE), "outcome": one.outcome}
                for one in reports
            ],
            "bans": [
                {
                    "kind": one.kind, "measure": one.measure, "rule": one.rule, "since": one.since, "until": one.until,
                    "lifted": one.lifted, "decided_by": one.decided_by, "words": self._opened(one.words, TOLD),
                }
                for one in bans
            ],
            "evidence": [asdict(piece) for piece in await self._texts(ident)],
            "pictures": await self._pictures(ident),
        }  # fmt: skip
        return orjson.dumps(body, option=orjson.OPT_INDENT_2)

    async def hold(self, text: str, operator: str, why: str, authority: str, days: int) -> int:
        """Keep all rows of a case's subject from the purge. Return the hold's number. Raises Refused, BadHold, StoreAway."""
        ident = await self._ident(text)
        await self._note("safety hold", operator, why, ident, f"asked: {days} days, for {authority}")
        async with self._database.read() as connection:
            about = select(case_subject).where(case_subject.c.case == ident)
            subject = (await connection.execute(about)).first()
        mac = None if subject is None else subject.identity or subject.network
        if mac is None:
            raise Refused("refused.hold.nobody")
        now = self.now
        return await legal_holds.place(
            self._database, self._pseudonyms, legal_holds.Selector("identity", mac.hex()), authority=authority, reason=why,
            now=now, until=now + days * DAY, secret=False,
        )  # fmt: skip

    async def _pictures(self, ident: bytes) -> list[dict[str, Any]]:
        """Return a case's pictures, oldest first, without those whose object is gone."""
        theirs = select(evidence).where(evidence.c.case == ident, picture_evidence.PICTURE)
        async with self._database.read() as connection:
            rows = (await connection.execute(theirs.order_by(evidence.c.made, evidence.c.id))).all()
        found = []
        for row in rows:
            body = await self._sealed.get(row.object, row.object_key)
            if body is not None:
                grave = row.object.startswith(picture_evidence.CHILD)
                shown = (
                    {"sha256": hashlib.sha256(body).hexdigest()} if grave else {"jpeg": base64.b64encode(body).decode()}
                )
                found.append({"kind": row.kind, "at": row.made, "reported": bool(row.subject), **shown})
        return found

    async def _texts(self, ident: bytes, most: int | None = None) -> tuple[Evidence, ...]:
        """Return the server's own text of each reported chat, or of the newest `most`, oldest first, without those gone or unreadable."""
        theirs = select(evidence).where(evidence.c.case == ident, not_(picture_evidence.PICTURE))
        wanted = theirs.order_by(evidence.c.made.desc(), evidence.c.id.desc()).limit(most)
        async with self._database.read() as connection:
            pieces = (await connection.execute(wanted)).all()[::-1]
        found = []
        for piece in pieces:
            body = await self._sealed.get(piece.object, piece.object_key)
            try:
                if body is not None:
                    found.append(unpack(body))
            except Unreadable:
                continue
        return tuple(found)

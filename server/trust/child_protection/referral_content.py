"""Read the stored content of a case (text, pictures, address) for its referral to a child protection organisation, and log the referral.

**Invariant:** the case must be marked as apparent child abuse material; the audit log and the ledger of disclosures
have their entries before anything is read.
"""

from __future__ import annotations

from sqlalchemy import select

from server.data.privacy.disclosure_ledger import Disclosure
from server.data.privacy.registry_model import Category, What
from server.data.retention.monthly_counts import REFERRED, SEEN
from server.data.schema.moderation_schema import case, case_subject, evidence
from server.data.schema.record_schema import audit
from server.trust.cases.case_base import Missing
from server.trust.cases.case_disclosure import Disclosures
from server.trust.cases.picture_review import PictureReview
from server.trust.child_protection.referral_package import RECIPIENT, Material, SeenPicture
from server.trust.evidence import child_abuse_material
from server.trust.sanctions.sanction_scale import Refused

BASIS = "18 U.S.C. 2258A"
GONE = "refused.referral.gone"


class Referrals(Disclosures, PictureReview):
    """Referrals of cases to a child protection body."""

    async def gather(self, text: str, operator: str, why: str) -> Material:
        """Return all that a marked case keeps, with the address. Raises Refused (also if a picture is missing), StoreAway, ObjectsAway."""
        ident = await self._ident(text)
        await self._note("safety referral", operator, why, ident, "asked")
        secret = (
            self.now + child_abuse_material.PRESERVED
        )  # as long as the hold: its subject may have made the material
        categories = (Category.A, Category.F, Category.H, Category.L)
        async with self._recorded(
            ident, Disclosure(What.REFERRAL, RECIPIENT, BASIS, categories, 1, reveal_after=secret)
        ):
            found = await self._material(ident)
        await self._note(
            "safety referral", operator, why, ident, f"{len(found.pictures)} pictures, {len(found.texts)} texts"
        )
        return found

    async def _material(self, ident: bytes) -> Material:
        """Return the contents of a marked case. Raises as `gather`."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(case).where(case.c.id == ident))).first()
            if row is None:
                raise Missing("refused.case.missing")
            if row.child is None:
                raise Refused("refused.referral")
            subject = (await connection.execute(select(case_subject).where(case_subject.c.case == ident))).first()
            looked = select(audit.c.outcome).where(
                audit.c.action == SEEN, audit.c.outcome.like(f"case {ident.hex()}:%")
            )
            seen = " ".join((await connection.execute(looked)).scalars())
        pictures = []
        for one in await self.shots(ident):
            body = await self._piece(bytes.fromhex(one.id))
            pictures.append(SeenPicture(one, body, one.id in seen))
        return Material(
            ident.hex(), row.opened, row.child, row.mode, tuple(row.reasons.split(",")),
            self._address_of(None if subject is None else subject.address), "" if subject is None else subject.country or "",
            await self._texts(ident), tuple(pictures),
        )  # fmt: skip

    async def referred(self, text: str, operator: str, why: str, number: str, at: int | None = None) -> None:
        """Log a referral under the number that the receiver assigned, and hold the case for a year from its submission. `at`: Unix seconds of
        that, None for now. Raises Refused (also for a time to come, or more than a year ago), StoreAway.
        """
        ident, now = await self._ident(text), self.now
        submitted = now if at is None else at
        if not now - child_abuse_material.PRESERVED < submitted <= now:
            raise Refused("refused.referral.when")
        async with self._database.read() as connection:
            if not await child_abuse_material.is_marked(connection, ident):
                raise Refused("refused.referral")
        await self._note(REFERRED, operator, why, ident, f"reported as {number[:100]}")
        async with self._database.write() as connection:
            await self._database.guard(connection)
            await child_abuse_material.hold(connection, self._pseudonyms, ident, submitted, now)

    async def _piece(self, piece: bytes) -> bytes:
        async with self._database.read() as connection:
            row = (await connection.execute(select(evidence).where(evidence.c.id == piece))).first()
        body = None if row is None else await self._sealed.get(row.object, row.object_key)
        if body is None:  # no report rather than an incomplete one
            raise Refused(GONE)
        return body

"""Write the notices of a deletion to recipients, with the addresses by which they know the person, before that person's rows are removed.

**Invariant:** a removal and its notices cannot part: the notices are written before the first row goes, and a removal that is continued after a kill
writes none twice. Addresses under a legal hold are left out: data that must be kept here must not be deleted elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson
from sqlalchemy import and_, insert, not_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.data.keys.epoch_keys import KeyGone
from server.data.keys.pseudonyms import Pseudonyms
from server.data.schema.deletion_schema import OBJECTED, deletion, deletion_notice, erased
from server.data.schema.hold_conditions import held_party
from server.data.schema.record_schema import party
from server.ops.config.recipient_settings import KNOWS_ADDRESSES, Recipient, Way
from server.ops.config.settings import Settings

DOMAIN: Final = b"deletion.address"
ROWS: Final = 5_000  # newest rows of a person that are read
ADDRESSES: Final = 400  # most in one notice: 40 KB
WAITING, NOTHING = "waiting", "nothing"
TOLD_OF: Final = ("delete", OBJECTED)  # kinds of deletions; a replay was told before its restore


def ways(settings: Settings) -> list[tuple[Recipient, Way]]:
    """Return the recipients of a deployment, each name once, with how a deletion reaches them."""
    mails = bool(settings.mail.host)
    found = {one.name: (one, one.way(mails=mails)) for one in reversed(settings.recipients)}
    return list(reversed(found.values()))


def first_state(one: Recipient, way: Way, *, has_address: bool) -> str:
    """Return the state of a recipient's notice before any try. `has_address`: whether the person has an address that can be told."""
    if way not in ("webhook", "mail"):
        return way
    return WAITING if has_address and one.kind in KNOWS_ADDRESSES else NOTHING


class DeletionNotices:
    """Writer of one deployment's notices. Its methods raise StoreAway, KeyAwaited."""

    def __init__(self, pseudonyms: Pseudonyms, settings: Settings) -> None:
        self._pseudonyms = pseudonyms
        self._ways = ways(settings)

    async def write(self, connection: AsyncConnection, idents: Sequence[str], now: int) -> None:
        """Write the notices of these deletions, unless they have some. Call within a transaction under the guard."""
        if not self._ways:
            return
        noted = select(deletion_notice.c.number).where(deletion_notice.c.number == deletion.c.number).exists()
        wanted = select(deletion.c.number).where(
            deletion.c.number.in_(idents), deletion.c.kind.in_(TOLD_OF), deletion.c.records, not_(noted)
        )
        for ident in (await connection.execute(wanted)).scalars().all():
            known = await self._known(connection, ident, now)
            rows = [self._row(ident, one, way, known, now) for one, way in self._ways]
            await connection.execute(insert(deletion_notice), rows)

    def _row(self, ident: str, one: Recipient, way: Way, known: bytes | None, now: int) -> dict[str, Any]:
        state = first_state(one, way, has_address=known is not None)
        waits, tell = (now, known) if state == WAITING else (None, None)
        return {
            "number": ident, "recipient": one.name, "state": state, "tries": 0, "began": now, "at": now,
            "next": waits, "line": None, "known": tell,
        }  # fmt: skip

    async def _known(self, connection: AsyncConnection, ident: str, now: int) -> bytes | None:
        """Return the person's addresses as encrypted JSON, [address, first, last use in Unix seconds] each; None without any."""
        theirs = and_(erased.c.value == party.c.identity, party.c.ended <= erased.c.before)
        wanted = (
            select(party.c.address, party.c.ended)
            .join(erased, theirs)
            .where(erased.c.number == ident, party.c.address.is_not(None), not_(held_party(now)))
            .order_by(party.c.ended.desc())
            .limit(ROWS)
        )
        found: dict[str, list[int]] = {}
        for row in (await connection.execute(wanted)).all():
            try:
                address = self._pseudonyms.live_address(row.address).address
            except KeyGone:
                continue
            if address in found:
                found[address][0] = row.ended
            elif len(found) < ADDRESSES:
                found[address] = [row.ended, row.ended]
        if not found:
            return None
        body = orjson.dumps([[address, *times] for address, times in found.items()])
        return self._pseudonyms.seal_text(DOMAIN, body.decode())

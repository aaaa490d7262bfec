"""Check a written proof of identity: a rights key, an agent's code, or the deletion URL of a saved log.

**Invariant:** every text costs the same work, so the response time does not reveal which part was wrong.
"""

from __future__ import annotations

from sqlalchemy import delete, insert, select

from server.data.database.database import Database
from server.data.keys.pseudonyms import Pseudonyms
from server.data.schema.data_request_schema import agent_use, rights_key
from server.data.schema.hidden_row_conditions import shown_log
from server.data.schema.record_schema import log
from server.ops.security.url_token_generator import SECRET, decode
from server.trust.data_requests.identity_proof import Proof
from server.trust.data_requests.rights_key import KeyContent, RightsKeys

AGENT_CODE = b"agent.code"
NOBODY = KeyContent(0, 0, bytes(8), frozenset(), agent=False)


class ProofChecks:
    """Proof checks in one store."""

    def __init__(self, database: Database, pseudonyms: Pseudonyms, keys: RightsKeys) -> None:
        self._database = database
        self._pseudonyms = pseudonyms
        self._keys = keys

    async def prove(self, text: str, now: float) -> Proof | None:
        """Check a rights key, an agent's code or a log's delete address. Return what it opens, or None. Raises StoreAway.

        Three look-ups in one transaction, with a dummy value if the text has none: whether the person's older keys are revoked, whether an agent's
        code was used, whether it is the delete address of a log.
        """
        text = text.strip()
        opened = self._keys.open(text, now)
        found = opened or NOBODY
        who = self._pseudonyms.revoked_identity(found.identity)
        code = self._pseudonyms.secret_hash(AGENT_CODE, found.serial)
        last = decode(text.rpartition("/")[2]) or bytes(SECRET)
        hashed = self._pseudonyms.secret_hash(b"log.delete", last)
        async with self._database.read() as connection:
            before = (await connection.execute(select(rights_key.c.not_before).where(rights_key.c.who == who))).scalar()
            used = (await connection.execute(select(agent_use.c.request).where(agent_use.c.code == code))).scalar()
            wanted = select(log.c.id).where(log.c.delete_hash == hashed, shown_log())
            of_log = (await connection.execute(wanted)).scalar()
        if opened is not None and opened.issued >= (before or 0):
            if opened.agent:
                return Proof(opened.identity, 3, opened.scope, code, used or "")
            return Proof(opened.identity, 3, opened.scope)
        return Proof(0, 2, frozenset()) if of_log is not None else None

    async def revoke(self, identity: int, before: int) -> None:
        """Invalidate all keys and codes of this person that were made before this time (milliseconds). Raises StoreAway."""
        who = self._pseudonyms.revoked_identity(identity)
        async with self._database.write() as connection:
            await self._database.guard(connection)
            await connection.execute(delete(rights_key).where(rights_key.c.who == who))
            await connection.execute(insert(rights_key).values(who=who, not_before=before))

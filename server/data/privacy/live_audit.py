"""Write the audit lines of operators' orders about running sessions. **Invariant:** a session's user is recorded as a keyed hash, as in every line of
the audit log."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from server.data.database.database import Database
from server.data.keys.pseudonyms import Pseudonyms
from server.data.privacy import audit_log


class LiveAudit:
    """The audit log, for orders about running sessions (`server.trust.moderators.live_operations.Audit`)."""

    def __init__(self, database: Database, pseudonyms: Pseudonyms) -> None:
        self._database = database
        self._pseudonyms = pseudonyms

    def act(
        self, operator: str, action: str, why: str, identity: int = 0, address: str = ""
    ) -> AbstractAsyncContextManager[audit_log.AuditedAction]:
        """Wrap an order between its two lines. `identity`, `address`: of the user concerned. Raises StoreAway."""
        subject = None
        if identity:
            subject = self._pseudonyms.audit_subject(self._pseudonyms.kept_identity(identity))
        elif address:
            subject = self._pseudonyms.audit_subject(self._pseudonyms.kept_address_mac(address))
        return audit_log.act(self._database, operator=operator, action=action, why=why, subject=subject)

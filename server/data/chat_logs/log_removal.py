"""Remove a saved log by its address, as an operator's act with its lines in the audit log.

**Invariant:** the audit log has a line before the log is looked up, and its participants before it is removed. The console and the command line both
call this module.
"""

from __future__ import annotations

from server.data.chat_logs.saved_logs import SavedLogs
from server.data.database.database import Database
from server.data.privacy import audit_log
from server.data.privacy.audit_log import AuditedAction

MISSING, COUNTED, REMOVED, HELD = (
    "there is no such log",
    "would be removed",
    "removed",
    "held: hidden until the hold ends",
)


def last(url: str) -> str:
    """Return the last part of an address, without a query or `/remove`."""
    return url.strip().partition("?")[0].rstrip("/").removesuffix("/remove").rpartition("/")[2]


async def remove(database: Database, logs: SavedLogs, operator: str, url: str, why: str, *, dry: bool = False) -> str:
    """Remove a log, or only look it up; one under a legal hold is hidden. Return MISSING, COUNTED, REMOVED or HELD. Raises StoreAway, ObjectsAway."""
    text = last(url)
    subject = audit_log.log_address_subject(logs.pseudonyms, text)
    async with audit_log.act(
        database, operator=operator, action="log remove", why=why, subject=subject, dry=dry
    ) as act:
        act.outcome = await _removed(database, logs, act, text, dry=dry)
    return act.outcome


async def _removed(database: Database, logs: SavedLogs, act: AuditedAction, text: str, *, dry: bool) -> str:
    ident = await logs.find(text)
    if ident is None:
        return MISSING
    await act.about(await audit_log.log_subjects(database, logs.pseudonyms, ident))
    if dry:
        return COUNTED
    async with database.write() as connection:
        await database.guard(connection)
        gone = await logs.take_away(connection, ident)
    await logs.sweep()
    return REMOVED if gone else HELD

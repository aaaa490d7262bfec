"""Add the state of an Omegle client to the migration record of its session at the source, and take it out at the target. `server.site.omegle`
encodes the client; this module knows only the field of the record.
"""

import time
from collections.abc import Sequence

from engine.engine import SessionRecord
from engine.views import SessionView
from server.site.omegle.omegle_adapter import OmegleAdapter

FIELD = "client"  # of a session record


def ready(adapter: OmegleAdapter | None, ids: Sequence[int]) -> bool:
    """Whether the Omegle clients of these sessions, if any, can move now."""
    if adapter is None:
        return True
    return all(adapter.ready(client) for client in map(adapter.of, ids) if client is not None)


def pack(adapter: OmegleAdapter | None, session_record: SessionRecord) -> None:
    """Add the Omegle clients of these sessions to their record."""
    if adapter is None:
        return
    now = time.monotonic()
    for person in session_record.record["people"]:
        client = adapter.of(person["id"])
        if client is not None:
            person[FIELD] = adapter.pack(client, now, session_record.blobs)


def unpack(adapter: OmegleAdapter | None, session_record: SessionRecord, came: Sequence[SessionView]) -> int:
    """Take the Omegle clients out of a record; returns how many were unreadable: their sessions end like those of clients that stop polling."""
    if adapter is None:
        return 0
    now, failed = time.monotonic(), 0
    for person, session in zip(session_record.record["people"], came, strict=True):
        if FIELD in person:
            try:
                adapter.unpack(person[FIELD], session_record.blobs, session, now)
            except (KeyError, TypeError, ValueError):
                failed += 1
    return failed

"""Programs of Omegle's protocol go with the sessions that they speak for. Rule: the adapter packs; here is only which record they are in."""

import time
from collections.abc import Sequence

from engine.engine import SessionRecord
from engine.views import SessionView
from server.site.omegle.omegle_adapter import OmegleAdapter

FIELD = "client"  # of a person


def ready(adapter: OmegleAdapter | None, ids: Sequence[int]) -> bool:
    """Whether those who speak for these sessions, if any, can go now."""
    if adapter is None:
        return True
    return all(adapter.ready(client) for client in map(adapter.of, ids) if client is not None)


def pack(adapter: OmegleAdapter | None, parcel: SessionRecord) -> None:
    """Put them into the parcel of their sessions."""
    if adapter is None:
        return
    now = time.monotonic()
    for person in parcel.record["people"]:
        client = adapter.of(person["id"])
        if client is not None:
            person[FIELD] = adapter.pack(client, now, parcel.blobs)


def unpack(adapter: OmegleAdapter | None, parcel: SessionRecord, came: Sequence[SessionView]) -> int:
    """Take them out of it; how many could not be read: their sessions end as those of programs that ask no more."""
    if adapter is None:
        return 0
    now, failed = time.monotonic(), 0
    for person, session in zip(parcel.record["people"], came, strict=True):
        if FIELD in person:
            try:
                adapter.unpack(person[FIELD], parcel.blobs, session, now)
            except (KeyError, TypeError, ValueError):
                failed += 1
    return failed

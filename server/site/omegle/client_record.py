"""Pack a client as a record for another process. **Invariant:** everything that a later request can observe is included; times are ages.

No response with events is being written while a client is packed, and a held poll is answered with an empty list: the next poll, at the other
process, gets the events.
"""

from itertools import accumulate
from typing import Any, Final

from engine.views import SeatView, SessionView
from server.site.omegle.omegle_client import Client

STORED: Final = ("person", "key", "find", "chat", "last", "unread", "challenge")
FLAGS: Final = ("gone", "told", "pending", "paused", "solved")
LEFT_OUT: Final = ("", 0)


class Over:
    """Session of a client whose own session is over and that only has its last events."""

    id = 0
    conn = 0
    state = -1
    seat: SeatView | None = None
    past: SeatView | None = None


def packed(client: Client, now: float, blobs: list[bytes]) -> dict[str, Any]:
    """Return a client as a record; its events are in `blobs`."""
    record: dict[str, Any] = {"id": client.id, "host": client.host.encode(errors="replace").decode()}
    record |= {"heard": now - client.heard, "paid": now - client.paid}
    record |= {name: value for name in STORED if (value := getattr(client, name)) not in LEFT_OUT}
    record |= {name: 1 for name in FLAGS if getattr(client, name)}
    if client.events:
        record |= {"events": len(blobs), "lengths": [len(event) for event in client.events]}
        blobs.append(b"".join(client.events))
    return record


def unpacked(record: dict[str, Any], blobs: list[bytes], session: SessionView, now: float) -> Client:
    """Return the client of a record; unknown fields are ignored. Raises KeyError, TypeError, ValueError for an invalid one."""
    person, key, find = int(record.get("person", 0)), str(record.get("key", "")), dict(record["find"])
    client = Client(str(record["id"]), session, person, key, find, now - float(record["heard"]), str(record["host"]))
    client.paid = now - float(record["paid"])
    client.chat, client.last = str(record.get("chat", "")), int(record.get("last", 0))
    client.unread, client.challenge = str(record.get("unread", "")), str(record.get("challenge", ""))
    for name in FLAGS:
        setattr(client, name, bool(record.get(name)))
    if "events" in record:
        client.put(_parted(blobs[int(record["events"])], record["lengths"]))
    return client


def _parted(joined: bytes, lengths: list[int]) -> list[bytes]:
    """Split joined events by their lengths. Raises ValueError."""
    ends = list(accumulate(lengths))
    if min(lengths) < 1 or ends[-1] != len(joined):
        raise ValueError("events do not fit their lengths")
    return [joined[end - length : end] for end, length in zip(ends, lengths, strict=True)]


def emptied(client: Client) -> None:
    """Empty a client that another process has, so that holders of references send it nothing."""
    client.moved = True
    client.events, client.size = [], 0
    client.gone = client.pending = client.paused = False
    client.unread = ""
    client.release(False)

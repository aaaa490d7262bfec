"""Encode frames of the WebSocket protocol as events of Omegle's protocol (JSON lists).

**Invariant:** an event is encoded once, however many clients get it, and the events of a match are sent in one batch.
"""

from collections.abc import Mapping
from math import ceil
from typing import Any, Final

import orjson

from engine.wire.protocol import FAULTS
from server.ops.health.service_state import text_for

SAME_LANGUAGE: Final = "You both speak the same language."
WAITING: Final = b'["waiting"]'
UNCHECKED: Final = b'["serverMessage","There is no video with this stranger: nobody could check its pictures. You can write to each other."]'
ASKED: Final = b'["serverMessage","The stranger is asked for their age. The chat waits for the answer."]'
PAUSED: Final = (
    b'["serverMessage","Many chats from your browser or network began alike. '
    b'Lines are refused until the stranger writes, or for ten seconds."]'
)
GONE: Final = b'["strangerDisconnected"]'
TYPING: Final = b'["typing"]'
STOPPED: Final = b'["stoppedTyping"]'


def event(*parts: Any) -> bytes:
    """Encode one event."""
    return orjson.dumps(parts)


def match(frame: dict[str, Any], language: str, digests: str, told: str = "") -> list[bytes]:
    """Return the batch of a `matched` frame; `language` is the requested one, `told`: a sentence of the server, "" for none.

    The order is what existing clients accept: `connected` first, then its details, `identDigests` last.
    """
    batch = [b'["connected"]']
    if frame["common"]:
        batch.append(event("commonLikes", frame["common"]))
    if "question" in frame:
        batch.append(event("question", frame["question"]))
    if "college" in frame:
        batch.append(event("partnerCollege", frame["college"]))
    if frame["language"] == language:
        batch.append(event("serverMessage", SAME_LANGUAGE))
    if told:
        batch.append(event("serverMessage", told))
    if frame.get("offer"):
        batch.append(b'["rtccall"]')
    batch.append(event("identDigests", digests))
    return batch


def message(frame: dict[str, Any]) -> bytes:
    """Return `gotMessage`, or the spy's event for it."""
    side = frame.get("from")
    return event("gotMessage", frame["text"]) if side is None else event("spyMessage", stranger(side), frame["text"])


def typing(frame: dict[str, Any]) -> bytes:
    """Return `typing` or `stoppedTyping`, or the spy's event for it."""
    side = frame.get("from")
    if side is None:
        return TYPING if frame["typing"] else STOPPED
    return event("spyTyping" if frame["typing"] else "spyStoppedTyping", stranger(side))


def left(frame: dict[str, Any]) -> bytes:
    """Return the end of the chat; the spy's event says which of the two left."""
    side = frame.get("from")
    return GONE if side is None else event("spyDisconnected", stranger(side))


def notice(frame: dict[str, Any], host: str) -> bytes:
    """Return a warning, as the sentence that clients show."""
    return event(
        "serverMessage",
        f"You are warned. Rule {frame['rule']}: {frame['reason']} Why, and your appeal: {host}{frame['appeal']}",
    )


def please_wait(seconds: float) -> str:
    """Return the sentence for a client without challenges whose network has many searches."""
    return f"Please wait {ceil(seconds)} seconds: many searches come from your network."


def underage(age: int, place: str) -> str:
    """Return the sentence for a user who wrote that they are under 18; `age`: the written age, 0: unknown; `place`: the address for a correction."""
    said = f"You wrote that you are {age}." if age else "You wrote that you are under 18."
    return f"{said} Serendip is for adults: you cannot chat here today. If that is wrong, say so at {place}"


def service(said: Mapping[str, Any], language: str) -> str:
    """Return what operators say to all users (the fields of a `service` frame), as a sentence; empty: nothing."""
    told = [text_for(said["announcement"], language)] if "announcement" in said else []
    return " ".join([*told, *([FAULTS["maintenance"].message] if "maintenance" in said else [])])


def changes(host: str, version: str, day: str) -> str:
    """Return the sentence about an announced privacy statement; `day`: YYYY-MM-DD."""
    return f"The privacy statement changes on {day}: {host}/privacy/{version}"


def signal(frame: dict[str, Any]) -> bytes | None:
    """Return a WebRTC signal; None if this protocol has no event for it."""
    if "description" in frame:
        return event("rtcpeerdescription", frame["description"])
    if "candidate" in frame:
        return event("icecandidate", frame["candidate"])
    return None


def stranger(side: int) -> str:
    """Return the spy's name of side 1 or 2."""
    return f"Stranger {side}"


def joined(events: list[bytes]) -> bytes:
    """Join encoded events into a JSON list."""
    return b"[" + b",".join(events) + b"]"

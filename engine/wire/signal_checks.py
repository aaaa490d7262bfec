"""Check a WebRTC `signal` frame before it is relayed: a description, a candidate, or the state of camera, microphone and curtain (docs/protocol.md).

**Invariant:** only known fields are relayed, and no field is longer than browsers make it.
"""

from typing import Any, Final

import orjson

from engine.wire import protocol
from engine.wire.engine_errors import BadField, Refusal

DESCRIPTIONS: Final = frozenset(protocol.DESCRIPTIONS)
Body = dict[str, Any]


def checked(body: Body) -> Body:
    """Return the one part of a `signal`, under its name, with its known fields only. Raises Refusal."""
    parts = [name for name in ("description", "candidate", "media") if name in body]
    if len(parts) != 1:
        raise BadField("signal", parts[1] if parts else "description")
    name = parts[0]
    part = body[name]
    if name == "candidate" and part is None:
        return {"candidate": None}
    if type(part) is not dict:
        raise BadField("signal", name)
    if name == "description":
        part = _described(part)
        most = protocol.SDP_MAX
    elif name == "candidate":
        part = _candidate(part)
        most = protocol.CANDIDATE_MAX
    else:
        part = {key: part[key] for key in ("camera", "microphone", "curtain") if key in part}
        if set(map(type, part.values())) != {bool}:
            raise BadField("signal", name)
        most = protocol.CANDIDATE_MAX
    if len(orjson.dumps(part)) > most:
        raise Refusal("too_long", "signal")
    return {name: part}


def answers(body: Body) -> bool:
    """Whether a signal answers an offer: from then on there may be a picture."""
    described = body.get("description")
    return described is not None and described["type"] in ("answer", "pranswer")


def curtain_of(body: Body) -> bool | None:
    """Return whether a signal says that its sender's curtain is drawn; None if it says nothing of it."""
    drawn: bool | None = body.get("media", {}).get("curtain")
    return drawn


def _described(part: Body) -> Body:
    kind, sdp = part.get("type"), part.get("sdp", "")
    if type(kind) is not str or kind not in DESCRIPTIONS or type(sdp) is not str or (not sdp and kind != "rollback"):
        raise BadField("signal", "description")
    return {"type": kind, "sdp": sdp}


def _candidate(part: Body) -> Body:
    known: Body = {}
    for key in ("candidate", "sdpMid", "usernameFragment"):
        if key in part:
            if type(part[key]) is not str and not (part[key] is None and key != "candidate"):
                raise BadField("signal", "candidate")
            known[key] = part[key]
    if "sdpMLineIndex" in part:
        index = part["sdpMLineIndex"]
        if index is not None and (type(index) is not int or not 0 <= index <= 65_535):
            raise BadField("signal", "candidate")
        known["sdpMLineIndex"] = index
    if "candidate" not in known:
        raise BadField("signal", "candidate")
    return known

"""Translate the parameters of Omegle's `/start` request into a `find` frame of the WebSocket protocol.

**Invariant:** unknown parameters are ignored and unusable topics dropped; the engine validates the rest.
"""

import json
import re
from typing import Any

from engine.wire.protocol import DEFAULT_LANGUAGE, INTEREST_MAX, INTERESTS_MAX, LANGUAGE_MAX
from server.http.request.forms import Form

_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_LANGUAGE = re.compile(r"(?:[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{1,8})*|\*)", re.ASCII)
TOPICS_BYTES = 16 * 1024  # of the list as received: 32 topics of 64 characters, encoded, are half of it


class BadStart(ValueError):
    """The parameters allow no search; the response is `{}`."""


def parse_find(form: Form) -> dict[str, Any]:
    """Return the `find` frame of a form. Raises BadStart."""
    find: dict[str, Any] = {"type": "find", "language": language(form.get("lang"))}
    if form.flag("adult"):
        find["adult"] = True
    ask = form.get("ask").strip()
    if "ask" in form:
        find |= {"role": "spy", "question": _CONTROLS.sub(" ", ask), "share": form.flag("cansavequestion")}
        return find
    if form.flag("wantsspy"):
        find["role"] = "discuss"
        return find
    if form.flag("webrtc"):
        find["mode"] = "video"
    if form.get("college"):
        find |= {"college": "any" if form.flag("any_college") else "same", "proof": form.get("college_auth")}
    words = topics(form.get("topics"))
    if words:
        find |= {"interests": words, "strict": True}
    return find


def without_topics(find: dict[str, Any]) -> dict[str, Any]:
    """Return the frame without topics, as `/stoplookingforcommonlikes` requests."""
    return {name: value for name, value in find.items() if name not in {"interests", "strict"}}


def language(tag: str) -> str:
    """Return a language tag, English for an invalid one."""
    return tag.replace("_", "-") if len(tag) <= LANGUAGE_MAX and _LANGUAGE.fullmatch(tag) else DEFAULT_LANGUAGE


def topics(text: str) -> list[str]:
    """Return the topics of a JSON list, up to the allowed number; one that is no valid interest is dropped. Raises BadStart."""
    if not text:
        return []
    if len(text) > TOPICS_BYTES:
        raise BadStart("topics too long")
    try:
        listed = json.loads(text)
    except (ValueError, RecursionError):
        raise BadStart("topics are no JSON") from None
    if not isinstance(listed, list) or not all(isinstance(word, str) for word in listed):
        raise BadStart("topics are no list of texts")
    words = [_CONTROLS.sub(" ", word).strip() for word in listed]
    return [word for word in words if word and len(word) <= INTEREST_MAX][:INTERESTS_MAX]

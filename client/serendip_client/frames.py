"""What the client says, as it goes over the wire. Rule: compact JSON, so that the server reads it in place."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict


class Wishes(TypedDict, total=False):
    """The fields of `find` beside the interests, as in protocol.md."""

    mode: Literal["text", "video"]
    language: str
    writes: str  # with any language (`*`): the one that the partner is told
    strict: bool
    role: Literal["stranger", "spy", "discuss"]
    question: str
    share: bool
    college: Literal["any", "same"]
    proof: str
    relay: bool
    adult: bool
    avoid: Sequence[str]  # tokens of `Blocked`, the newest last
    snaps: bool  # left out, with video: true, since this client answers each `snap`


def encoded(body: Mapping[str, Any]) -> bytes:
    """A frame. Raises UnicodeEncodeError for half a character."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def find(interests: Sequence[str], wishes: Wishes) -> bytes:
    """A `find`. Raises TypeError for a wish that the protocol does not know: the server would pass over it."""
    if isinstance(interests, str):
        raise TypeError("interests are a list of words")
    if unknown := wishes.keys() - Wishes.__annotations__.keys():
        raise TypeError(f"find knows no {', '.join(sorted(unknown))}")
    if wishes.get("mode") == "video":
        wishes = {"snaps": True, **wishes}
    return encoded({"type": "find", **wishes} | ({"interests": list(interests)} if interests else {}))


def of(chat: str | None) -> dict[str, Any]:
    """The field that names a chat, where one is named."""
    return {} if chat is None else {"chat": chat}

"""What the client says, as it goes over the wire. Rule: compact JSON, so that the server reads it in place."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypedDict, get_args, get_origin, get_type_hints

Reason = Literal["minor", "nudity", "threat", "hate", "spam", "danger", "other"]
NoSnapWhy = Literal["camera", "hidden", "early"]


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


_KINDS: Final[Mapping[str, Any]] = get_type_hints(Wishes)


def encoded(body: Mapping[str, Any]) -> bytes:
    """A frame. Raises UnicodeEncodeError for half a character."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def find(interests: Sequence[str], wishes: Wishes) -> bytes:
    """A `find`. Raises TypeError for a wish that does not exist (the server would pass over it) or of a wrong type, ValueError for a
    value that the protocol does not have."""
    if unknown := wishes.keys() - Wishes.__annotations__.keys():
        raise TypeError(f"find knows no {', '.join(sorted(unknown))}")
    for name, value in wishes.items():
        check(f"find: {name}", _KINDS[name], value)
    check("find: interests", Sequence[str], interests)
    if wishes.get("mode") == "video":
        wishes = {"snaps": True, **wishes}
    return encoded({"type": "find", **wishes} | ({"interests": list(interests)} if interests else {}))


def check(what: str, kind: Any, value: object) -> None:
    """Hold `value` against the annotation `kind`: a Literal, Sequence[str], or a class. Raises ValueError, TypeError, which begin with `what`."""
    if get_origin(kind) is Literal:
        allowed = get_args(kind)
        if value not in allowed:
            raise ValueError(f"{what} is one of {', '.join(allowed)}, not {value!r}")
    elif get_origin(kind) is Sequence:
        if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(one, str) for one in value):
            raise TypeError(f"{what} is a list of str, not {value!r}")
    elif not isinstance(value, kind):
        raise TypeError(f"{what} is a {kind.__name__}, not {value!r}")


def of(chat: str | None) -> dict[str, Any]:
    """The field that names a chat, where one is named."""
    return {} if chat is None else {"chat": chat}

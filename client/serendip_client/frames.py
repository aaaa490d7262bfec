"""Build the JSON frames that a client sends.

The JSON has no spaces and a fixed order of fields: the server relays chat lines of this spelling without decoding them.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypedDict, get_args, get_origin, get_type_hints

from serendip_client.protocol import Role


class Wishes(TypedDict, total=False):
    """Fields of `find` beside the interests, as in protocol.md."""

    mode: Literal["text", "video"]
    language: str
    writes: str  # with any language (`*`): the language shown to the partner
    strict: bool
    role: Role
    question: str
    share: bool
    college: Literal["any", "same"]
    proof: str
    relay: bool
    adult: bool
    avoid: Sequence[str]  # tokens of `Blocked`, the newest last
    keep: bool  # the chat that is left can be resumed for a moment: `Kept`
    pairs: Sequence[str]  # tokens of `Pair`
    call: int  # place in `pairs` of the user who is called
    pictures: bool  # this client shows pictures of its partner
    snaps: bool  # if missing, with video: true, since this client answers each `snap`


_KINDS: Final[Mapping[str, Any]] = get_type_hints(Wishes)


def encoded(body: Mapping[str, Any]) -> bytes:
    """Encode a frame. Raises UnicodeEncodeError for a lone surrogate."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def find(interests: Sequence[str], wishes: Wishes) -> bytes:
    """Build a `find`. Raises TypeError for an unknown wish, which the server would ignore, or one of wrong type; ValueError for an unknown value."""
    if unknown := wishes.keys() - Wishes.__annotations__.keys():
        raise TypeError(f"find knows no {', '.join(sorted(unknown))}")
    for name, value in wishes.items():
        check(f"find: {name}", _KINDS[name], value)
    check("find: interests", Sequence[str], interests)
    if wishes.get("mode") == "video":
        wishes = {"snaps": True, **wishes}
    return encoded({"type": "find", **wishes} | ({"interests": list(interests)} if interests else {}))


def check(what: str, kind: Any, value: object) -> None:
    """Check `value` against an annotation: a Literal, Sequence[str], or a class. Raises ValueError or TypeError, which begin with `what`."""
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
    """Return the field that names a chat, if one is given."""
    return {} if chat is None else {"chat": chat}

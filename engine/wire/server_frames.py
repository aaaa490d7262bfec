"""Build every frame that the engine sends (docs/protocol.md, "Server to client"), as compact JSON in UTF-8 with `type` first.

Frames without a variable part are constants; frames with few variants are cached.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from engine.wire.protocol import AGE, FAULTS, LEFT_BY, SNAP_GAP, SNAP_TILES, SNAP_WITHIN, WATCHER

PONG: Final = b'{"type":"pong"}'
BACK: Final = b'{"type":"partner","state":"back"}'
VEILED: Final = b'{"type":"veil","on":true,"why":"nudity"}'
UNVEILED: Final = b'{"type":"veil","on":false,"why":"nudity"}'
UNCHECKED: Final = b'{"type":"veil","on":true,"why":"unchecked"}'
HUNG_UP: Final = b'{"type":"veil","on":true,"why":"unchecked","by":"operator"}'
RESUMED_IDLE: Final = b'{"type":"resumed","chat":null,"seq":0,"taken":0,"missed":0}'

_MEMORY: Final = 2_048  # cached variants of `waiting`; about 100 bytes each
_waiting: dict[tuple[str, int, bool], bytes] = {}
_hello: list[Any] = [None, None, ""]  # statement, grace, and the encoded end of each `hello` with these two
_errors: dict[tuple[str, str | None], bytes] = {}
_usual_ends: Final[tuple[dict[str, bytes], ...]] = ({}, {})  # by side, then by language: the encoded end of `usual`
_dumps: Final = orjson.dumps
_left: Final = {by: b'{"type":"left","by":"%s"}' % by.encode() for by in LEFT_BY}


def hello(session: str, token: str, online: int, grace: float, statement: Mapping[str, Any] | None = None) -> bytes:
    """Build `hello`. `grace` is in seconds; `statement` has `version` and `from` of the privacy statement, or is None.

    The common end is cached while `statement` is the same object, which is never changed. `session` and `token` use the URL-safe alphabet,
    which needs no escapes in JSON.
    """
    if _hello[0] is not statement or _hello[1] != grace:
        body: dict[str, Any] = {"grace": grace}
        same = orjson.dumps(body if statement is None else body | {"statement": statement})
        _hello[:] = statement, grace, same.decode()[1:]
    return f'{{"type":"hello","session":"{session}","token":"{token}","online":{online},{_hello[2]}'.encode()


def waiting(accepts: str, widens: float | None, others: bool) -> bytes:
    """Build `waiting`; `widens` in seconds, None at the last step."""
    tenths = -1 if widens is None else _tenths(widens)
    key = (accepts, tenths, others)
    known = _waiting
    frame = known.get(key)
    if frame is None:
        body: dict[str, Any] = {"type": "waiting", "accepts": accepts}
        if widens is not None:
            body["widens"] = round(widens, 1)
        if others:
            body["others"] = True
        frame = orjson.dumps(body)
        if len(known) >= _MEMORY:
            known.clear()
        known[key] = frame
    return frame


def _tenths(seconds: float) -> int:
    """Return `round(seconds * 10)` for seconds ≥ 0, calling `round` only if the product of floats may fall on the wrong side of a half."""
    exact = seconds * 10.0
    tenths = int(exact + 0.5)
    if abs(exact - tenths) > 0.499_999:
        exact = round(seconds, 1)
        tenths = int(exact * 10.0 + 0.5)
    return tenths


def facts(
    chat: str,
    role: str,
    common: Sequence[str],
    language: str,
    college: str | None,
    question: str | None,
    side: int,
) -> dict[str, Any]:
    """Return the facts of a chat that its side (0, 1, or 2 for a watcher) receives at the start; absent ones are left out."""
    body: dict[str, Any] = {"chat": chat, "role": role, "common": common, "language": language}
    if side < WATCHER:
        body["side"] = side + 1
    if college is not None:
        body["college"] = college
    if question is not None:
        body["question"] = question
    return body


def usual(chat: str, common: Sequence[str], language: str, side: int) -> bytes:
    """Encode the facts of the most common chat: two strangers, by text, without college. `language` is ASCII."""
    ends = _usual_ends[side]
    end = ends.get(language)
    if end is None:
        if len(ends) >= _MEMORY:
            ends.clear()
        end = ends[language] = f',"language":"{language}","side":{side + 1}'.encode()
    words = _dumps(common) if common else b"[]"
    return b"".join((b'"chat":"', chat.encode(), b'","role":"stranger","common":', words, end))


def encode(facts: Mapping[str, Any]) -> bytes:
    """Encode facts as the inside of a JSON object, without braces, as `matched` and `resumed` carry them."""
    return orjson.dumps(facts)[1:-1]


def matched(inside: bytes) -> bytes:
    """Build `matched` from encoded facts."""
    return b"".join((b'{"type":"matched",', inside, b"}"))


def resumed(
    inside: bytes,
    seq: int,
    taken: int,
    refused: list[int],
    missed: int,
    reactions: Sequence[dict[str, Any]] = (),
    album: Mapping[str, Any] | None = None,
) -> bytes:
    """Build the `resumed` of a session in a chat."""
    if refused or reactions or album:
        tail: dict[str, Any] = {"seq": seq, "taken": taken}
        if refused:
            tail["refused"] = refused
        tail["missed"] = missed
        if reactions:
            tail["reactions"] = list(reactions)
        if album:
            tail["album"] = album
        return b'{"type":"resumed",%s,%s' % (inside, orjson.dumps(tail)[1:])
    return b'{"type":"resumed",%s,"seq":%d,"taken":%d,"missed":%d}' % (inside, seq, taken, missed)


def partner(state: str, within: float | None, side: int | None) -> bytes:
    """Build `partner`: `within` in seconds, with `away`; `side` 0 or 1, for a spy."""
    body: dict[str, Any] = {"type": "partner", "state": state}
    if within is not None:
        body["within"] = round(max(within, 0.0), 1)
    if side is not None:
        body["from"] = side + 1
    return orjson.dumps(body)


def kept(token: str, within: float) -> bytes:
    """Build `kept`: the token that resumes the chat that was left, and the seconds in which it does."""
    return b'{"type":"kept","token":"%s","within":%d}' % (token.encode(), int(within))


def left(by: str, side: int | None) -> bytes:
    """Build `left`; `side` 0 or 1, for a spy."""
    if side is None:
        return _left[by]
    return b'{"type":"left","by":"%s","from":%d}' % (by.encode(), side + 1)


def react(seq: int, face: str, side: int | None) -> bytes:
    """Build `react`: the face at line `seq`; empty: it was taken back. `side` 0 or 1, for a spy."""
    body: dict[str, Any] = {"type": "react", "seq": seq}
    if face:
        body["face"] = face
    if side is not None:
        body["from"] = side + 1
    return orjson.dumps(body)


def pictures(allow: bool) -> bytes:
    """Build `pictures`: whether the partner allows pictures in this chat."""
    return b'{"type":"pictures","allow":true}' if allow else b'{"type":"pictures","allow":false}'


def upload(id: str, key: str, within: int) -> bytes:
    """Build `upload`: the key under which the picture `id` can be uploaded for `within` seconds."""
    return orjson.dumps({"type": "upload", "id": id, "key": key, "within": within})


def picture(body: Mapping[str, Any]) -> bytes:
    """Build `picture`, from an entry of `sent` in `resumed`."""
    return orjson.dumps({"type": "picture", **body})


def signal(body: Mapping[str, Any]) -> bytes:
    """Build `signal` from a checked part."""
    return orjson.dumps({"type": "signal", **body})


def saved(url: str, delete: str) -> bytes:
    """Build `saved`: the URL of the log, and the URL that deletes it."""
    return orjson.dumps({"type": "saved", "url": url, "delete": delete})


def banned(
    until: int | None, rule: str, reason: str, network: bool, appeal: str, day: str, by: str, measure: str = ""
) -> bytes:
    """Build the `error` of a ban: `until` in Unix seconds, None: for good; `network`: the address is banned; `appeal`: a path of this host.

    `day`: date of the decision, YYYY-MM-DD; `by`: person or machine; `measure`: `age`. Empty ones of `rule`, `day`, `by` and `measure` are left
    out: the ban of a network names no decision, a neutral pause no cause.
    """
    length = {} if until is None else {"until": until}
    told = {name: value for name, value in (("rule", rule), ("day", day), ("by", by), ("measure", measure)) if value}
    return orjson.dumps(
        {
            "type": "error", "code": "banned", "message": FAULTS["banned"].message, **length, "reason": reason,
            "network": network, "appeal": appeal, **told,
        }
    )  # fmt: skip


def underage(until: int, since: int) -> bytes:
    """Build the `error` of a user who said they are under 18: `until` and `since` in Unix seconds. It blames nothing, so it has no appeal."""
    day = datetime.fromtimestamp(since, UTC).date().isoformat()
    return orjson.dumps(
        {
            "type": "error", "code": "banned", "message": FAULTS["adult"].message, "until": until, "rule": "R1",
            "reason": FAULTS["adult"].message, "network": False, "day": day, "by": "machine", "measure": AGE,
        }
    )  # fmt: skip


def notice(id: str, kind: str, rule: str, reason: str, day: str, by: str, appeal: str) -> bytes:
    """Build `notice`: `kind` is warning, pause or info; the other fields are as in `banned`."""
    return orjson.dumps(
        {
            "type": "notice", "id": id, "kind": kind, "rule": rule, "reason": reason, "day": day, "by": by,
            "appeal": appeal,
        }
    )  # fmt: skip


def tip(kind: str, seq: int, numbers: Sequence[Mapping[str, str]] | None = None) -> bytes:
    """Build a `tip` about line `seq`; `numbers`: emergency numbers, as in `reported`."""
    body: dict[str, Any] = {"type": "tip", "kind": kind, "seq": seq}
    return orjson.dumps(body if numbers is None else body | {"numbers": numbers})


def snap(nonce: str, mine: bool) -> bytes:
    """Build `snap`, the request for pictures of the partner; `mine`: one of the own camera too."""
    return orjson.dumps(
        {"type": "snap", "nonce": nonce, "tiles": SNAP_TILES, "gap": SNAP_GAP, "mine": mine, "within": SNAP_WITHIN}
    )


def challenge(kind: str, parameters: Any, within: float) -> bytes:
    """Build `challenge`; `within` in seconds."""
    return orjson.dumps({"type": "challenge", "kind": kind, "parameters": parameters, "within": within})


def solved(kind: str) -> bytes:
    """Build `solved`: the next `find` is accepted."""
    return orjson.dumps({"type": "solved", "kind": kind})


def blocked(token: str, until: int | None) -> bytes:
    """Build `blocked`: `until` in Unix seconds; None: the partner has no cookie and is not recognised when they come again."""
    body: dict[str, Any] = {"type": "blocked", "token": token}
    return orjson.dumps(body if until is None else body | {"until": until})


def pair(chat: str, token: str, until: int) -> bytes:
    """Build `pair`: both of the chat want to meet again; `until` in Unix seconds."""
    return orjson.dumps({"type": "pair", "chat": chat, "token": token, "until": until})


def here(pairs: Sequence[int]) -> bytes:
    """Build the answer to `here`: the places of those whose other half searches now."""
    return orjson.dumps({"type": "here", "pairs": pairs})


def called(place: int, mode: str, on: bool) -> bytes:
    """Build `called`: the other half of the search's pair at this place calls, or calls no more."""
    return orjson.dumps({"type": "called", "pair": place, "mode": mode, "on": on})


def reported(receipt: str, more: Mapping[str, Any]) -> bytes:
    """Build `reported`; `receipt`: path where the reporter can read the outcome, empty if no store is configured."""
    return orjson.dumps({"type": "reported", **({"receipt": receipt} if receipt else {}), **more})


def error(
    code: str,
    of: str | None = None,
    id: str | None = None,
    retry_after: float | None = None,
    field: str | None = None,
) -> bytes:
    """Build `error`: `retry_after` in seconds; `field`: name of the wrong field, for `bad_field`."""
    if id is None and retry_after is None and field is None:
        frame = _errors.get((code, of))
        if frame is not None:
            return frame
    body: dict[str, Any] = {"type": "error", "code": code, "message": FAULTS[code].message}
    if of is not None:
        body["of"] = of
    if id is not None:
        body["id"] = id
    if field is not None:
        body["field"] = field
    if retry_after is not None:
        body["retry_after"] = round(retry_after, 3)
    frame = orjson.dumps(body)
    if len(body) - (of is not None) == 3 and len(_errors) < _MEMORY:
        _errors[code, of] = frame
    return frame

"""Fuzz solutions of puzzles and verdicts of captcha providers: only the right one counts. Also a target of `make fuzz`."""

import asyncio
import base64
from collections.abc import Hashable

import altcha
import orjson

from server.ops.config.challenge_settings import Challenge
from server.trust.challenge.altcha_puzzles import Puzzles
from server.trust.challenge.captcha_verdicts import Silent, Siteverify

WORDS = (
    b'{"challenge":{"parameters":{', b'"solution":{"counter":', b'"derivedKey":"', b'"signature":"', b'"algorithm":"PBKDF2/SHA-256"', b'"cost":',
    b'"data":{',
    b'"expiresAt":', b'"keyLength":', b'"nonce":"', b'"salt":"', b"null", b"true", b"false", b"1e999", b"-1", b"[", b"{", b"}", b'"success":true',
    b'"error-codes":["invalid-input-secret"]', b'"challenge_ts":"2026-12-01T00:00:00Z"', b'"hostname":"chat.example"', b'"action":"find"',
    b'"score":0.9',
    b"+00:00", b"9999-12-31T23:59:59-23:59", b"\\ud800", b"99999999999999999999",
)  # fmt: skip
SESSION, LEVEL, KEY = 0x1234, 1, bytes(range(32))
# The clock is far ahead, as the library that solves and verifies has one of its own: a kept solution never expires, and costs the same each day.
PUZZLES = Puzzles(KEY, lambda: 4e9, cost=1)
SETTINGS = Challenge.model_validate(
    {"provider": "turnstile", "site_key": "key", "secret": "secret", "origin": "https://frame.example"}
)
GOOD = orjson.dumps(
    {"success": True, "challenge_ts": "2026-12-01T00:00:00Z", "hostname": "chat.example", "action": "find"}
)
_solved: list[bytes] = []


async def _verifier() -> Siteverify:
    assert SETTINGS.company is not None
    made = Siteverify(SETTINGS, SETTINGS.company)
    made.hosts = ("chat.example",)
    return made


VERIFIER = asyncio.run(_verifier())


def solved() -> bytes:
    """Return the JSON of one right solution, which is never passed on before the last comparison."""
    if not _solved:
        challenge = altcha.Challenge.from_dict(PUZZLES.make(SESSION, LEVEL))
        solution = altcha.solve_challenge(challenge)
        assert solution is not None
        _solved.append(base64.b64decode(altcha.Payload(challenge, solution).to_base64()))
    return _solved[0]


def seeds() -> list[bytes]:
    """Return a solution, and verdicts as providers write them."""
    verdicts = [
        GOOD,
        b'{"success":false,"error-codes":["invalid-input-response"]}',
        b'{"success":false,"error-codes":["invalid-input-secret"]}',
        b'{"success":true,"score":0.9,"challenge_ts":"2026-12-01T00:00:00+00:00","hostname":"x","action":"find"}',
    ]
    return [b"s" + solved(), *(b"v" + verdict for verdict in verdicts)]


def enter(data: bytes) -> Hashable:
    """Read the input as a verdict if its first byte is a `v`, else as the JSON of a solution, and as its base64."""
    kind, rest = data[:1], data[1:]
    if kind == b"v":
        try:
            return VERIFIER._read(rest)
        except Silent as silent:
            return silent.cause
    other = SESSION + 1
    assert not PUZZLES.right(other, LEVEL, base64.b64encode(rest).decode())
    assert not PUZZLES.right(other, LEVEL, rest.decode("utf-8", "surrogateescape"))
    return len(rest) > 0


def fuzz(data: bytes) -> Hashable:
    """Check that a solution counts once, and only if it is the solved one; a verdict, only if it says all that it must."""
    said = enter(data)
    if data[:1] == b"v" and said is True:
        found = orjson.loads(data[1:])
        assert found["success"] is True
        assert found["hostname"] == "chat.example"
        assert found["action"] == "find"
    return said

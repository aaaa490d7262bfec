"""Generate the copies of `engine.wire.protocol` for code that cannot import Python: `python -m engine.wire.protocol_copy_generator`.

**Invariant:** a copy is never edited; a test compares each copy with the output of this module.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from engine.wire import protocol
from engine.wire.protocol import COME_BACK, FAULTS, REASONS

ROOT: Final = Path(__file__).resolve().parents[2]
COMMAND: Final = "python -m engine.wire.protocol_copy_generator"

_MADE: Final = f"Generated from engine/wire/protocol.py by `{COMMAND}`: do not edit; a test compares the two."

# Groups of constants for C: a prefix that keeps the names distinct there, a description, the names.
_EVENTS: Final = (
    "EVENT_",
    "kinds of events",
    ("OPENED", "FRAME", "LOST", "CONFIRMED", "HTTP", "FRAMES", "UNTUNNELLED", "RECORD", "HALVED"),
)
_LOST: Final = ("LOST_", "how a connection was lost", ("LEFT", "DROPPED", "BROKEN", "FLOODED", "CLOSED"))
_TUNNELS: Final = (
    "",
    "how a tunnel ended",
    ("TUNNEL_ENDED", "TUNNEL_BROKE", "TUNNEL_CLOSED", "TUNNEL_LEFT"),
)
_WAYS: Final = ("WAY_", "how a connection came, by bits", ("PLAIN", "PRIVATE"))
_LEVELS: Final = (
    "",
    "levels, and the part of the weight that makes an overlap good",
    ("GOOD", "ANY", "ANYONE", "LIFTED", "GOOD_PART"),
)
_CLOSES: Final = ("", "close codes that no fault has", ("CLOSE_LEFT", "CLOSE_AWAY", "CLOSE_NONE"))
_BOUNDS: Final = (
    "",
    "bounds: bytes, code points, messages, seconds",
    (
        "FRAME_MAX",
        "TEXT_MAX",
        "ID_MAX",
        "ID_ESCAPED_MAX",
        "SDP_MAX",
        "UNSENT_MESSAGES",
        "UNSENT_BYTES",
        "REFUSED_KEPT",
        "TAKE_SECONDS",
        "TOO_FAST_RETRY_AFTER",
        "FLOOD_RETRY_AFTER",
        "FULL_AFTER_LEAST",
        "FULL_AFTER_MOST",
        "SIDES",
        "WATCHER",
    ),
)
_TIMES: Final = ("", "pings: seconds", ("PING_AFTER", "PONG_WITHIN"))
_RATES: Final = (
    "",
    "rates: the size of a burst, then the number per second; newcomers per address",
    (
        *(
            f"{kind}_{part}"
            for kind in ("MESSAGE", "SIGNAL", "FRAME", "REFUSAL", "BYTES")
            for part in ("BURST", "RATE")
        ),
        "NEWCOMERS",
    ),
)

_PXD_HEAD: Final = f'''\
"""Declare the numbers, codes and sentences of the protocol as C constants.

{_MADE}
"""

# Import constants by name: `from ext.base.protocol cimport CLOSE_FLOOD, CODE_FLOOD, WORDS_FLOOD`. Numbers are constants of C.
# Each fault has CODE_, the `code` of its `error` frame, and WORDS_, the `message`, both plain ASCII without a character that JSON
# escapes; one that ends the connection has CLOSE_ too. They are C literals, usable without the GIL: `snprintf(out, size,
# '{{"type":"error","code":"%s","message":"%s"}}', CODE_SLOW, WORDS_SLOW)`; in Python code `<bytes>WORDS_SLOW` is the text.

'''

_HEADER_HEAD: Final = f"""\
/* The levels of the protocol for the matcher. {_MADE} */
#ifndef SERENDIP_LEVELS_H
#define SERENDIP_LEVELS_H

"""

# Constants for the page: name there, and the constant.
_PAGE: Final = {
    "text": "TEXT_MAX",
    "interests": "INTERESTS_MAX",
    "interest": "INTEREST_MAX",
    "interestRaw": "INTEREST_RAW_MAX",
    "questionMin": "QUESTION_MIN",
    "question": "QUESTION_MAX",
    "note": "NOTE_MAX",
    "avoid": "AVOID_MAX",
    "pairs": "PAIRS_MAX",
    "pastFor": "PAST_FOR",
}


def pxd() -> str:
    """Return the text of `ext/base/protocol.pxd`."""
    parts = [_PXD_HEAD]
    for prefix, what, names in (_EVENTS, _LOST, _TUNNELS, _WAYS, _LEVELS, _CLOSES, _BOUNDS, _TIMES, _RATES):
        parts.append(f"cdef enum:  # {what}\n{_lines(f'{prefix}{name} = {_value(name)}' for name in names)}")
    closing = {code: fault for code, fault in FAULTS.items() if fault.close}
    parts.append(
        f"cdef enum:  # close codes\n{_lines(f'CLOSE_{code.upper()} = {fault.close}' for code, fault in closing.items())}"
    )
    texts = [
        (f"{kind}_{code.upper()}", text)
        for code, fault in FAULTS.items()
        for kind, text in (("CODE", code), ("WORDS", fault.message))
    ]
    defined = _lines(f"#define SERENDIP_{name} {json.dumps(text)}" for name, text in texts)
    named = _lines(f'const char *{name} "SERENDIP_{name}"' for name, _ in texts)
    parts.append(f'cdef extern from *:\n    """\n{defined}    """\n{named}')
    return "\n".join(parts)


def header() -> str:
    """Return the text of `ext/match/c/levels.h`."""
    _, what, names = _LEVELS
    return f"{_HEADER_HEAD}/* {what} */\nenum {{\n{_lines(f'MX_{name} = {_value(name)},' for name in names)}}};\n\n#endif\n"


def page() -> str:
    """Return the text of `client/js/protocol.js`, an ES module."""
    closes = ", ".join(f"{code}: {fault.close}" for code, fault in FAULTS.items() if fault.close)
    bounds = ", ".join(f"{name}: {_value(constant)}" for name, constant in _PAGE.items())
    return (
        f"// The protocol for the JavaScript client and the page. {_MADE}\n\n"
        "/** The close code of each error that ends the connection. */\n"
        f"export const CLOSE = {{ {closes} }};\n"
        "/** The connection ended without a close frame. */\n"
        f"export const CLOSE_NONE = {protocol.CLOSE_NONE};\n"
        "/** Close codes after which a client may connect again. */\n"
        f"export const COME_BACK = {json.dumps(sorted(COME_BACK))};\n"
        "/** Bounds of fields: code points, entries; `pastFor` in seconds. */\n"
        f"export const BOUNDS = {{ {bounds} }};\n"
        "/** Reactions. */\n"
        f"export const FACES = {json.dumps(protocol.FACES, ensure_ascii=False)};\n"
        "/** Report reasons. */\n"
        f"export const REASONS = {json.dumps(REASONS)};\n"
        f"/** Ordinals of refused messages in `resumed`. */\nexport const REFUSED_KEPT = {protocol.REFUSED_KEPT};\n"
        "/** Pictures for safety: characters of a nonce, pixels of a tile, bytes of a picture. */\n"
        f"export const SNAP = {{ nonce: {protocol.SNAP_NONCE}, tile: {list(protocol.SNAP_TILE)}, bytes: {protocol.SNAP_BYTES} }};\n"
        "/** Pictures sent to the partner: pixels of the longer and the least side, bytes, seconds to upload one. */\n"
        f"export const SENT = {{ side: {protocol.SENT_SIDE}, least: {protocol.SENT_LEAST}, bytes: {protocol.SENT_BYTES}, "
        f"within: {protocol.SENT_WITHIN} }};\n"
    )


def client() -> str:
    """Return the text of `client/serendip_client/protocol.py`."""
    closing = [code for code, fault in FAULTS.items() if fault.close]
    return (
        f'"""Define the numbers, codes and names of the protocol for the typed client.\n\n{_MADE}\n"""\n\n'
        "from typing import Final, Literal\n\n"
        "# fmt: off\n"
        f"COMES_BACK: Final = frozenset({{{', '.join(map(str, sorted(COME_BACK)))}}})  # close codes after which a client may reconnect\n"
        f"# errors after which the server closes\nCLOSING: Final = frozenset(\n    {{{_quoted(closing)}}}\n)\n"
        f"Role = Literal[{_quoted(protocol.ROLES)}]\n"
        f"Reason = Literal[{_quoted(REASONS)}]  # of a report\n"
        f"Face = Literal[{_quoted(protocol.FACES)}]  # of a reaction\n"
        f"NoSnapWhy = Literal[{_quoted(protocol.NO_SNAP)}]  # why requested pictures are missing\n"
        f"REFUSED_KEPT: Final = {protocol.REFUSED_KEPT}  # ordinals of refused messages in `resumed`\n"
        f"SNAP_TILE: Final = {protocol.SNAP_TILE}  # pixels of a picture\n"
        f"SNAP_BYTES: Final = {protocol.SNAP_BYTES}  # of a strip, or of one picture\n"
        f"SENT_BYTES: Final = {protocol.SENT_BYTES}  # of a picture for the partner\n"
        f"SENT_SIDE: Final = {protocol.SENT_SIDE}  # pixels of its longer side\n"
        "# fmt: on\n"
    )


def copies() -> dict[str, str]:
    """Return the text of each copy, by its path."""
    return {
        "ext/base/protocol.pxd": pxd(),
        "ext/match/c/levels.h": header(),
        "client/js/protocol.js": page(),
        "client/serendip_client/protocol.py": client(),
    }


def _value(name: str) -> int:
    value: Any = getattr(protocol, name)
    return int(value)


def _quoted(words: Iterable[str]) -> str:
    return ", ".join(f'"{word}"' for word in words)


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"    {line}\n" for line in lines)


if __name__ == "__main__":
    for path, text in copies().items():
        (ROOT / path).write_text(text)

"""Remove all IP addresses except a relay's from WebRTC signals (SDP descriptions and ICE candidates), so that a faulty page cannot reveal a hidden
address.

**Invariant:** a line is rebuilt from its parsed parts or dropped; unknown syntax does not pass. Sources: RFC 8866 (lines), RFC 8839 (candidates).
"""

import re
import zlib
from ipaddress import ip_address
from typing import Any, Final

from engine.core.ports import BadField, Refusal

LINES_MAX: Final = 2_000  # of a description; browsers' have under 300
NOWHERE: Final = "IN IP4 0.0.0.0"

_origin = re.compile(r"\S+ (\d{1,20}) (\d{1,20}) .*").fullmatch
_media = re.compile(r"(\S+) (\d{1,5})(?:/\d+)? (.+)").fullmatch
_dotted = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}").search
# Every IPv6 address has either an omitted run of zeros or all eight groups (six before a dotted tail, which `_dotted` finds). A match attempt ends
# after 40 characters, so the cost of a line is proportional to its length.
_six = re.compile(r"::|(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}").search
_local = re.compile(r"\.local(?![A-Za-z0-9-])", re.IGNORECASE).search
_candidate = re.compile(
    r"(?:a=)?candidate:\S{1,32} (\d{1,5}) (udp|tcp) (\d{1,10}) (\S{2,64}) (\d{1,5}) typ relay((?: \S+ \S+)*)",
    re.IGNORECASE,
).fullmatch
_fingerprint = re.compile(r"fingerprint:[A-Za-z0-9-]{1,16} [0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){15,63}").fullmatch
_extensions: Final = frozenset({"generation", "ufrag", "tcptype", "network-id", "network-cost"})
_plain: Final = ("a=rtpmap:", "a=rtcp-fb:", "a=fmtp:")  # of codecs: most of a browser's lines
_kept: Final = frozenset("vtbam")


def scrub(body: dict[str, Any]) -> dict[str, Any] | None:
    """Return a signal without addresses; None if nothing remains. Raises Refusal for an invalid description."""
    if "description" in body:
        part = body["description"]
        return {"description": {"type": part["type"], "sdp": description(part["sdp"])}}
    part = body.get("candidate")
    if part is None:
        return body
    if any(type(value) is str and tells(value) for name, value in part.items() if name != "candidate"):
        return None
    line = part["candidate"]
    if line:  # an empty one says that no more will come
        line = candidate(line)
        if line is None:
            return None
    return {"candidate": {**part, "candidate": line}}


def description(sdp: str) -> str:
    """Return the description without addresses. Raises Refusal.

    Candidates other than `relay` and `raddr` are removed; `o=`, `c=`, `a=rtcp` and the port of `m=` are rewritten; mDNS names, lines with any
    address and free text (`s=`, `i=`, `u=`, `e=`, `p=`) are removed.
    """
    lines = sdp.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if len(lines) > LINES_MAX:
        raise Refusal("too_long", "signal")
    kept = [line for line in (line if _is_plain(line) else _cleaned(line) for line in lines) if line is not None]
    if lines != [""] and (not kept or kept[0] != "v=0"):
        raise BadField("signal", "description")
    return "\r\n".join([*kept, ""]) if kept else ""


def candidate(line: str) -> str | None:
    """Return a relay's candidate, rebuilt without its origin; None for any other candidate.

    The foundation is computed anew: browsers derive it from the address to be hidden, and 32 bits can be searched.
    """
    found = _candidate(line)
    if found is None:
        return None
    component, transport, priority, address, port, rest = found.groups()
    try:
        ip_address(address)
    except ValueError:
        return None  # a name: relays have addresses
    words = rest.split()
    pairs = zip(words[::2], words[1::2], strict=True)
    more = "".join(f" {name} {value}" for name, value in pairs if name in _extensions and not tells(value))
    foundation = zlib.crc32(f"{address} {port} {transport.lower()}".encode())
    hidden = "0.0.0.0 rport 9"
    return f"candidate:{foundation} {component} {transport} {priority} {address} {port} typ relay raddr {hidden}{more}"


def tells(text: str) -> bool:
    """Whether a text contains an address or an mDNS name."""
    if "." not in text and text.count(":") < 2:
        return False  # most lines: every address and name has these characters
    return _dotted(text) is not None or _local(text) is not None or _six(text) is not None


def _is_plain(line: str) -> bool:
    """Whether a codec's line cannot contain an address: `_cleaned` would not change it."""
    return line.startswith(_plain) and "." not in line and line.count(":") < 2 and line.isascii() and line.isprintable()


def _cleaned(line: str) -> str | None:
    if line[1:2] != "=" or not (line.isascii() and line.isprintable()):
        return None
    kind, value = line[0], line[2:]
    if kind == "a":
        return _attribute(value)
    if kind == "o":
        origin = _origin(value)
        return f"o=- {origin[1]} {origin[2]} {NOWHERE}" if origin is not None else f"o=- 0 0 {NOWHERE}"
    if kind == "c":
        return f"c={NOWHERE}"
    if kind == "s":
        return "s=-"
    if kind not in _kept:
        return None
    if tells(value):
        return None
    if kind == "m":
        media = _media(value)
        return None if media is None else f"m={media[1]} {'0' if int(media[2]) == 0 else '9'} {media[3]}"
    return line


def _attribute(value: str) -> str | None:
    name = value.partition(":")[0].lower()
    if name == "candidate":
        made = candidate(value)
        return None if made is None else f"a={made}"
    if name == "rtcp":
        return f"a=rtcp:9 {NOWHERE}"
    if name == "fingerprint" and _fingerprint(value):
        return f"a={value}"  # pairs with colons, the last eight of which look like an address
    return None if name.startswith("remote-candidates") or tells(value) else f"a={value}"

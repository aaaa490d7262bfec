"""Scan the sinks of the canary test for thousands of markers in every form; a hit names item, place and owner.

A form is a representation in which a value may leak: as it is, in another case, in UTF-16, hex, base64 (3 alignments, 2 alphabets), URL or JSON
escapes, or as an unkeyed hash (which counts as a leak, since a guess can be checked against it).
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import ipaddress
import json
import urllib.parse
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import ahocorasick


@dataclass(frozen=True)
class Marker:
    """A value that only one person's one item has."""

    item: str
    whose: str
    value: str


@dataclass(frozen=True)
class Found:
    """A marker in a place; `form` and `excerpt` are for the person who reads the failure."""

    item: str
    place: str
    whose: str
    form: str = ""
    excerpt: str = ""

    @property
    def triple(self) -> tuple[str, str, str]:
        """What must equal what is declared."""
        return self.item, self.place, self.whose


def forms(value: str) -> dict[str, bytes]:
    """Every form of a text, by name."""
    raw = value.encode()
    found = {
        "plain": raw,
        "lower": value.lower().encode(),
        "upper": value.upper().encode(),
        "utf-16-le": value.encode("utf-16-le"),
        "utf-16-be": value.encode("utf-16-be"),
        "hex": raw.hex().encode(),
        "HEX": raw.hex().upper().encode(),
        "url": urllib.parse.quote(value, safe="").encode(),
        "url+": urllib.parse.quote_plus(value).encode(),
        "json": json.dumps(value)[1:-1].encode(),
        "reversed": raw[::-1],
    }
    for alphabet, encode in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
        for shift in range(3):
            whole = encode(b"\0" * shift + raw)
            cut = whole.rstrip(b"=")
            # Only the characters that depend on the value alone, whatever stands around it.
            found[f"{alphabet}/{shift}"] = cut[(shift * 8 + 5) // 6 : len(cut) - (1 if (shift + len(raw)) % 3 else 0)]
    for name in ("md5", "sha1", "sha256"):
        digest = hashlib.new(name, raw, usedforsecurity=False).digest()
        found |= {
            name: digest,
            f"{name}.hex": digest.hex().encode(),
            f"{name}.base64": base64.b64encode(digest).rstrip(b"="),
        }
    return {name: form for name, form in found.items() if len(form) >= 7}


def address_forms(value: str) -> dict[str, bytes]:
    """Further forms of an IPv4 address. Packed bytes are looked for in typed places only (`packed`)."""
    number = int(ipaddress.ip_address(value))
    return forms(value) | {
        "mapped": f"::ffff:{value}".encode(),
        "mapped.hex": f"::ffff:{number >> 16:x}:{number & 65535:x}".encode(),
        "integer": str(number).encode(),
        "number.hex": f"{number:08x}".encode(),
        "dashes": value.replace(".", "-").encode(),
    }


class Scanner:
    """Built once for all markers."""

    def __init__(self, markers: Iterable[Marker]) -> None:
        self._automaton: Any = ahocorasick.Automaton()
        self._packed: dict[bytes, Marker] = {}
        for marker in markers:
            is_address = marker.item in {"address", "host"}
            for name, form in (address_forms if is_address else forms)(marker.value).items():
                key = form.decode("latin-1")
                held = self._automaton.get(key, None)
                if held is None:
                    self._automaton.add_word(key, (marker, name, len(form)))
            if is_address:
                self._packed[ipaddress.ip_address(marker.value).packed] = marker
        self._automaton.make_automaton()

    def scan(self, place: str, body: bytes | str | int | None, *, typed: bool = False) -> list[Found]:
        """All markers in a body, also inside gzip or deflate. `typed`: a database cell, in which packed addresses count."""
        if body is None:
            return []
        if isinstance(body, int):
            body = str(body)
        raw = body.encode("utf-8", "surrogateescape") if isinstance(body, str) else bytes(body)
        found = self._search(place, raw)
        if typed and raw in self._packed:
            marker = self._packed[raw]
            found.append(Found(marker.item, place, marker.whose, "packed", raw.hex()))
        inner = None
        with contextlib.suppress(OSError, zlib.error, EOFError):
            inner = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else zlib.decompress(raw)
        return found + (self._search(place, inner) if inner else [])

    def _search(self, place: str, raw: bytes) -> list[Found]:
        text = raw.decode("latin-1")
        found: dict[tuple[Any, str], Found] = {}
        for end, (marker, name, length) in self._automaton.iter(text):
            start = end - length + 1
            found.setdefault(
                (marker, name), Found(marker.item, place, marker.whose, name, text[max(0, start - 30) : end + 20])
            )
        return list(found.values())

    def scan_log(self, line: bytes) -> list[Found]:
        """A log line: by event and field where it is one of ours, else as a whole."""
        try:
            fields: Mapping[str, Any] = json.loads(line)
            event = str(fields["event"])
        except (ValueError, KeyError, TypeError):
            return self.scan("log:?", line)
        return [hit for name, value in fields.items() for hit in self.scan(f"log:{event}.{name}", json.dumps(value))]

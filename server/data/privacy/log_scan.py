"""Scan log files, also of other programs, for personal values: IP addresses, identity cookies, secret links.

**Invariant:** a hit reports the kind of value and its position, never the value.
"""

from __future__ import annotations

import gzip
import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FORMS = (
    ("log address", re.compile(rb"(?i)/log/(?:(?:delete|remove)/)?[A-Za-z0-9_-]{22}(?![A-Za-z0-9_-])")),
    ("secret link", re.compile(rb"(?i)/privacy/request/[A-Za-z0-9-]{13,16}/[A-Za-z0-9_-]{22}(?![A-Za-z0-9_-])")),
    ("secret link", re.compile(rb"(?i)/(?:report|appeal|notice|college)/[A-Za-z0-9_-]{22}(?![A-Za-z0-9_-])")),
    ("identity cookie", re.compile(rb"(?:__Host-)?\bid=[A-Za-z0-9_-]{22}(?![A-Za-z0-9_-])")),
    ("IPv4 address", re.compile(rb"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")),
    ("IPv6 address", re.compile(rb"(?<![0-9A-Fa-f:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![0-9A-Fa-f:])")),
)
LONGEST = 64 * 1024  # bytes scanned per line
NETWORKS = tuple(
    ipaddress.ip_network(text) for text in ("127.0.0.0/8", "0.0.0.0/32", "::1/128", "::/128")
)  # they belong to no person


@dataclass(frozen=True, slots=True)
class Hit:
    """One personal value found in a file."""

    file: str
    line: int
    what: str
    excerpt: str


def scan(path: Path) -> Iterator[Hit]:
    """Yield all hits in a file, or in the files of a folder; .gz is unpacked. Raises OSError."""
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if not file.is_file():
            continue
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                yield from _of_line(str(file), number, line[:LONGEST])


def _of_line(file: str, number: int, line: bytes) -> Iterator[Hit]:
    for what, form in FORMS:
        for match in form.finditer(line):
            if "address" in what and what != "log address" and not _person(match[0]):
                continue
            yield Hit(file, number, what, f"{_masked(line[: match.start()])[-24:]}[{what}]")


def _masked(text: bytes) -> str:
    """Return the text before a hit, with other hits masked."""
    for what, form in FORMS:
        text = form.sub(f"[{what}]".encode(), text)
    return text.decode(errors="replace")


def _person(text: bytes) -> bool:
    try:
        address = ipaddress.ip_address(text.decode())
    except ValueError:
        return False
    return not any(address in network for network in NETWORKS if network.version == address.version)

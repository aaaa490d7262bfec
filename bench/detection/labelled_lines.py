"""Read labelled chat lines: those of this repository (`lines/HALF/CLASS.LANGUAGE.tsv`) and those of public sets, split into two halves.

Rules are written by looking at the half `seen`; the half `held` is only counted. A public set is split by its template or text, so that two
lines of one template are in the same half. **Invariant:** no line is in both halves.
"""

import csv
import hashlib
import io
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from bench.support.results import ROOT

SEEN: Final = "seen"
HELD: Final = "held"
HALVES: Final = (SEEN, HELD)
CLASSES: Final = ("age", "grooming", "threat", "selfharm", "hate", "insult", "advert", "data")
LINES: Final = ROOT / "bench" / "detection" / "lines"
PINS: Final = ROOT / "bench" / "detection" / "public_sets.toml"
OWN: Final = "own"  # name of the set of this repository
FORM: Final = "each row is 1 or 0, a tab, and a line"


class BadSet(ValueError):
    """A file that is not what it should be; the text names it and the reason."""


class Line(NamedTuple):
    """A chat line, and whether it belongs to the class of its set. `group`: its template in a public set; lines of one are in the same half."""

    text: str
    positive: bool
    group: str = ""


class LabelledSet(NamedTuple):
    """Lines of one source, class (`kind`), language and half."""

    name: str
    kind: str
    language: str
    half: str
    lines: list[Line]


class PublicFile(NamedTuple):
    """A file of a public set: its place in the network, its name in the folder, and its hash. `about`: the set's table in `public_sets.toml`."""

    about: Mapping[str, Any]
    language: str
    name: str
    url: str
    sha256: str


def own_sets(folder: Path = LINES) -> list[LabelledSet]:
    """Return the sets of this repository. Raises BadSet."""
    found = []
    for half in HALVES:
        for path in sorted((folder / half).glob("*.tsv")):
            kind, _, language = path.stem.partition(".")
            if kind not in CLASSES or not language:
                raise BadSet(f"{half}/{path.name}: not CLASS.LANGUAGE.tsv with a class of {', '.join(CLASSES)}")
            found.append(LabelledSet(OWN, kind, language, half, list(_own_lines(path))))
    return found


def _own_lines(path: Path) -> Iterator[Line]:
    for number, row in enumerate(path.read_text("utf-8").splitlines(), 1):
        label, tab, text = row.partition("\t")
        if label not in ("0", "1") or not tab or not text.strip():
            raise BadSet(f"{path.parent.name}/{path.name}:{number}: {FORM}")
        yield Line(text, label == "1")


def pinned_files(pins: Path = PINS) -> list[PublicFile]:
    """Return the files of all public sets, in the order of `public_sets.toml`."""
    return [
        PublicFile(about, file["language"], file["name"], file["url"], file["sha256"])
        for about in tomllib.loads(pins.read_text("utf-8"))["set"]
        for file in about["files"]
    ]


def pinned_conversations(pins: Path = PINS) -> list[PublicFile]:
    """Return the files of public sets of ordinary conversations (`bench.detection.conversations`)."""
    return [
        PublicFile(about, about["language"], file["name"], file["url"], file["sha256"])
        for about in tomllib.loads(pins.read_text("utf-8"))["conversations"]
        for file in about["files"]
    ]


def is_intact(file: PublicFile, body: bytes) -> bool:
    """Whether a file's content is the pinned one."""
    return hashlib.sha256(body).hexdigest() == file.sha256


def read_public(file: PublicFile, folder: Path) -> bytes | None:
    """Return the content of a public file; None if it is not in the folder. Raises BadSet if it is another file."""
    path = folder / file.name
    if not path.is_file():
        return None
    body = path.read_bytes()
    if not is_intact(file, body):
        raise BadSet(f"{path}: not the pinned file (SHA-256 {file.sha256}); delete it and fetch it again")
    return body


def public_sets(file: PublicFile, folder: Path) -> list[LabelledSet]:
    """Return both halves of a public file; empty if it is not in the folder. Raises BadSet if it is another file."""
    body = read_public(file, folder)
    if body is None:
        return []
    halves: dict[str, list[Line]] = {half: [] for half in HALVES}
    for line, group in _rows(file, body.decode("utf-8")):
        halves[half_of(file.about["name"], group)].append(line)
    return [LabelledSet(file.about["name"], file.about["class"], file.language, half, halves[half]) for half in HALVES]


def _rows(file: PublicFile, text: str) -> Iterator[tuple[Line, str]]:
    """Yield each line once, and the group that stays in one half."""
    about = file.about
    body = io.StringIO(text, newline="")
    if "columns" in about:  # a file without a head, whose quotes are text
        reader = csv.DictReader(body, about["columns"], delimiter="\t", quoting=csv.QUOTE_NONE)
    else:
        reader = csv.DictReader(body)
    said: set[str] = set()
    for row in reader:
        line = " ".join(row[about["text"]].split())  # a chat line has no line break
        if line and line not in said:
            said.add(line)
            group = row[about["group"]] if "group" in about else template_of(line)
            yield Line(line, row[about["label"]] == about["positive"], group), group


def template_of(line: str) -> str:
    """Return the beginning of a line without digits, signs and case, which near copies of an advert share."""
    return re.sub(r"[\W\d_]+", " ", line.casefold()).strip()[:40]


def half_of(name: str, group: str) -> str:
    """Return the half of a group of lines, by a hash of its name: the same on each machine."""
    return HALVES[hashlib.sha256(f"{name}\0{group}".encode()).digest()[0] & 1]

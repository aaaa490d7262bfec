"""Build the files of a referral (a report of the abuse of a child, in pictures or in text) in the format of NCMEC's reporting API.

**Invariant:** the files contain only what the case has stored. They are sent by `referral_client`, by a person's command.
"""

from __future__ import annotations

import datetime
import hashlib
import io
import os
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

import orjson

from server.data.connection_source import SourceEndpoint
from server.trust.cases.picture_review import CasePicture
from server.trust.evidence.chat_evidence import Evidence

SCHEMA: Final = "https://report.cybertip.org/ispws/xsd"
INSTANCE: Final = "http://www.w3.org/2001/XMLSchema-instance"
MATERIAL: Final = "Child Pornography (possession, manufacture, and distribution)"  # NCMEC's term
# NCMEC's types of incidents. Those that 18 U.S.C. 2258A makes a duty, in text too: material, enticement (2422(b)) and trafficking (1591).
TYPES: Final = {
    "material": MATERIAL,
    "enticement": "Online Enticement of Children for Sexual Acts",
    "trafficking": "Child Sex Trafficking",
    "molestation": "Child Sexual Molestation",
    "obscene": "Unsolicited Obscene Material Sent to a Child",
}
RECIPIENT: Final = "NCMEC, CyberTipline"  # whose format this is, and which informs the police of other countries
SERVICE: Final = "Serendip, a chat with strangers without accounts"
HASHES: Final = ("md5", "sha1", "sha256")
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Reporter:
    """The reporting person, of the operator's staff."""

    name: str
    mail: str


@dataclass(frozen=True, slots=True)
class SeenPicture:
    """A picture with its bytes. `viewed`: a moderator looked at it."""

    shot: CasePicture
    body: bytes
    viewed: bool


@dataclass(frozen=True, slots=True)
class Material:
    """Contents of a case. Times in Unix seconds; `source`: the subject's address with port and time, as far as they are kept."""

    case: str
    opened: int
    marked: int
    mode: str
    reasons: tuple[str, ...]
    source: SourceEndpoint
    country: str
    texts: tuple[Evidence, ...]
    pictures: tuple[SeenPicture, ...]


@dataclass(frozen=True, slots=True)
class PackageFile:
    """A file with its metadata: `details` has no numbers of report and file yet."""

    name: str
    body: bytes
    details: bytes

    def numbered(self, report: str, file: str) -> bytes:
        """Return the metadata with the numbers that the receiver assigned."""
        told = ElementTree.fromstring(self.details)  # noqa: S314 - built here
        for tag, value in (("reportId", report), ("fileId", file)):
            found = told.find(tag)
            if found is not None:
                found.text = value
        return _bytes(told)


@dataclass(frozen=True, slots=True)
class Package:
    """A report, its files, and the text of `package.json`."""

    report: bytes
    files: tuple[PackageFile, ...]
    summary: bytes


def offered(pictures: bool) -> list[tuple[str, str]]:
    """Return (name, NCMEC's words) of TYPES, the likely one first: with pictures material, of text alone enticement."""
    likely = "material" if pictures else "enticement"
    return sorted(TYPES.items(), key=lambda kind: kind[0] != likely)


def build(found: Material, reporter: Reporter, kind: str = "") -> Package:
    """Build the package. `kind`: one of TYPES, empty for the likely one. Raises KeyError.

    report.xml        incident, times in UTC, the address: what opens a report (`/submit`)
    01-chat.txt …     the text of each chat; 02-strip.jpg …: each picture, as it was seen
    01-chat.xml …     metadata of each file (`/fileinfo`): hashes, whether a person looked at it; the receiver assigns the numbers
    package.json      the same for people and programs who do it by hand
    """
    files = [_of_text(number, one, found) for number, one in enumerate(found.texts, 1)]
    kind = TYPES[kind] if kind else offered(bool(found.pictures))[0][1]
    files += [_of_picture(number, one, found) for number, one in enumerate(found.pictures, len(files) + 1)]
    return Package(_report(found, reporter, kind), tuple(files), _summary(found, kind, files))


def write(package: Package, folder: Path) -> list[Path]:
    """Write the package into a new folder of mode 0700. Return its files. Raises OSError if the folder exists."""
    folder.mkdir(mode=0o700)
    bodies = _bodies(package)
    for name, body in bodies.items():
        file = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(file, "wb") as stream:
            stream.write(body)
    return [folder / name for name in bodies]


def zipped(package: Package, folder: str) -> bytes:
    """Return the package as a ZIP file with one folder. Pictures are stored as they are, and are few (`MOST_OF_A_CASE`)."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, body in _bodies(package).items():
            archive.writestr(f"{folder}/{name}", body)
    return made.getvalue()


def _bodies(package: Package) -> dict[str, bytes]:
    """Return the bytes of all files by name."""
    bodies = {"report.xml": package.report, "package.json": package.summary}
    for one in package.files:
        bodies |= {one.name: one.body, f"{one.name.rpartition('.')[0]}.xml": one.details}
    return bodies


def _report(found: Material, reporter: Reporter, kind: str) -> bytes:
    root = _root("report")
    incident = ElementTree.SubElement(root, "incidentSummary")
    _add(incident, "incidentType", kind)
    _add(incident, "incidentDateTime", utc(_when(found)))
    chat = ElementTree.SubElement(ElementTree.SubElement(root, "internetDetails"), "chatImIncident")
    _add(chat, "chatClient", SERVICE)
    _add(chat, "additionalInfo", f"kind of chat: {found.mode}; the text is in the files")
    person = ElementTree.SubElement(ElementTree.SubElement(root, "reporter"), "reportingPerson")
    first, _, last = reporter.name.rpartition(" ")
    _add(person, "firstName", first or last)
    _add(person, "lastName", last)
    if reporter.mail:
        _add(person, "email", reporter.mail)
    about = ElementTree.SubElement(root, "personOrUserReported")
    _add(about, "espService", SERVICE)
    if found.source.address:
        _caught(about, found)
    _add(
        about,
        "additionalInfo",
        f"{_connection(found)} There are no accounts: nothing else is known of this person but what is in the files.",
    )
    _add(root, "additionalInfo", f"case {found.case}, {', '.join(found.reasons)}, marked {utc(found.marked)}")
    return _bytes(root)


def _of_text(number: int, one: Evidence, found: Material) -> PackageFile:
    lines = [
        f"{utc(line.at)} {'REPORTED' if line.side == one.side else 'other'} {line.number}{' (meant)' if line.marked else ''}: {line.text}"
        for line in one.lines
    ]
    head = f"{one.mode} chat, began {utc(one.began)}, reported {utc(one.at)}" + (
        "; earlier lines are missing" if one.cut else ""
    )
    body = "\n".join((head, *lines, "")).encode()
    return _filed(f"{number:02}-chat.txt", body, "the text of the chat, as this server held it", None, found)


def _of_picture(number: int, one: SeenPicture, found: Material) -> PackageFile:
    whose = "the reported person" if one.shot.subject else "the other person"
    what = {
        "strip": f"the camera of {whose}, as the browser at the other end saw it, three moments",
        "own": f"the camera of {whose}, as their own browser says",
    }.get(one.shot.kind, f"a picture that {whose} sent")
    told = f"{what}, {utc(one.shot.at)}"
    if one.shot.listed:
        told += f"; like an entry of a list of known abuse material: {one.shot.listed}"
    return _filed(f"{number:02}-{one.shot.kind}.jpg", one.body, told, one.viewed, found, caught=one.shot.subject)


def _filed(
    name: str, body: bytes, told: str, viewed: bool | None, found: Material, *, caught: bool = False
) -> PackageFile:
    root = _root("fileDetails")
    _add(root, "reportId", "")
    _add(root, "fileId", "")
    _add(root, "originalFileName", name)
    if viewed is not None:
        _add(root, "fileViewedByEsp", "true" if viewed else "false")
    _add(root, "publiclyAvailable", "false")
    for kind, value in hashes(body).items():
        _add(root, "originalFileHash", value).set("hashType", kind.upper())
    if caught and found.source.address:
        _caught(root, found)
    _add(root, "additionalInfo", told)
    return PackageFile(name, body, _bytes(root))


def _summary(found: Material, kind: str, files: list[PackageFile]) -> bytes:
    body: dict[str, Any] = {
        "case": found.case,
        "incident": kind,
        "at": utc(_when(found)),
        "opened": utc(found.opened),
        "marked": utc(found.marked),
        "reasons": found.reasons,
        "address": found.source.address or None,
        "port": found.source.port or None,
        "address_in_use": utc(found.source.at) if found.source.at else None,
        "country": found.country or None,
        "files": [{"name": one.name, "bytes": len(one.body), **hashes(one.body)} for one in files],
    }
    return orjson.dumps(body, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def hashes(body: bytes) -> dict[str, str]:
    """Return a file's hashes by kind, as hexadecimal digits."""
    return {name: hashlib.new(name, body, usedforsecurity=False).hexdigest() for name in HASHES}


def utc(at: int) -> str:
    """Return a time as `2026-11-27T03:00:00Z`."""
    return f"{datetime.datetime.fromtimestamp(at, datetime.UTC).isoformat()[:19]}Z"


def _when(found: Material) -> int:
    """Return the incident's time: of the first picture, else of the report."""
    return min((one.shot.at for one in found.pictures), default=found.opened)


def _root(tag: str) -> ElementTree.Element:
    ElementTree.register_namespace("xsi", INSTANCE)
    return ElementTree.Element(tag, {f"{{{INSTANCE}}}noNamespaceSchemaLocation": SCHEMA})


def _add(parent: ElementTree.Element, tag: str, text: str) -> ElementTree.Element:
    """Add an element; characters that XML may not hold are replaced."""
    made = ElementTree.SubElement(parent, tag)
    made.text = _NO_XML.sub("\ufffd", text)
    return made


def _caught(parent: ElementTree.Element, found: Material) -> None:
    caught = ElementTree.SubElement(parent, "ipCaptureEvent")
    _add(caught, "ipAddress", found.source.address)
    _add(caught, "eventName", "Other")
    _add(caught, "dateTime", utc(found.source.at or _when(found)))


def _connection(found: Material) -> str:
    """Return the source port in words: the receiver's schema for it was not verified, and a report with an unknown field is refused whole."""
    port, at = found.source.port, found.source.at
    return f"Source port {port} at {utc(at or _when(found))}." if port else "No source port is known."


def _bytes(root: ElementTree.Element) -> bytes:
    return bytes(ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True))

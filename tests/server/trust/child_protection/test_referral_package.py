"""Test the package: NCMEC's fields, UTC, hashes, nothing of the reporter, private files. Bytes here are random."""

from __future__ import annotations

import hashlib
import json
import secrets
import stat
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from server.data.connection_source import SourceEndpoint
from server.trust.cases.picture_review import CasePicture
from server.trust.child_protection.referral_package import (
    MATERIAL,
    TYPES,
    Material,
    Reporter,
    SeenPicture,
    build,
    hashes,
    utc,
    write,
)
from server.trust.evidence.chat_evidence import ChatLine, Evidence
from tests.server.data.conftest import NOW

ADA = Reporter("Ada M. Lovelace", "ada@example.org")


def seen(kind: str = "strip", *, subject: bool = True, viewed: bool = False, at: int = NOW) -> SeenPicture:
    """A picture of bytes by chance."""
    return SeenPicture(
        CasePicture(secrets.token_hex(16), kind, subject, at, True), b"\xff\xd8" + secrets.token_bytes(40), viewed
    )


def material(
    *pictures: SeenPicture, address: str = "198.51.100.7 40001 1795000000", text: str = "hello <b>&\x00"
) -> Material:
    """A case with one text."""
    said = Evidence(
        "video", NOW - 60, NOW, 1, (ChatLine(1, 0, NOW - 5, "hi"), ChatLine(2, 1, NOW - 4, text, True)), True
    )
    return Material(
        "ab" * 16, NOW + 9, NOW + 20, "video", ("known",), SourceEndpoint.of(address), "NO", (said,), pictures
    )


def tree(xml: bytes) -> ElementTree.Element:
    """As whoever takes it reads it."""
    return ElementTree.fromstring(xml)  # noqa: S314 - our own


def test_a_report_says_what_when_in_utc_who_reports_and_from_which_address() -> None:
    root = tree(build(material(seen(at=NOW), seen("own")), ADA).report)
    assert [part.tag for part in root] == [
        "incidentSummary", "internetDetails", "reporter", "personOrUserReported", "additionalInfo",
    ]  # fmt: skip
    assert root.findtext("incidentSummary/incidentType") == MATERIAL
    assert root.findtext("incidentSummary/incidentDateTime") == "2026-11-18T11:06:40Z" == utc(NOW)
    person = root.find("reporter/reportingPerson")
    assert person is not None
    assert [(one.tag, one.text) for one in person] == [
        ("firstName", "Ada M."), ("lastName", "Lovelace"), ("email", "ada@example.org"),
    ]  # fmt: skip
    caught = root.find("personOrUserReported/ipCaptureEvent")
    assert caught is not None
    assert [(one.tag, one.text) for one in caught] == [
        ("ipAddress", "198.51.100.7"), ("eventName", "Other"), ("dateTime", utc(NOW)),
    ]  # fmt: skip
    told = root.findtext("personOrUserReported/additionalInfo") or ""
    assert told.startswith(f"Source port 40001 at {utc(NOW)}.")


def test_a_report_says_that_no_port_is_known() -> None:
    package = build(material(address="198.51.100.7"), ADA)
    told = tree(package.report).findtext("personOrUserReported/additionalInfo") or ""
    assert told.startswith("No source port is known.")
    assert json.loads(package.summary)["port"] is None


def test_a_case_without_pictures_and_address_is_a_report_of_its_text() -> None:
    package = build(material(address=""), Reporter("Operator", ""))
    root = tree(package.report)
    assert root.findtext("incidentSummary/incidentType") == TYPES["enticement"]
    other = tree(build(material(), ADA, "trafficking").report)
    assert other.findtext("incidentSummary/incidentType") == "Child Sex Trafficking"
    assert root.findtext("incidentSummary/incidentDateTime") == utc(NOW + 9)
    assert root.find(".//ipCaptureEvent") is None
    assert root.find(".//email") is None
    assert [one.name for one in package.files] == ["01-chat.txt"]
    assert json.loads(package.summary)["address"] is None
    with pytest.raises(KeyError):
        build(material(), ADA, "something else")


def test_each_file_has_its_hashes_whether_a_person_looked_and_whose_camera_it_is() -> None:
    pictures = seen(viewed=True), seen("own", subject=False)
    package = build(material(*pictures), ADA)
    assert [one.name for one in package.files] == ["01-chat.txt", "02-strip.jpg", "03-own.jpg"]
    strip, own = (tree(one.details) for one in package.files[1:])
    assert [one.tag for one in strip] == [
        "reportId", "fileId", "originalFileName", "fileViewedByEsp", "publiclyAvailable", "originalFileHash", "originalFileHash",
        "originalFileHash", "ipCaptureEvent", "additionalInfo",
    ]  # fmt: skip
    assert (strip.findtext("fileViewedByEsp"), own.findtext("fileViewedByEsp")) == ("true", "false")
    told = {one.get("hashType"): one.text for one in strip.findall("originalFileHash")}
    assert told["SHA256"] == hashlib.sha256(pictures[0].body).hexdigest()
    assert set(told) == {"MD5", "SHA1", "SHA256"}
    assert own.find("ipCaptureEvent") is None  # the address is of the reported person alone
    assert tree(package.files[0].details).find("fileViewedByEsp") is None
    listed = json.loads(package.summary)["files"]
    assert [one["sha256"] for one in listed] == [hashes(one.body)["sha256"] for one in package.files]


def test_a_picture_that_is_like_an_entry_of_a_list_says_which() -> None:
    one = seen()
    package = build(material(replace(one, shot=replace(one.shot, listed="a list: 7")), seen("own")), ADA)
    listed, own = (tree(file.details).findtext("additionalInfo") or "" for file in package.files[1:])
    assert listed.endswith("; like an entry of a list of known abuse material: a list: 7")
    assert "a list" not in own


# As public programs have it that speak the same API: what stands elsewhere is refused.
ORDER = {
    "report": ("incidentSummary", "internetDetails", "lawEnforcement", "reporter", "personOrUserReported", "victim", "additionalInfo"),
    "incidentSummary": ("incidentType", "platform", "escalateToHighPriority", "reportAnnotations", "incidentDateTime"),
    "chatImIncident": ("chatClient", "chatRoomName", "content", "additionalInfo"),
    "personOrUserReported": ("espIdentifier", "espService", "screenName", "ipCaptureEvent", "deviceId", "additionalInfo"),
    "ipCaptureEvent": ("ipAddress", "eventName", "dateTime", "possibleProxy", "port"),
    "fileDetails": (
        "reportId", "fileId", "originalFileName", "locationOfFile", "fileViewedByEsp", "exifViewedByEsp", "publiclyAvailable",
        "fileRelevance", "industryClassification", "originalFileHash", "ipCaptureEvent", "deviceId", "additionalInfo",
    ),
}  # fmt: skip


def test_fields_stand_in_the_order_that_is_taken() -> None:
    package = build(material(seen()), ADA)
    seen_of = set()
    for document in (package.report, *[one.details for one in package.files]):
        for element in tree(document).iter():
            if (order := ORDER.get(element.tag)) is not None:
                places = [order.index(one.tag) for one in element]
                assert places == sorted(places), element.tag
                seen_of.add(element.tag)
    assert seen_of == set(ORDER)


def test_the_text_is_a_file_with_times_and_sides() -> None:
    body = build(material(), ADA).files[0].body.decode()
    assert f"{utc(NOW - 5)} other 1: hi\n" in body
    assert f"{utc(NOW - 4)} REPORTED 2 (meant): hello <b>&\x00\n" in body
    assert "earlier lines are missing" in body


def test_what_no_xml_may_hold_is_replaced() -> None:
    root = tree(build(material(), Reporter("a\x00 \x1b<b>", "")).report)
    assert root.findtext("reporter/reportingPerson/lastName") == "\ufffd<b>"


def test_details_get_their_numbers_and_nothing_else_changes() -> None:
    one = build(material(seen()), ADA).files[1]
    numbered = tree(one.numbered("4711", "f1"))
    assert (numbered.findtext("reportId"), numbered.findtext("fileId")) == ("4711", "f1")
    assert [part.text for part in numbered][2:] == [part.text for part in tree(one.details)][2:]


def test_it_is_written_into_a_new_folder_that_nobody_else_may_read(tmp_path: Path) -> None:
    package, folder = build(material(seen()), ADA), tmp_path / "package"
    paths = write(package, folder)
    assert {path.name for path in paths} == {
        "report.xml", "package.json", "01-chat.txt", "01-chat.xml", "02-strip.jpg", "02-strip.xml",
    }  # fmt: skip
    assert {path.name for path in folder.iterdir()} == {path.name for path in paths}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}
    assert (folder / "report.xml").read_bytes() == package.report
    with pytest.raises(FileExistsError):
        write(package, folder)

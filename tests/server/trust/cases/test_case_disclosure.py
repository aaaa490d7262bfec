"""Test disclosures: the audit log comes first, and the file has no identity and no address."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from dataclasses import replace

import pytest
from sqlalchemy import update

from server.data.connection_source import SourceEndpoint
from server.data.errors import ObjectsAway
from server.data.privacy import audit_log, registry_history
from server.data.retention import legal_holds
from server.data.schema.moderation_schema import case_subject
from server.trust.evidence.chat_evidence import Detection
from server.trust.sanctions.sanction_scale import Refused
from server.trust.screening.screening_rules import read_rules
from tests.server.data.conftest import NOW, Kit, address
from tests.server.trust.moderation.people import ban, cases, desk, pictures, reported, text
from tests.server.trust.rights.people import known


async def test_an_address_is_revealed_with_its_row_with_port_and_time(kit: Kit) -> None:
    made = reported(said=text("hello"))
    assert made.said is not None
    person = replace(made.subject, address=f"{address(22)} 40001")
    ident = (await cases(kit).take(replace(made, subject=person))).hex()
    found = await desk(kit).address(ident, "eve", "court order 7", "Police of Oslo")
    assert found == SourceEndpoint(address(22), 40001, made.said.began)
    rows = await audit_log.recent_entries(kit.database, 0)
    assert {(row.operator, row.action, row.why) for row in rows} == {("eve", "safety reveal", "court order 7")}
    assert [row.outcome for row in reversed(rows)] == [f"case {ident}: asked", f"case {ident}: shown"]


@pytest.fixture(autouse=True, scope="module")
def _versions() -> None:
    """Read the registry's versions before a loop runs, as the server does at its start."""
    registry_history.history()


async def test_the_person_reads_who_was_given_their_address(kit: Kit) -> None:
    ident = (await cases(kit).take(reported())).hex()
    with pytest.raises(Refused, match="which authority"):
        await desk(kit).address(ident, "eve", "demand 7", " ")
    await desk(kit).address(ident, "eve", "demand 7", "Police of Oslo")
    await desk(kit).export(ident, "eve", "demand 7", "Police of Oslo")
    rows = (await known(kit).know(22, NOW))["parts"]["disclosures"]
    told = [(row["kind"], row["recipient"], row["categories"], row["state"]) for row in rows]
    assert told == [("reveal", "Police of Oslo", "A", "done"), ("export", "Police of Oslo", "F, H, L", "done")]
    assert (await known(kit).know(11, NOW))["parts"]["disclosures"] == []


async def test_an_address_whose_key_is_gone_is_no_disclosure(kit: Kit) -> None:
    ident = (await cases(kit).take(reported())).hex()
    async with kit.database.write() as connection:
        await connection.execute(update(case_subject).values(address=b"\x09" + bytes(40)))
    assert (await desk(kit).address(ident, "eve", "demand 7", "Police of Oslo")).address == ""
    newest = (await audit_log.recent_entries(kit.database, 0))[0]
    assert newest.outcome == f"case {ident}: none is kept"
    (told,) = (await known(kit).know(22, NOW))["parts"]["disclosures"]
    assert told["state"] == "failed"


async def test_a_file_has_the_text_and_neither_identity_nor_address(kit: Kit) -> None:
    ident = (await cases(kit).take(reported(note="look", said=text("hello", "buy this")))).hex()
    await desk(kit).decide(ident, "ada", "so", ban())
    raw = await desk(kit).export(ident, "eve", "court order 7", "Police of Oslo")
    found = json.loads(raw)
    assert [line["text"] for line in found["evidence"][0]["lines"]] == ["hello", "buy this"]
    assert (found["measure"], found["bans"][0]["rule"], found["reports"][0]["note"]) == ("ban", "R5", "look")
    for secret in (address(22), address(11), kit.pseudonyms.safety_identity(22).hex()):
        assert secret.encode() not in raw
    with pytest.raises(Refused, match="no such case"):
        await desk(kit).export("00" * 16, "eve", "so", "Police of Oslo")


async def test_a_file_says_in_which_line_a_program_found_what(kit: Kit) -> None:
    said = text("hello", "we meet at https://example.com/x")
    rules = await asyncio.to_thread(read_rules, None)
    found = tuple(Detection(line.number, line.side, hit.rule) for line in said.lines for hit in rules.find(line.text))
    ident = (await cases(kit).take(reported(said=replace(said, found=found)))).hex()
    raw = await desk(kit).export(ident, "eve", "court order 7", "Police of Oslo")
    assert json.loads(raw)["evidence"][0]["found"] == [{"number": 2, "side": 1, "rule": "link"}]
    outcomes = [
        row.outcome
        for row in reversed(await audit_log.recent_entries(kit.database, 0))
        if row.action == "safety export"
    ]
    digest = hashlib.sha256(raw).hexdigest()
    assert outcomes == [f"case {ident}: asked", f"case {ident}: given: {len(raw)} bytes, sha256 {digest}"]


async def test_a_file_that_could_not_be_made_is_in_the_audit_log_as_failed(kit: Kit) -> None:
    ident = (await cases(kit).take(reported(said=text("hello")))).hex()
    folder = kit.data / "objects" / "evidence"
    folder.rename(kit.data / "gone")
    folder.write_text("no folder")  # the store of objects is away
    with pytest.raises(ObjectsAway):
        await desk(kit).export(ident, "eve", "court order 7", "Police of Oslo")
    outcomes = [
        row.outcome
        for row in reversed(await audit_log.recent_entries(kit.database, 0))
        if row.action == "safety export"
    ]
    assert outcomes == [f"case {ident}: asked", f"case {ident}: failed: ObjectsAway"]


async def test_a_file_has_the_pictures_and_of_apparent_abuse_material_hashes_alone(kit: Kit) -> None:
    shown = pictures()
    ident = (await cases(kit).take(reported(shown=shown))).hex()
    found = json.loads(await desk(kit).export(ident, "eve", "court order 7", "Police of Oslo"))["pictures"]
    assert {base64.b64decode(one["jpeg"]) for one in found} == {one.body for one in shown}
    assert sorted((one["kind"], one["reported"]) for one in found) == [("own", False), ("own", True), ("strip", True)]
    await desk(kit).mark(ident, "eva", "a child")
    found = json.loads(await desk(kit).export(ident, "eve", "court order 7", "Police of Oslo"))["pictures"]
    assert {one["sha256"] for one in found} == {hashlib.sha256(one.body).hexdigest() for one in shown}
    assert not any("jpeg" in one for one in found)


async def test_a_hold_keeps_the_case(kit: Kit) -> None:
    ident = (await cases(kit).take(reported(said=text("hello")))).hex()
    number = await desk(kit).hold(ident, "eve", "order 7", "district court", 90)
    assert [(one.id, one.until, one.authority) for one in await legal_holds.list_holds(kit.database)] == [
        (number, NOW + 90 * 86_400, "district court")
    ]
    kit.now = NOW + 80 * 86_400
    await kit.purge().run()
    assert await kit.count("evidence") == 1

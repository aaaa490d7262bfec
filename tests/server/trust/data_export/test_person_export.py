"""Test a person's export over both databases, from rows that the service's own parts made."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import jsonschema_rs
import pytest
from sqlalchemy import delete, insert, select, text

from server.data.errors import StoreAway
from server.data.privacy import audit_log
from server.data.schema.moderation_schema import report
from server.data.schema.record_schema import chat as chat_table
from server.data.schema.record_schema import log
from server.ops.config.moderation_policy import FOR_GOOD
from server.trust.data_export import person_export as module
from server.trust.data_export.export_parts import PARTS
from server.trust.data_export.export_schemas import SCHEMAS
from server.trust.data_export.person_export import Incomplete
from server.trust.sanctions.sanction_scale import Decision, Grade
from tests.server.data.conftest import NOW, Kit, address, people, transcript
from tests.server.trust.moderation.people import cases, desk, reported
from tests.server.trust.rights.people import DAY, A, B, C, cameras, chat, held, known, packed, part, told, unpacked

NOBODY = 4711


async def taken(archive: AsyncIterator[bytes], got: list[bytes]) -> None:
    """Take what an archive gives, also where it fails."""
    async for some in archive:
        got.append(some)


LATER = NOW + 3 * DAY


async def test_a_person_sees_their_own_pieces_of_every_part(kit: Kit) -> None:
    await told(kit)
    await held(kit, A, secret=False)
    know = await known(kit).know(A, LATER)
    assert know["counts"] == {
        "chats": 3, "saved_logs": 1, "reports_made": 2, "appeals": 1, "reports_received": 3, "cases": 3, "bans": 2, "notices": 1, "looks": 4,
        "holds": 1, "addresses_shown": 1, "requests": 1, "deletions": 1, "rights_keys": 1, "deletion_notices": 1, "disclosures": 1, "pictures": 2,
    }  # fmt: skip
    assert {row["address"] for row in know["parts"]["chats"]} == {address(A)}
    assert know["parts"]["chats"][-1]["ended"] == "2026-11-16T11:06:40Z"
    assert know["parts"]["chats"][-1]["goes"] == "2027-03-16"
    assert know["parts"]["appeals"][0]["text"] == f"appeal of {A}"
    assert know["parts"]["appeals"][0]["answer"] == f"answer to {A}"
    assert know["parts"]["reports_received"] == [
        {"month": "2026-11", "reason": "hate", "reports": 1},
        {"month": "2026-11", "reason": "nudity", "reports": 1},
        {"month": "2026-11", "reason": "spam", "reports": 1},
    ]
    assert {row["kind"] for row in know["parts"]["bans"]} == {"identity", "network"}
    words = {row["kind"]: row["words"] for row in know["parts"]["bans"]}
    assert words == {"identity": f"told to {A}", "network": None}
    assert [row["until"] for row in know["parts"]["bans"] if row["kind"] == "identity"] == ["2026-11-25"]
    assert know["parts"]["notices"][0]["words"] == f"warned {A}"
    assert know["parts"]["holds"] == [
        {"authority": "Court of Oslo", "since": "2026-11-18T11:06:40Z", "until": "2027-02-16T11:06:40Z"}
    ]
    assert know["disclosed_for_a_business_purpose"][0]["name"] == "Hosting Ltd"


async def test_the_note_of_a_report_that_waits_is_its_writers_alone(kit: Kit) -> None:
    await told(kit)
    assert (await known(kit).know(C, LATER))["parts"]["reports_made"][0]["note"] == "a later note"
    assert b"a later note" not in b"".join(unpacked(await packed(kit, A, LATER)).values())


async def test_a_note_that_a_hold_keeps_beyond_the_decision_is_not_told(kit: Kit) -> None:
    case = await cases(kit).take(reported(A, B, note="my note"))
    assert (await known(kit).know(A, NOW))["parts"]["reports_made"][0]["note"] == "my note"
    await held(kit, B, secret=True)
    await desk(kit).decide(case.hex(), "mod", "why", Decision("none"))
    kit.now = NOW + 2 * DAY
    await kit.purge().run()
    async with kit.database.read() as connection:
        assert (await connection.execute(select(report.c.note))).scalar_one() is not None, "or this shows nothing"
    assert (await known(kit).know(A, int(kit.now)))["parts"]["reports_made"][0]["note"] is None


async def test_a_ban_for_good_has_no_end_and_no_day_on_which_it_goes(kit: Kit) -> None:
    case = await cases(kit).take(reported(B, A, reason="minor"))
    await desk(kit).decide(case.hex(), "mod", "why", Decision("ban", "R7", FOR_GOOD), Grade.PAIR)
    ban = next(row for row in (await known(kit).know(A, NOW))["parts"]["bans"] if row["kind"] == "identity")
    assert (ban["until"], ban["goes"]) == (None, None)


async def test_a_person_gets_the_pictures_of_their_own_camera_and_no_apparent_abuse_material(kit: Kit) -> None:
    await told(kit)
    files = unpacked(await packed(kit, A, LATER))
    rows = part(files, "provided/pictures.json")
    assert {(row["kind"], row["month"], row["goes"]) for row in rows} == {
        ("strip", "2026-11", "2027-03-18"), ("own", "2026-11", "2027-03-18"),
    }  # fmt: skip
    assert sorted(files[row["file"]] for row in rows) == [b"own: camera of 11", b"seen: camera of 11"]
    grave = await cases(kit).take(reported(B, A, reason="minor", at=NOW + 3 * DAY, shown=cameras(B, A)))
    await desk(kit).mark(grave.hex(), "eva", "a child")
    later = unpacked(await packed(kit, A, LATER))
    assert len(part(later, "provided/pictures.json")) == 2
    assert len([name for name in later if name.startswith("pictures/")]) == 2


async def test_an_answer_holds_nothing_of_the_other_beyond_the_saved_log(kit: Kit) -> None:
    story = await told(kit)
    for own, other in ((A, B), (B, A)):
        files = unpacked(await packed(kit, own, LATER))
        logs = b"".join(body for name, body in files.items() if name.startswith("saved_logs/"))
        assert b"said by A" in logs
        assert b"said by B" in logs
        for mark in story.marks[other]:
            assert [name for name, body in files.items() if mark.encode() in body] == [], mark
        assert address(own).encode() in files["provided/chats.json"], "or the search proves nothing"
        for secret in (story.log.log, story.log.delete, b"mod-one", b"mod-two", b"mod-three", story.case.hex()):
            wanted = secret if isinstance(secret, bytes) else secret.encode()
            assert [name for name, body in files.items() if wanted in body] == []


async def test_no_number_of_one_answer_is_in_the_others(kit: Kit) -> None:
    await told(kit)
    numbers = [
        {row["number"] for rows in (await known(kit).know(who, LATER))["parts"].values() for row in rows if "number" in row}
        for who in (A, B)
    ]  # fmt: skip
    assert numbers[0]
    assert not numbers[0] & numbers[1]
    async with kit.database.read() as connection:
        stored = {bytes(ident).hex() for ident in (await connection.execute(select(chat_table.c.id))).scalars()}
    assert not stored & (numbers[0] | numbers[1])


async def test_the_same_state_is_the_same_bytes_and_one_persons_answer_does_not_change_the_others(kit: Kit) -> None:
    await told(kit)
    before = await packed(kit, B, LATER)
    mine = await packed(kit, A, LATER)
    await held(kit, A, secret=True)
    await known(kit).know(A, LATER)
    assert await packed(kit, B, LATER) == before
    assert await packed(kit, B, LATER + 7) == before
    assert mine != before


async def test_who_has_nothing_is_told_so_in_the_same_form(kit: Kit) -> None:
    await told(kit)
    nothing, something = await known(kit).know(NOBODY, NOW), await known(kit).know(A, NOW)
    assert nothing["held"] is False
    assert something["held"] is True
    assert nothing.keys() == something.keys()
    assert set(nothing["counts"].values()) == {0}
    names = {name for name in unpacked(await packed(kit, NOBODY)) if not name.startswith(("saved_logs/", "pictures/"))}
    assert names == {
        name for name in unpacked(await packed(kit, A)) if not name.startswith(("saved_logs/", "pictures/"))
    }


async def test_without_an_identity_nobody_is_looked_up(kit: Kit) -> None:
    with pytest.raises(ValueError):
        await known(kit).know(0, NOW)


async def test_every_file_is_as_its_schema_says(kit: Kit) -> None:
    await told(kit)
    await held(kit, A, secret=False)
    files = unpacked(await packed(kit, A, LATER))
    jsonschema_rs.validate(part(files, "schemas/know.json"), part(files, "know.json"))
    for each in PARTS:
        rows = part(files, f"{each.folder}/{each.name}.json")
        assert rows, each.name
        jsonschema_rs.validate(part(files, f"schemas/{each.name}.json"), rows)
    logs = [name for name in files if name.startswith("saved_logs/") and name.endswith(".json")]
    for name in logs:
        jsonschema_rs.validate(part(files, "schemas/saved_log.json"), part(files, name))
    assert [row["file"] for row in part(files, "provided/saved_logs.json")] == logs
    assert set(SCHEMAS) == {name.split("/")[1][:-5] for name in files if name.startswith("schemas/")}


async def test_what_has_run_out_is_not_told_though_the_purge_has_not_come(kit: Kit) -> None:
    await kit.write(chat(119), chat(121))
    know = await known(kit).know(A, NOW)
    assert know["counts"]["chats"] == 1
    assert len(know["parts"]["chats"]) == 1


async def test_what_only_a_secret_hold_keeps_is_not_told_and_what_an_open_one_keeps_is(kit: Kit) -> None:
    await kit.write(chat(119))
    before = await packed(kit, A)
    secret = await held(kit, A, secret=True)
    assert await packed(kit, A) == before
    kit.now = NOW + 5 * DAY
    await kit.purge().run()
    assert await kit.count("held_party") == 1
    assert (await known(kit).know(A, int(kit.now)))["held"] is False
    await held(kit, A, secret=False)
    know = await known(kit).know(A, int(kit.now))
    assert [row["address"] for row in know["parts"]["chats"]] == [address(A)]
    assert know["parts"]["chats"][0]["goes"] is None
    assert secret
    assert know["counts"]["holds"] == 1


async def test_a_secret_hold_stops_what_is_told_of_looks_and_no_act_about_holds_is_ever_told(kit: Kit) -> None:
    await told(kit)
    subject = kit.pseudonyms.audit_subject(kit.pseudonyms.kept_identity(A))

    async def look(action: str, at: int) -> None:
        await audit_log.write_entry(
            kit.database, now=at, operator="mod", action=action, why="an order", outcome="asked", subject=subject
        )

    await look("hold place", NOW)
    before = (await known(kit).know(A, LATER))["parts"]["looks"]
    assert before
    assert "hold place" not in {row["action"] for row in before}
    kit.now = NOW + 1
    await held(kit, A, secret=True)
    await look("log show", NOW + 2)
    assert (await known(kit).know(A, LATER))["parts"]["looks"] == before


async def test_a_log_that_was_removed_under_a_hold_is_not_told(kit: Kit) -> None:
    saved = await kit.logs.save(transcript("hello"), people(A, B))
    assert (await known(kit).know(B, NOW))["counts"]["saved_logs"] == 1
    await held(kit, A, secret=True)
    assert await kit.logs.delete_by_secret(saved.delete)
    assert await kit.count("log") == 1
    assert (await known(kit).know(B, NOW))["counts"]["saved_logs"] == 0


async def test_a_missing_text_fails_the_archive_before_its_directory(kit: Kit) -> None:
    await told(kit)
    async with kit.database.read() as connection:
        name = (await connection.execute(select(log.c.object))).scalar_one()
    await kit.objects.delete(name)
    got: list[bytes] = []
    with pytest.raises(Incomplete):
        await taken(known(kit).export(A, NOW), got)
    assert got
    assert b"PK\x05\x06" not in b"".join(got), "it would open"


async def test_chats_beyond_a_page_are_all_there_each_once_in_numbered_files(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    await kit.write(*(chat(1 + n / 100) for n in range(10)), chat(1, A, A))  # in two windows: both sides
    whole = part(unpacked(await packed(kit, A)), "provided/chats.json")
    monkeypatch.setattr(module, "SHOWN", 3)
    monkeypatch.setattr(module, "PAGE", 3)
    files = unpacked(await packed(kit, A))
    pages = [f"provided/chats-{page:04}.json" for page in range(1, 5)]
    assert [name for name in files if name.startswith("provided/chats") and name.endswith(".json")] == pages
    assert [row for name in pages for row in part(files, name)] == whole
    assert len({row["number"] for row in whole}) == 12
    monkeypatch.setattr(module, "SHOWN", 5)
    know = await known(kit).know(A, NOW)
    assert know["parts"]["chats"] == whole[-5:]
    assert know["counts"]["chats"] == 12


async def test_chats_that_go_while_they_are_read_fail_the_archive(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    await kit.write(*(chat(1 + n / 100) for n in range(10)))
    monkeypatch.setattr(module, "SHOWN", 3)
    monkeypatch.setattr(module, "PAGE", 3)
    archive = known(kit).export(A, NOW)
    got = [await anext(archive)]
    async with kit.database.write() as connection:
        await connection.execute(delete(chat_table))
    with pytest.raises(Incomplete):
        await taken(archive, got)
    assert b"PK\x05\x06" not in b"".join(got)


async def test_a_snapshot_does_not_see_what_is_written_while_it_is_read(kit: Kit) -> None:
    async with kit.database.snapshot() as connection:
        count = text("SELECT count(*) FROM log")
        assert (await connection.execute(count)).scalar_one() == 0
        await kit.logs.save(transcript("hello"), people(A, B))
        assert (await connection.execute(count)).scalar_one() == 0
    assert await kit.count("log") == 1


async def test_a_snapshot_writes_nothing_on_postgresql(kit: Kit) -> None:
    if kit.database.sqlite:
        return
    with pytest.raises(StoreAway):
        async with kit.database.snapshot() as connection:
            await connection.execute(insert(log).values(id=b"x" * 16))


async def test_the_document_is_plain_json(kit: Kit) -> None:
    await told(kit)
    know = await known(kit).know(A, LATER)
    assert json.loads(json.dumps(know)) == know

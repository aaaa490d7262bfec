"""Test that a deletion hides at once, can be cancelled, is done in time, and answers the same whatever must not be disclosed."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from dataclasses import replace

import pytest
from sqlalchemy import event, select

from server.data.database.key_fingerprints import KeyFingerprints
from server.data.retention import legal_holds
from server.data.retention.legal_holds import Selector
from server.data.retention.purge import visible
from server.data.schema.moderation_schema import case_subject, evidence, report
from server.data.schema.record_schema import metadata, party
from server.data.store.store_runner import Parts
from server.ops.config.settings import Settings
from server.ops.security.secret_keys import Keys, Secret
from server.trust.data_requests.deletion_exemptions import Exemption
from server.trust.rights.deletion import Deletion, DeletionState, State
from server.trust.rights.deletion_receipt import Receipts, verify
from tests.server.data.conftest import NOW, Kit, address, ended, people, transcript
from tests.server.trust.moderation.people import NONE, ban, bans, cases, desk, pictures, reported, text

HOUR, DAY = 3_600, 86_400
A, B = 11, 22
RECEIPTS = Receipts(bytes(range(32)))


def rights(kit: Kit, **changed: object) -> Deletion:
    """As a server has it."""
    fingerprints = KeyFingerprints(kit.database, Keys(Secret(bytes(32), 0)), kit.pseudonyms, kit.retention)
    parts = Parts(kit.database, kit.objects, kit.pseudonyms, kit.logs, fingerprints)
    return Deletion(parts, Settings.model_validate(changed), RECEIPTS, lambda: "2.3")


async def seen(kit: Kit, identity: int) -> int:
    """The rows of somebody that a reader sees."""
    mine = party.c.identity.in_(kit.pseudonyms.live_identities(identity))
    async with kit.database.read() as connection:
        rows = await connection.execute(select(party.c.chat).where(mine, visible(int(kit.now), kit.retention)))
        return len(rows.all())


async def stored(kit: Kit, identity: int) -> int:
    """The rows of somebody that there are."""
    mine = party.c.identity.in_(kit.pseudonyms.live_identities(identity))
    async with kit.database.read() as connection:
        return len((await connection.execute(select(party.c.chat).where(mine))).all())


async def hold(kit: Kit, selector: Selector, *, secret: bool) -> int:
    """A hold of 90 days."""
    now = int(kit.now)
    return await legal_holds.place(
        kit.database, kit.pseudonyms, selector,
        authority="a court", reason="7", now=now, until=now + 90 * DAY, secret=secret,
    )  # fmt: skip


async def later(kit: Kit, hours: float) -> None:
    """The upkeep at a later time."""
    kit.now = NOW + hours * HOUR
    await kit.purge().run()


async def test_everything_of_the_person_is_hidden_at_once_and_nothing_of_the_other(kit: Kit) -> None:
    await kit.write(ended(1), ended(100), ended(2, a=33, b=44))
    mine, theirs = await kit.logs.save(transcript("a"), people()), await kit.logs.save(transcript("b"), people(33, 44))
    made = await rights(kit).ask(A, NOW)
    assert (made.asked, made.due, made.done, made.receipt) == (NOW, NOW + 72 * HOUR, None, None)
    assert [(step.what, step.state) for step in made.steps] == [
        ("hidden", State.DONE), ("records", State.WAITING), ("logs", State.WAITING), ("backups", State.WAITING),
    ]  # fmt: skip
    assert (await seen(kit, A), await seen(kit, B), await seen(kit, 33)) == (0, 2, 1)
    assert await kit.logs.show(mine.log) is None
    assert not await kit.logs.exists(mine.delete)
    assert not await kit.logs.delete_by_secret(mine.delete)
    assert not await kit.logs.delete_by_participant(mine.log, B)
    assert await kit.logs.show(theirs.log) is not None
    assert await kit.logs.count() == {"saved": 1, "hidden": 1, "waiting": 0}
    assert await stored(kit, A) == 2


async def test_records_that_were_on_their_way_are_hidden_and_removed_and_later_ones_are_not(kit: Kit) -> None:
    writer = kit.writer()
    writer.record(ended(1))
    writer.record(ended(0))  # in this very second
    await rights(kit).ask(A, NOW)
    writer.start()
    writer.record(ended(now=NOW + 1))
    await writer.flush()
    await writer.close(5)
    assert (await seen(kit, A), await seen(kit, B)) == (1, 3)
    await later(kit, 73)
    assert (await stored(kit, A), await stored(kit, B)) == (1, 3)
    await kit.write(ended(1))  # waited for the database all that time
    assert await seen(kit, A) == 1
    await later(kit, 74)
    assert await stored(kit, A) == 1


async def test_at_its_time_the_rows_the_logs_and_the_objects_are_gone(kit: Kit) -> None:
    await kit.write(ended(1), ended(40), ended(2, a=33, b=44))
    await kit.logs.save(transcript("a"), people())
    await rights(kit).ask(A, NOW)
    await later(kit, 71)
    assert (await stored(kit, A), await kit.count("log")) == (2, 1)
    await later(kit, 72)
    assert (await stored(kit, A), await stored(kit, B), await stored(kit, 33)) == (0, 2, 1)
    assert (await kit.count("log"), await kit.count("log_party"), await kit.count("doomed")) == (0, 0, 0)
    assert [name async for name in kit.objects.names("logs")] == []
    done = await rights(kit).state(A, int(kit.now))
    assert done is not None
    assert done.done == kit.now
    assert [step.state for step in done.steps] == [State.DONE] * 3 + [State.WAITING]


async def test_only_what_was_chosen_goes(kit: Kit) -> None:
    await kit.write(ended(1))
    saved = await kit.logs.save(transcript(), people())
    made = await rights(kit).ask(A, NOW, records=True, logs=False)
    assert await kit.logs.show(saved.log) is not None
    joined = await rights(kit).ask(A, NOW + HOUR, records=False, logs=True)
    assert (joined.number, joined.due) == (made.number, NOW + 73 * HOUR)
    assert await kit.logs.show(saved.log) is None
    with pytest.raises(ValueError, match="nothing"):
        await rights(kit).ask(A, NOW, records=False, logs=False)


async def test_two_at_once_are_one_request(kit: Kit) -> None:
    one, two = await asyncio.gather(rights(kit).ask(A, NOW), rights(kit).ask(A, NOW))
    assert one == two
    assert await kit.count("deletion") == 1


async def test_it_can_be_cancelled_until_its_date_and_asked_again(kit: Kit) -> None:
    await kit.write(ended(1))
    saved = await kit.logs.save(transcript(), people())
    await rights(kit).ask(A, NOW)
    assert not await rights(kit).cancel(B, NOW + 1)
    assert await rights(kit).cancel(A, NOW + 71 * HOUR)
    assert await seen(kit, A) == 1
    assert await kit.logs.show(saved.log) is not None
    assert await rights(kit).state(A, NOW) is None
    await rights(kit).ask(A, NOW)
    assert not await rights(kit).cancel(A, NOW + 72 * HOUR)


async def test_the_hours_are_a_setting(kit: Kit) -> None:
    await kit.write(ended(1))
    made = await rights(kit, rights={"delete_hours": 0}).ask(A, NOW)
    assert made.due == NOW
    await later(kit, 0)
    assert await stored(kit, A) == 0


async def test_a_report_within_the_hours_keeps_what_it_names_and_without_one_nothing_is_left(kit: Kit) -> None:
    await kit.write(ended(1))
    await rights(kit).ask(A, NOW)
    kit.now = NOW + 71 * HOUR
    await cases(kit).take(reported(by=B, about=A, at=int(kit.now), said=text("one", "two")))
    await later(kit, 73)
    assert await stored(kit, A) == 0
    assert (await kit.count("case_subject"), await kit.count("report"), await kit.count("evidence")) == (1, 1, 1)
    done = await rights(kit).state(A, int(kit.now))
    assert done is not None
    assert [kept.exemption for kept in done.kept] == [Exemption.MODERATION, Exemption.TRAIL, Exemption.TICKET]


async def test_an_open_case_and_a_ban_stay_named_and_the_rest_of_moderation_goes_with_its_objects(kit: Kit) -> None:
    open_ = await cases(kit).take(reported(by=B, about=A, at=NOW - DAY, said=text("open")))
    banned = await cases(kit).take(reported(by=B, about=55, at=NOW - 9 * DAY, said=text("banned")))
    shown = pictures(NOW - 9 * DAY)
    closed = await cases(kit).take(reported(by=B, about=66, at=NOW - 9 * DAY, said=text("closed"), shown=shown))
    assert len([name async for name in kit.objects.names("snaps")]) == 3
    await desk(kit).decide(banned.hex(), "ada", "threats", ban("R3"))
    await desk(kit).decide(closed.hex(), "ada", "nothing", NONE)
    for who in (A, 55, 66, B):
        await rights(kit).ask(who, NOW + 1)
    await later(kit, 73)
    assert [await moderated(kit, who) for who in (A, 55, 66, B)] == [True, True, False, True]
    async with kit.database.read() as connection:
        rows = (await connection.execute(select(case_subject.c.case, case_subject.c.identity))).all()
        subjects = {row.case: row.identity for row in rows}
        pieces = set((await connection.execute(select(evidence.c.case))).scalars())
        reports = set((await connection.execute(select(report.c.case))).scalars())
    assert [subjects[one] is None for one in (open_, banned, closed)] == [False, False, True]
    assert pieces == reports == {open_, banned}
    assert len([name async for name in kit.objects.names("evidence")]) == 2
    assert [name async for name in kit.objects.names("snaps")] == []


async def moderated(kit: Kit, identity: int) -> bool:
    """Whether somebody is told that something of moderation stays."""
    state = await rights(kit).state(identity, int(kit.now))
    assert state is not None
    return Exemption.MODERATION in {kept.exemption for kept in state.kept}


async def test_a_ban_is_not_lifted(kit: Kit) -> None:
    ident = await cases(kit).take(reported(by=B, about=A, at=NOW - DAY))
    await desk(kit).decide(ident.hex(), "ada", "adverts", ban("R3"))
    await rights(kit).ask(A, NOW)
    await later(kit, 73)
    found = bans(kit)
    await found.refresh()
    assert found.find(A, "") is not None
    state = await rights(kit).state(A, int(kit.now))
    assert state is not None
    assert state.kept[0].exemption is Exemption.MODERATION
    assert state.kept[0].until == NOW + 7 * DAY


async def answers(kit: Kit, selector: Selector | None, *, secret: bool) -> list[str]:
    """What somebody is told, asked and done, without number and date."""
    await kit.write(ended(1))
    saved = await kit.logs.save(transcript(), people())
    if selector is not None:
        await hold(kit, selector, secret=secret)
    told: list[DeletionState | None] = [await rights(kit).ask(A, int(kit.now))]
    kit.now += 73 * HOUR
    await kit.purge().run()
    told.append(await rights(kit).state(A, int(kit.now)))
    assert await kit.logs.show(saved.log) is None
    assert await seen(kit, A) == 0
    assert told[0] is not None
    assert told[1] is not None
    plain = [repr(replace(one, number="N", receipt=None)) for one in told if one is not None]
    shown = verify(told[1].receipt or b"", RECEIPTS.public).replace(told[1].number, "N")
    return [re.sub(r"\d{10}", "T", one) for one in plain] + [re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "D", shown)]


async def test_a_secret_hold_changes_nothing_of_what_is_asked_of_the_database(kit: Kit) -> None:
    said: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        said.append(statement)

    await kit.purge().run()  # the keys of old epochs go: each is a value
    event.listen(kit.database.engine.sync_engine, "before_cursor_execute", note)
    done: list[list[str]] = []
    for held in (False, True):
        await kit.write(ended(1))
        if held:
            await hold(kit, Selector("identity", str(A)), secret=True)
        said.clear()
        await rights(kit).ask(A, int(kit.now))
        asked = list(said)
        kit.now += 73 * HOUR
        await kit.purge().run()
        said.clear()
        await rights(kit).state(A, int(kit.now))
        done.append(asked + said)
    assert done[0] == done[1]


@pytest.mark.parametrize("kind", ["identity", "address"])
async def test_with_and_without_a_secret_hold_the_answers_differ_by_number_and_date_alone(kit: Kit, kind: str) -> None:
    without = await answers(kit, None, secret=True)
    assert await stored(kit, A) == 0
    chosen = Selector("identity", str(A)) if kind == "identity" else Selector("address", address(A))
    assert await answers(kit, chosen, secret=True) == without
    assert await stored(kit, A) == 1
    assert await kit.logs.count() == {"saved": 0, "hidden": 1, "waiting": 0}


async def places(kit: Kit, identity: int) -> dict[str, set[tuple[object, ...]]]:
    """Every row of every table in which a value of somebody stands, by place."""
    pseudonyms, found = kit.pseudonyms, defaultdict(set)
    values = {
        *(pseudonyms.live_identities(identity) + pseudonyms.live_addresses(address(identity))),
        *(pseudonyms.kept_identity(identity), pseudonyms.kept_address_mac(address(identity))),
        *(pseudonyms.safety_identity(identity), pseudonyms.safety_network(address(identity))),
    }
    async with kit.database.read() as connection:
        for table in metadata.sorted_tables:
            for row in (await connection.execute(select(table))).mappings():
                for name in [name for name, value in row.items() if value in values]:
                    found[f"{table.name}.{name}"].add(tuple(row.values()))
    return dict(found)


async def test_after_the_removal_the_persons_values_stand_in_named_exemptions_alone_and_the_others_rows_are_as_before(
    kit: Kit,
) -> None:
    await kit.write(ended(1), ended(30), ended(90, a=A, b=33))
    await kit.logs.save(transcript(), people())
    closed = await cases(kit).take(reported(by=A, about=B, at=NOW - DAY, note="a note"))
    mine = await cases(kit).take(reported(by=33, about=A, at=NOW - DAY, said=text("x")))
    await desk(kit).decide(closed.hex(), "ada", "nothing", NONE)
    await desk(kit).decide(mine.hex(), "ada", "nothing", NONE)
    others = await places(kit, B), await places(kit, 33)
    await rights(kit).ask(A, NOW)
    await later(kit, 71)
    await cases(kit).take(reported(by=B, about=A, at=int(kit.now)))
    await later(kit, 72.5)
    assert set(await places(kit, A)) == {"erased.value", "case_subject.identity", "case_subject.network"}
    after = await places(kit, B), await places(kit, 33)
    for before, now in zip(others, after, strict=True):
        for place in ("party.identity", "party.address_mac", "case_subject.identity", "report.identity"):
            assert before.get(place, set()) <= now.get(place, set()), place


async def test_a_receipt_says_what_went_and_when_and_can_be_checked(kit: Kit) -> None:
    await kit.write(ended(1))
    made = await rights(kit).ask(A, NOW)
    await later(kit, 72)
    done = await rights(kit).state(A, int(kit.now))
    assert done is not None
    assert done.receipt is not None
    said = verify(done.receipt, RECEIPTS.public)
    assert f"number {made.number}" in said
    assert f"privacy statement {made.statement}" in said
    for words in ("records of chats", "saved logs removed", "gone from backups", "stays: when and why operators"):
        assert words in said
    assert done == await rights(kit).state(A, int(kit.now) + 60)


async def test_a_restriction_hides_and_keeps_until_it_is_released(kit: Kit) -> None:
    await kit.write(ended(119))
    saved = await kit.logs.save(transcript(), people())
    await rights(kit).restrict(A, NOW, why="these are not mine")
    await rights(kit).restrict(A, NOW, why="again")
    await rights(kit).object(A, NOW, why="I object")
    assert (await seen(kit, A), await kit.logs.show(saved.log)) == (0, None)
    await later(kit, 49)  # it has run out
    assert await kit.count("held_party") == 1
    assert await rights(kit).release(A, int(kit.now))
    assert not await rights(kit).release(A, int(kit.now))
    assert await kit.logs.show(saved.log) is not None
    await later(kit, 50)
    assert (await kit.count("held_party"), await kit.count("hold"), await kit.count("erased")) == (0, 0, 0)


async def test_a_deletion_ends_the_persons_own_restriction_and_no_hold_of_an_authority(kit: Kit) -> None:
    await kit.write(ended(1))
    await rights(kit).restrict(A, NOW, why="a dispute")
    await rights(kit).ask(A, NOW)
    await later(kit, 73)
    assert await stored(kit, A) == 0
    assert await kit.count("hold") == 0

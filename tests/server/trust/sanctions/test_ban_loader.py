"""Test the bans in force, read again as they change."""

from __future__ import annotations

import orjson
import pytest
from sqlalchemy import select, update

from engine.conduct.friction_points import FACTS
from server.data.retention import stale_cases
from server.data.schema.moderation_schema import ban as ban_table
from server.data.schema.moderation_schema import case_subject
from server.ops.config.moderation_policy import HOUR
from server.trust.cases.user_appeals import Appeals
from server.trust.sanctions.ban_loader import BARRED_S, Bans
from server.trust.sanctions.ban_table import day_of, path_of
from server.trust.sanctions.sanction_scale import Decision
from tests.server.data.conftest import NOW, Kit, address
from tests.server.trust.moderation.people import ban, bans, cases, desk, reported


async def banned(kit: Kit, about: int = 22, by: int = 11) -> bytes:
    """A case that ended with a ban."""
    ident = await cases(kit).take(reported(by=by, about=about, at=int(kit.now)))
    await desk(kit).decide(ident.hex(), "ada", "adverts", ban("R5"))
    return ident


async def test_nobody_is_banned_where_nothing_was_decided(kit: Kit) -> None:
    known = bans(kit)
    assert await known.refresh() == []
    assert known.find(22, address(22)) is None


async def test_a_ban_is_told_once_and_its_frame_says_all(kit: Kit) -> None:
    ident, known = await banned(kit), bans(kit)
    assert len(await known.refresh()) == 2
    assert await known.refresh() == []
    found = known.find(22, "")
    assert found is not None
    frame = orjson.loads(known.frame(found))
    assert frame["until"] == NOW + 86_400
    assert (frame["code"], frame["rule"], frame["network"]) == ("banned", "R5", False)
    assert frame["appeal"] == path_of(kit.pseudonyms, ident)
    mapped = known.find(0, f"::ffff:{address(22)}")
    assert mapped is not None
    assert orjson.loads(known.frame(mapped))["network"] is True
    assert known.find(0, "not an address") is None


async def test_a_lifted_ban_is_forgotten_and_a_later_one_of_the_same_person_is_not(kit: Kit) -> None:
    first, known = await banned(kit), bans(kit)
    await known.refresh()
    kit.now = NOW + 10
    async with kit.database.write() as connection:
        await stale_cases.end_sanctions(connection, [first], int(kit.now))
    await known.refresh()
    assert len(known) == 0
    kit.now = NOW + 20
    await banned(kit, by=12)
    await known.refresh()
    assert known.find(22, "") is not None


@pytest.mark.parametrize("network", [False, True])
async def test_a_ban_that_is_reversed_after_its_end_is_reported_once_and_counts_as_no_step(
    kit: Kit, network: bool
) -> None:
    lifted: list[bytes] = []
    first, at_desk = await banned(kit), desk(kit)
    token = path_of(kit.pseudonyms, first, network=network).rpartition("/")[2]
    known = Bans(kit.database, kit.pseudonyms, clock=lambda: kit.now, on_lifted=lifted.append)
    await known.refresh()
    await Appeals(kit.database, kit.pseudonyms, clock=lambda: kit.now).write(token, "it was not me")
    kit.now = NOW + 2 * 86_400
    await banned(kit, about=23, by=12)
    await known.refresh()
    assert known.find(22, address(22)) is None
    await at_desk.answer(first.hex(), "bob", "so", uphold=False, words="It was not.", network=network)
    assert lifted == []
    for _ in range(2):
        await known.refresh()
        assert lifted == ([first] if network else [first, first]), "once for each row of the ban"
    async with kit.database.read() as connection:
        rows = (await connection.execute(select(ban_table).where(ban_table.c.case == first))).all()
    assert {row.until for row in rows} == {NOW + 86_400}
    later = (await cases(kit).take(reported(by=13, at=int(kit.now)))).hex()
    assert ((await at_desk.show(later, "bob", "so")).steps["R5"] == 86_400) == (not network)
    fresh: list[bytes] = []
    assert FACTS["barred"].seconds == BARRED_S
    kit.now += BARRED_S
    await Bans(kit.database, kit.pseudonyms, clock=lambda: kit.now, on_lifted=fresh.append).refresh()
    assert fresh == [], "after a week no network counts as that of a banned user"


async def test_of_two_bans_of_one_network_the_longer_holds_and_the_shorter_after_it(kit: Kit) -> None:
    at_desk, known = desk(kit), bans(kit)
    takes = cases(kit)
    first, second = await takes.take(reported(about=22)), await takes.take(reported(by=12, about=0))
    async with kit.database.write() as connection:  # somebody without a cookie, from the network of person 22
        same = update(case_subject).where(case_subject.c.case == second)
        await connection.execute(same.values(network=kit.pseudonyms.safety_network(address(22))))
    await at_desk.decide(first.hex(), "ada", "adverts", ban("R5", 30))
    await known.refresh()
    await at_desk.decide(second.hex(), "ada", "adverts", Decision("pause", "R5", HOUR))
    assert await known.refresh() == []
    kit.now = NOW + 2 * HOUR
    await known.refresh()
    assert known.find(0, address(22)) is not None
    kit.now = NOW + 10
    async with kit.database.write() as connection:
        await stale_cases.end_sanctions(connection, [first], int(kit.now))
    await known.refresh()
    found = known.find(0, address(22))
    assert found is not None
    assert found.until == NOW + HOUR


async def test_what_ran_out_is_dropped_without_a_row_changing(kit: Kit) -> None:
    await banned(kit)
    known = bans(kit)
    await known.refresh()
    kit.now = NOW + 40 * 86_400
    assert await known.refresh() == []
    assert len(known) == 0
    assert known.values() == [kit.pseudonyms.safety_identity(22)], "of the identity alone"
    kit.now = NOW + 121 * 86_400
    await known.refresh()
    assert known.values() == []


async def test_a_ban_that_is_over_is_known_after_a_restart_until_no_token_is_older(kit: Kit) -> None:
    ident = await banned(kit)
    for days, since in ((2, NOW), (119, NOW), (121, 0)):
        kit.now = NOW + days * 86_400
        known = bans(kit)
        assert await known.refresh() == []
        assert len(known) == 0
        assert known.find(22, address(22)) is None
        assert known.last_ban(22) == since
        assert known.last_ban(23) == 0
    kit.now = NOW + 3 * 86_400
    short = Bans(kit.database, kit.pseudonyms, clock=lambda: kit.now, longest=2 * 86_400)
    await short.refresh()
    assert short.last_ban(22) == 0, "no longer than the operator keeps it"
    known = bans(kit)
    await known.refresh()
    async with kit.database.write() as connection:
        reversed_now = {"lifted": int(kit.now), "changed": int(kit.now)}
        await connection.execute(update(ban_table).where(ban_table.c.case == ident).values(**reversed_now))
    await known.refresh()
    assert known.last_ban(22) == 0, "it was reversed"


async def test_a_ban_says_the_day_and_who_decided(kit: Kit) -> None:
    await banned(kit)
    known = bans(kit)
    await known.refresh()
    found = known.find(22, "")
    assert found is not None
    frame = orjson.loads(known.frame(found))
    assert (frame["day"], frame["by"]) == (day_of(NOW), "person")


@pytest.mark.timeout(120)
async def test_among_two_hundred_thousand_bans_the_right_person_is_refused_and_nobody_else(kit: Kit) -> None:
    await fill(kit, 200_000)
    ident, known = await banned(kit), bans(kit)
    await known.refresh()
    assert len(known) == 200_002
    found = known.find(22, "192.0.2.250")
    assert found is not None
    assert found.case == ident
    assert known.find(0, address(22)) is not None, "and their network"
    for number in (1_000_001, 1_200_000):
        assert known.find(number, "") is not None
    for number in (23, 999_999, 1_200_001):
        assert known.find(number, "192.0.2.250") is None


PART = 10_000  # rows of one statement: a database that takes long for one is taken for away
# Made by the database: of all these people but the first and the last nobody asks.
MANY = """
INSERT INTO ban (id, kind, mac, since, until, rule, "case", appeal, changed)
WITH RECURSIVE numbers (n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM numbers WHERE n < {last})
SELECT {ident}, 'identity', {mac}, {now}, {now} + 86400, 'R5', {nobody}, {nobody}, {now} FROM numbers"""
SQLITE = {"ident": "randomblob(16)", "mac": "randomblob({width})", "nobody": "zeroblob(16)"}
POSTGRESQL = {
    "ident": "uuid_send(gen_random_uuid())",
    "mac": "substr(sha256(convert_to(n::text, 'utf8')), 1, {width})",
    "nobody": "uuid_send('00000000-0000-0000-0000-000000000000')",
}


async def fill(kit: Kit, count: int) -> None:
    """Bans of so many people, as rows; the first is 1,000,001, and the last is numbered as if all between were too."""
    rows = [
        {
            "id": number.to_bytes(16, "big"), "kind": "identity", "mac": kit.pseudonyms.safety_identity(1_000_000 + number),
            "since": NOW, "until": NOW + 86_400, "rule": "R5", "case": bytes(16), "appeal": bytes(16), "lifted": None,
            "changed": NOW,
        }
        for number in (1, count)
    ]  # fmt: skip
    how = {
        key: value.format(width=len(rows[0]["mac"]))
        for key, value in (SQLITE if kit.database.sqlite else POSTGRESQL).items()
    }
    async with kit.database.write() as connection:
        for first in range(1, count - len(rows) + 1, PART):
            last = min(first + PART - 1, count - len(rows))
            await connection.exec_driver_sql(MANY.format(first=first, last=last, now=NOW, **how))
        await connection.execute(ban_table.insert(), rows)

"""A month's figures: each thing once, on the day after it ended, whatever leaves or is killed meanwhile."""

from __future__ import annotations

import datetime
import secrets

from sqlalchemy import insert, select, update

from server.data.privacy import audit_log
from server.data.privacy.registry_model import Category
from server.data.retention import monthly_counts
from server.data.schema.moderation_schema import ban, case
from server.data.schema.transparency_schema import month_figure
from server.ops.config.settings import Retention
from server.trust.cases.user_appeals import Appeals
from server.trust.data_requests.request_store import NewRequest, Requests
from server.trust.decisions.public_notice_work import PublicNoticeWork
from server.trust.moderation_protocol import NoticeForm
from server.trust.reports.illegal_content_notices import PublicNotices
from server.trust.sanctions.ban_table import path_of
from server.trust.sanctions.sanction_scale import Decision
from tests.server.data.conftest import Kit
from tests.server.trust.legal_orders.orders import order, orders
from tests.server.trust.moderation.people import bans, cases, desk, pictures, reported

DAY = 86_400
START = int(datetime.datetime(2026, 11, 2, 12, tzinfo=datetime.UTC).timestamp())
DECEMBER = int(datetime.datetime(2026, 12, 1, 0, 30, tzinfo=datetime.UTC).timestamp())


async def counted(kit: Kit) -> None:
    """One step of the purge."""
    async with kit.database.write() as connection:
        await kit.database.guard(connection)
        await monthly_counts.count(connection, int(kit.now))


async def shown(kit: Kit) -> dict[str, dict[str, int]]:
    """The months that are over."""
    async with kit.database.read() as connection:
        return await monthly_counts.published(connection, 24)


async def happened(kit: Kit) -> None:
    """A ban that is taken back by somebody else, a report about nothing, a notice."""
    kit.now = START
    takes, at_desk = cases(kit), desk(kit)
    bad = await takes.take(reported(at=START))
    kit.now = START + 2 * 3_600
    await at_desk.decide(bad.hex(), "ada", "adverts", Decision("ban", "R5", 7 * DAY))
    good = await takes.take(reported(by=12, about=33, reason="hate", at=START))
    await at_desk.decide(good.hex(), "ada", "harmless", Decision("none"))
    appeals = Appeals(kit.database, kit.pseudonyms, clock=lambda: kit.now)
    await appeals.write(path_of(kit.pseudonyms, bad).rpartition("/")[2], "not me")
    kit.now = START + 3 * DAY
    await counted(kit)  # the days pass, and the ban is counted as it was made
    await at_desk.answer(bad.hex(), "bob", "she is right", uphold=False, words="")
    await PublicNotices(kit.database, kit.pseudonyms, clock=lambda: kit.now).write(NoticeForm("child", "", "x", ""))
    law = PublicNoticeWork(kit.database, kit.pseudonyms, clock=lambda: kit.now)
    await law.answer((await law.waiting())[0].id, "cyd", "read", "passed")


async def test_a_month_is_shown_when_it_is_over_and_has_each_thing_once(kit: Kit) -> None:
    await happened(kit)
    for days in range(4, 40):
        kit.now = START + days * DAY
        await counted(kit)
        await counted(kit)
    assert await shown(kit) == {
        "2026-11": {
            "report/acted/spam": 1,
            "report/none/hate": 1,
            "decision/person/R5/7 days": 1,
            "decision/person/nothing": 1,
            f"decided/{4 * 3_600}": 2,
            "appeal/reversed/person": 1,
            f"answered/{3 * DAY}": 1,
            "notice/passed/child": 1,
            "operators": 3,
        }
    }


async def test_a_ban_that_is_reversed_after_its_end_counts_with_the_length_that_it_had(kit: Kit) -> None:
    kit.now = START
    ended, lifted = [await cases(kit).take(reported(by=by, about=by + 50, at=START)) for by in (12, 13)]
    appeals = Appeals(kit.database, kit.pseudonyms, clock=lambda: kit.now)
    for ident in (ended, lifted):
        await desk(kit).decide(ident.hex(), "ada", "adverts", Decision("ban", "R5", DAY))
        await appeals.write(path_of(kit.pseudonyms, ident).rpartition("/")[2], "not me")
    for ident, after in ((lifted, DAY // 2), (ended, 2 * DAY)):
        kit.now = START + after
        await desk(kit).answer(ident.hex(), "bob", "so", uphold=False, words="")
    kit.now = DECEMBER
    await counted(kit)
    figures = (await shown(kit))["2026-11"]
    assert (figures["decision/person/R5/a day"], figures["decision/person/R5/ended early"]) == (1, 1)


async def test_nothing_is_shown_before_the_month_is_over(kit: Kit) -> None:
    await happened(kit)
    kit.now = DECEMBER - DAY
    await counted(kit)
    assert await shown(kit) == {}
    kit.now = DECEMBER
    await counted(kit)
    assert list(await shown(kit)) == ["2026-11"]


async def test_figures_outlive_the_rows_also_where_those_are_kept_for_days_only(kit: Kit) -> None:
    kit.retention = Retention(days=2)
    await happened(kit)
    for days in range(4, 40):
        kit.now = START + days * DAY
        assert (await kit.purge().run()).proved
    assert await kit.count('"case"') == 0
    assert await kit.count("law_notice") == 0
    figures = (await shown(kit))["2026-11"]
    assert figures["decision/person/R5/7 days"] == 1
    assert figures["notice/passed/child"] == 1


async def test_a_count_that_is_killed_counts_nothing_twice(kit: Kit) -> None:
    await happened(kit)
    kit.now = DECEMBER
    try:
        async with kit.database.write() as connection:
            await monthly_counts.count(connection, int(kit.now))
            raise KeyboardInterrupt  # the transaction is not committed
    except KeyboardInterrupt:
        pass
    await counted(kit)
    assert (await shown(kit))["2026-11"]["report/acted/spam"] == 1


async def test_what_a_program_did_and_nobody_looked_at_ends_and_is_counted(kit: Kit) -> None:
    kit.now = START
    known = bans(kit)
    late, reported_too, judged = [await by_machine(kit, about) for about in (41, 42, 43)]
    kit.now = START + 3_600
    assert await cases(kit).take(reported(about=42, at=int(kit.now))) == reported_too
    await desk(kit).decide(judged.hex(), "ada", "it was right", Decision("ban", "R5", 7 * DAY))
    kit.now = START + 71 * 3_600
    await kit.purge().run()
    await known.refresh()
    assert known.find(41, "") is not None
    kit.now = START + 73 * 3_600
    await kit.purge().run()
    await known.refresh()
    assert [known.find(about, "") for about in (41, 42)] == [None, None]
    assert known.find(43, "") is not None  # a person looked; what follows is theirs to say
    async with kit.database.read() as connection:
        states = {row.id: row.state for row in (await connection.execute(select(case))).all()}
        lifted = select(month_figure.c.count).where(month_figure.c.name == "lifted")
        assert (await connection.execute(lifted)).scalar_one() == 2
    assert (states[late], states[reported_too]) == (
        "lifted",
        "open",
    )  # whom people reported too, a person still looks at
    kit.now = START + 74 * 3_600
    await kit.purge().run()
    async with kit.database.read() as connection:
        assert (await connection.execute(lifted)).scalar_one() == 2
    for days in (31, 31 + 121):  # nobody looked at what people reported, and then it leaves
        kit.now = START + days * DAY
        await kit.purge().run()
    assert await kit.count('"case"') == 0


async def by_machine(kit: Kit, about: int) -> bytes:
    """A case that a program opened, with a ban until somebody looked."""
    ident = await cases(kit).take(reported(by=900 + about, about=about, at=int(kit.now)))
    async with kit.database.write() as connection:
        await connection.exec_driver_sql("DELETE FROM report")
        await connection.execute(
            update(case).where(case.c.id == ident).values(machine=True, measure="pause", rule="R5")
        )
        await connection.execute(
            insert(ban).values(
                id=secrets.token_bytes(16), kind="identity", mac=kit.pseudonyms.safety_identity(about), since=int(kit.now),
                until=int(kit.now) + 30 * DAY, rule="R5", case=ident, appeal=secrets.token_bytes(16), lifted=None, changed=int(kit.now),
            )
        )  # fmt: skip
    return ident


async def test_pictures_looks_and_referrals_are_counted_once_each(kit: Kit) -> None:
    kit.now = START
    ident = (await cases(kit).take(reported(at=START, shown=pictures(START)))).hex()
    at_desk = desk(kit)
    for one in (await at_desk.show(ident, "ada", "looking")).pictures[:2]:
        await at_desk.look(ident, one.id, "ada", "looking")
    await audit_log.write_entry(
        kit.database, now=START, operator="ada", action=monthly_counts.REFERRED, why="a child", outcome="sent"
    )
    for at in (START + DAY, START + 2 * DAY, DECEMBER):
        kit.now = at
        await counted(kit)
    found = (await shown(kit))["2026-11"]
    assert {name: found[name] for name in ("pictures", "looks", "referrals")} == {
        "pictures": 3,
        "looks": 2,
        "referrals": 1,
    }


async def test_second_looks_are_counted_when_they_ended(kit: Kit) -> None:
    kit.now = START
    at_desk = desk(kit)
    at_desk.drawn = lambda: True  # type: ignore[method-assign]
    idents = [(await cases(kit).take(reported(about=about, at=START))).hex() for about in (51, 52, 53)]
    for ident in idents:
        await at_desk.decide(ident, "ada", "so", Decision("none"))
    kit.now = START + 60
    await at_desk.answer_second_review(idents[0], "bob", "so", "none")
    await at_desk.answer_second_review(idents[1], "bob", "so", "warning", "R4")
    for days in range(1, 40):
        kit.now = START + days * DAY
        await counted(kit)
    found = (await shown(kit))["2026-11"]
    assert {name: number for name, number in found.items() if name.startswith("second/")} == {
        "second/agreed": 1,
        "second/differed": 1,
        "second/missed": 1,
    }
    assert found["operators"] == 2


async def test_requests_orders_holds_and_disclosures_are_counted_from_tickets_and_ledger(kit: Kit) -> None:
    kit.now = START
    tickets = Requests(kit.database, kit.pseudonyms)
    number = await tickets.open(NewRequest("know", "page", 3, 11), START)
    await tickets.move(number, "fulfilled", START + 60)
    number = await tickets.open(NewRequest("delete", "letter", 0, None), START)
    await tickets.move(number, "denied", START + 3 * DAY, "no_match")
    found = orders(kit)
    for kind, asked in (("subpoena", (Category.A, Category.F)), ("warrant", (Category.A, Category.F))):
        entered = await found.new(order(kind, *asked), "ada")
        one, _, _ = await found.read(entered)
        await found.ledger.done(await found.ledger.intent(found.disclosure(one, one.open_to)))
        await found.close_produced(one, "ada")
    refused = await found.new(order("demand"), "ada")
    await found.refuse(refused, "ada", "of no court")
    await found.hold(await found.new(order("preservation", due=None), "ada"), "ada", 90)
    kit.now = DECEMBER
    await counted(kit)
    await counted(kit)
    figures = (await shown(kit))["2026-11"]
    wanted = {
        "request/fulfilled/know": 1, "request/denied/delete": 1, "denial/no_match": 1, "replied/3600": 1, "replied/259200": 1,
        "order/narrowed/subpoena": 1, "order/produced/warrant": 1, "order/refused/demand": 1, "order/produced/preservation": 1,
        "order_country/NO": 4, "hold": 1, "disclosure/produced": 2,
    }  # fmt: skip
    assert {name: number for name, number in figures.items() if name != "operators"} == wanted

"""The disclosure ledger: a line before data leaves, lines that cannot be changed, and a walk that finds what was changed all the same."""

from __future__ import annotations

import asyncio
import calendar
import signal
import sys
from dataclasses import asdict
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from server.data.backup import non_restorable_state
from server.data.backup.rollback_protection import SealedCopies
from server.data.database.database import Database
from server.data.errors import StoreAway
from server.data.privacy import disclosure_ledger, registry_history
from server.data.privacy.disclosure_ledger import Disclosure, DisclosureLedger, Head, NoIntent, Phase
from server.data.privacy.registry_model import Category, What
from server.data.schema.disclosure_schema import disclosure, disclosure_subject
from server.trust.data_export.person_row_keys import person
from server.trust.publication import monthly_figures
from tests.server.data.conftest import NOW, Kit
from tests.server.trust.rights.people import A, B, known

ONE = Disclosure(What.REVEAL, "Police of Oslo", "demand", (Category.A, Category.F), 1)


@pytest.fixture(autouse=True, scope="module")
def _versions() -> None:
    """Read the registry's versions before a loop runs, as the server does at its start."""
    registry_history.history()


@pytest.fixture
def ledger(kit: Kit) -> DisclosureLedger:
    return DisclosureLedger(kit.database, lambda: kit.now)


async def lines(kit: Kit) -> list[Any]:
    async with kit.database.read() as connection:
        return list((await connection.execute(select(disclosure).order_by(disclosure.c.number))).all())


def test_a_line_is_canonical_json_as_rfc_8785_writes_it() -> None:
    """The vectors of sections 3.2.2.2, 3.2.3 and appendix A for strings and names; numbers of a line are integers."""
    vector = {"string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/", "literals": None, "a": 1, "B": -(2**53) + 1}
    assert disclosure_ledger.canonical(vector) == (
        b'{"B":-9007199254740991,"a":1,"literals":null,"string":"\xe2\x82\xac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )
    assert disclosure_ledger.canonical(
        {"c": "\x00\x08\x09\x0c\x0d\x1f\x7f\u2028\U0001f600\u00f6", "b": b"\xff\x00"}
    ) == ('{"b":"ff00","c":"\\u0000\\b\\t\\f\\r\\u001f\x7f\u2028\U0001f600\u00f6"}'.encode())
    with pytest.raises(TypeError):
        disclosure_ledger.canonical({"a": "\ud800"})


async def test_an_intent_is_there_before_and_its_outcome_after(kit: Kit, ledger: DisclosureLedger) -> None:
    async with ledger.recorded(ONE, [b"s" * 17, b"t" * 17]):
        assert [(line.phase, line.intent, line.recipient) for line in await lines(kit)] == 2 * [
            ("intent", None, "Police of Oslo")
        ]
    await ledger.refused(Disclosure(What.PRODUCED, "A court", "subpoena", (Category.G,), law_order="A" * 13))
    with pytest.raises(LookupError):
        async with ledger.recorded(ONE):
            raise LookupError
    found = [(line.number, line.phase, line.intent) for line in await lines(kit)]
    assert found == [
        (1, "intent", None), (2, "intent", None), (3, "done", 1), (4, "done", 2), (5, "refused", None), (6, "intent", None),
        (7, "failed", 6),
    ]  # fmt: skip
    walked = await ledger.verify()
    assert (walked.problems, walked.unfinished) == ((), ())
    assert walked.head == await ledger.head()
    assert walked.head.lines == 7


async def test_an_intent_has_one_outcome(kit: Kit, ledger: DisclosureLedger) -> None:
    (number,) = await ledger.intent(ONE)
    assert (await ledger.verify()).unfinished == (number,)
    await ledger.done([number], 12)
    for late in (ledger.done([number]), ledger.failed([number]), ledger.failed([number + 1]), ledger.done([99])):
        with pytest.raises(NoIntent):
            await late
    assert [(line.phase, line.count) for line in await lines(kit)] == [("intent", 1), ("done", 12)]


async def test_an_answer_about_more_people_than_a_statement_has_numbers_gets_its_outcome(
    kit: Kit, ledger: DisclosureLedger
) -> None:
    many = await ledger.intent(ONE, [b"s" * 17] * 33_000)
    await ledger.done(many)
    assert (await ledger.head()).lines == 66_000
    with pytest.raises(NoIntent):
        await ledger.failed(many)


async def test_lines_written_at_once_are_one_chain(kit: Kit, ledger: DisclosureLedger) -> None:
    others = [DisclosureLedger(Database(kit.database.url, data=kit.data)) for _ in range(3)]
    try:
        await asyncio.gather(*(each.intent(ONE, [b"s" * 17]) for each in [ledger, *others] for _ in range(10)))
    finally:
        for other in others:
            await other._database.close()
    walked = await ledger.verify()
    assert (walked.head.lines, walked.problems) == (40, ())


@pytest.mark.parametrize(
    "change",
    [
        update(disclosure).values(recipient="another"),
        update(disclosure).where(disclosure.c.number == 99).values(count=0),
        delete(disclosure).where(disclosure.c.number == 2),
    ],
    ids=["edited", "without rows", "removed"],
)
async def test_the_database_refuses_to_change_a_line(kit: Kit, ledger: DisclosureLedger, change: Any) -> None:
    await ledger.intent(ONE, [b"s" * 17] * 3)
    if kit.database.sqlite and "99" in str(change.compile(compile_kwargs={"literal_binds": True})):
        pytest.skip("SQLite runs a trigger for each row")
    with pytest.raises(StoreAway):
        async with kit.database.write() as connection:
            await connection.execute(change)
    with pytest.raises(StoreAway):
        async with kit.database.write() as connection:
            await connection.exec_driver_sql(
                "TRUNCATE disclosure" if not kit.database.sqlite else "DELETE FROM disclosure"
            )
    if kit.database.sqlite:
        with pytest.raises(StoreAway):
            async with kit.database.write() as connection:
                await connection.exec_driver_sql(
                    "INSERT OR REPLACE INTO disclosure SELECT * FROM disclosure WHERE number = 2"
                )
    assert (await ledger.verify()).problems == ()


async def unlocked(kit: Kit, *statements: Any) -> None:
    """Change lines as someone with the database's own password could: without its triggers."""
    async with kit.database.write() as connection:
        if kit.database.sqlite:
            for name in ("update", "delete"):
                await connection.exec_driver_sql(f"DROP TRIGGER disclosure_no_{name}")
        else:
            await connection.exec_driver_sql("GRANT UPDATE, DELETE ON disclosure TO CURRENT_USER")
            await connection.exec_driver_sql("ALTER TABLE disclosure DISABLE TRIGGER ALL")
        for statement in statements:
            await connection.execute(statement)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            [update(disclosure).where(disclosure.c.number == 2).values(recipient="another")],
            "line 3: it or the line before",
        ),
        ([update(disclosure).where(disclosure.c.number == 3).values(count=7)], "line 4: it or the line before"),
        ([delete(disclosure).where(disclosure.c.number == 2)], "line 2: missing"),
        ([delete(disclosure).where(disclosure.c.number == 1)], "line 1: missing"),
        (
            [
                update(disclosure).where(disclosure.c.number == a).values(number=b)
                for a, b in ((2, 90), (3, 2), (90, 3))
            ],
            "line 2: it or the line before",
        ),
        ([delete(disclosure).where(disclosure.c.number == 4)], "line 4: missing, 4 lines were published"),
        ([update(disclosure).where(disclosure.c.number == 4).values(what="told")], "its hash is not the published one"),
        (
            [update(disclosure_subject).where(disclosure_subject.c.line == 2).values(who=b"u" * 17)],
            "line 2: its person",
        ),
    ],
    ids=["edited", "edited later", "removed", "first removed", "reordered", "end removed", "end edited", "person"],
)
async def test_a_changed_moved_or_missing_line_is_found(
    kit: Kit, ledger: DisclosureLedger, changes: list[Any], said: str
) -> None:
    await ledger.intent(ONE, [b"s" * 17] * 4)
    before = await ledger.head()
    assert (await ledger.verify(before)).problems == ()
    await unlocked(kit, *changes)
    assert any(said in problem for problem in (await ledger.verify(before)).problems)


async def test_a_person_reads_what_was_disclosed_once_they_may(kit: Kit, ledger: DisclosureLedger) -> None:
    mine = kit.pseudonyms.disclosure_subject(person(kit.pseudonyms, A).safety)
    await ledger.done(await ledger.intent(ONE, [mine]), 3)
    await ledger.intent(Disclosure(What.PRODUCED, "A court", "warrant", (Category.L,), reveal_after=NOW + 100), [mine])
    (row,) = (await known(kit).know(A, NOW))["parts"]["disclosures"]
    assert row == {
        "at": "2026-11-18T11:06:40Z", "kind": "reveal", "recipient": "Police of Oslo", "basis": "demand", "categories": "A, F",
        "records": 3, "state": "done", "goes": "2028-11-17",
    }  # fmt: skip
    both = (await known(kit).know(A, NOW + 100))["parts"]["disclosures"]
    assert [(row["recipient"], row["state"]) for row in both] == [("Police of Oslo", "done"), ("A court", "begun")]
    assert (await known(kit).know(B, NOW + 100))["parts"]["disclosures"] == []


async def test_after_its_time_a_line_says_no_more_whom_it_concerns(kit: Kit, ledger: DisclosureLedger) -> None:
    await ledger.intent(ONE, [b"s" * 17])
    await ledger.intent(Disclosure(What.PRODUCED, "A court", "warrant", (), reveal_after=NOW + 100), [b"s" * 17])
    kit.now = NOW + 730 * 86_400 + 1
    await kit.purge().run()
    async with kit.database.read() as connection:
        left = (await connection.execute(select(disclosure_subject.c.line))).scalars().all()
    assert left == [2]  # the two years begin when the secrecy ends
    walked = await ledger.verify()
    assert (walked.head.lines, walked.problems) == (3, ())  # with the mark of that month


async def public(kit: Kit) -> dict[str, Any]:
    """Return all that `/api/transparency` says at this time, after the purge of the day."""
    await kit.purge().run()
    newest = await DisclosureLedger(kit.database).published()
    return {"months": await monthly_figures.months(kit.database), "ledger": newest and asdict(newest)}


def guessed(before: str, mark: dict[str, Any], who: bytes | None) -> list[int]:
    """Return the numbers of a mark that a reader can confirm who supposes that no line is between it and the mark before."""
    line = dict.fromkeys(("what", "recipient", "basis", "categories"), "") | {
        "phase": "mark", "intent": None, "count": 0, "request": None, "law_order": None, "reveal_after": 0,
        "prev": bytes.fromhex(before), "at": mark["at"], "who": who,
    }  # fmt: skip
    return [n for n in range(1, 100) if disclosure_ledger.line_hash(line | {"number": n}).hex() == mark["hash"]]


async def test_a_reader_works_out_no_number_of_disclosures_below_ten(kit: Kit, ledger: DisclosureLedger) -> None:
    """Months with 0, 1, 4 and 9 disclosures look the same to a reader who asks each day, takes differences, and tries hashes."""
    seen: list[dict[str, Any]] = []
    for month, times in enumerate((0, 1, 4, 9, 0)):
        kit.now = calendar.timegm((2027, month + 1, 1, 0, 5, 0))
        seen.append(await public(kit))
        for _ in range(times):
            kit.now += 86_400
            await ledger.done(await ledger.intent(ONE, [b"s" * 17]))
            today = await public(kit)
            assert today == seen[-1], "what is published changes once a month, not with a disclosure"
    assert len({one["ledger"]["hash"] for one in seen}) == 5, "and each month, with disclosures and without"
    for one in seen[1:]:
        assert {str(month["disclosures"]) for month in one["months"]} == {"{'number': '< 10'}"}
    shapes = [{key: value for key, value in one["months"][0].items() if key != "month"} for one in seen[1:]]
    assert all(shape == shapes[0] for shape in shapes)
    assert all(guessed(one["ledger"]["hash"], after["ledger"], None) == [] for one, after in pairwise(seen))
    marks = {line.number: line.who for line in await lines(kit) if line.phase == Phase.MARK}
    whole = [guessed(one["ledger"]["hash"], after["ledger"], marks[number])
             for (one, after), number in zip(pairwise(seen), sorted(marks)[1:], strict=True)]  # fmt: skip
    assert whole == [[2], [], [], []], "the random bytes alone keep a month without disclosures from being known"


async def test_a_published_hash_finds_a_ledger_that_was_cut_or_changed_before_it(
    kit: Kit, ledger: DisclosureLedger
) -> None:
    await ledger.intent(ONE, [b"s" * 17] * 2)
    assert await ledger.published() is None
    assert await ledger.mark_month()
    assert not await ledger.mark_month()
    await ledger.refused(ONE)
    newest = await ledger.published()
    assert newest is not None
    known_hash = Head(0, newest.hash)
    assert (await ledger.verify(known_hash)).problems == ()
    await unlocked(kit, delete(disclosure).where(disclosure.c.number >= 3))
    assert (await ledger.verify()).problems == ()
    assert "no line has the published hash" in (await ledger.verify(known_hash)).problems[0]


async def test_a_restore_loses_no_line(kit: Kit, ledger: DisclosureLedger) -> None:
    """The lines since the backup are appended, in today's rows and in the sealed copies; no line is deleted for it."""
    await ledger.intent(ONE, [b"s" * 17])
    async with kit.database.read() as connection:
        backup = {part.name: await non_restorable_state.rows(connection, part) for part in non_restorable_state.PARTS}
    await ledger.refused(ONE)
    head = await ledger.head()
    await SealedCopies(kit.database, kit.objects, kit.pseudonyms, lambda: kit.now).keep()
    today = await non_restorable_state.current_rows(kit.database, kit.pseudonyms, NOW)
    copies = await SealedCopies(kit.database, kit.objects, kit.pseudonyms).load()
    assert copies is not None
    for rows in (today, copies[1]):
        await unlocked_once(kit, backup["disclosure"])
        await non_restorable_state.put_back(kit.database, rows)
        assert await ledger.head() == head
        assert (await ledger.verify(head)).problems == ()


async def unlocked_once(kit: Kit, rows: list[Any]) -> None:
    """Set the ledger back to these rows, as the file of a backup does, with its triggers."""
    async with kit.database.write() as connection:
        if kit.database.sqlite:
            kept = (
                await connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = 'disclosure_no_delete'")
            ).scalar_one()
            await connection.exec_driver_sql("DROP TRIGGER disclosure_no_delete")
        else:
            await connection.exec_driver_sql("GRANT DELETE ON disclosure TO CURRENT_USER")
            await connection.exec_driver_sql("ALTER TABLE disclosure DISABLE TRIGGER ALL")
        await connection.execute(delete(disclosure))
        await connection.execute(insert(disclosure), rows)
        if kit.database.sqlite:
            await connection.exec_driver_sql(kept)
        else:
            await connection.exec_driver_sql("ALTER TABLE disclosure ENABLE TRIGGER ALL")


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from server.data.database.database import Database
from server.data.privacy.disclosure_ledger import Disclosure, DisclosureLedger
from server.data.privacy.registry_model import What

async def main(url, data, step):
    ledger = DisclosureLedger(Database(url, data=Path(data)))
    one = Disclosure(What.TOLD, "Hosting Ltd", "GDPR 19", (), 1)
    numbers = await ledger.intent(one)
    if step == "sent":
        sys.stdout.write("left"); sys.stdout.flush()
    if step == "done":
        await ledger.done(numbers)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize("step", ["intent", "sent", "done"])
async def test_a_killed_process_leaves_its_intent_before_a_byte_left(
    kit: Kit, ledger: DisclosureLedger, step: str
) -> None:
    command = (sys.executable, "-c", KILLED, kit.database.url, str(kit.data), step)
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert process.returncode == -signal.SIGKILL
    walked = await ledger.verify()
    assert walked.problems == ()
    assert walked.unfinished == (() if step == "done" else (1,))
    assert (await lines(kit))[0].phase == Phase.INTENT
    assert out == (b"left" if step == "sent" else b"")
    await ledger.intent(ONE)  # the next process continues the chain
    assert (await ledger.verify()).problems == ()

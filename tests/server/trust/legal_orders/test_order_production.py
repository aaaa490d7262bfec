"""Production: two operators, the intent before anything is opened, a complete folder or none, and a kill between any two steps."""

from __future__ import annotations

import asyncio
import hashlib
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import orjson
import pytest
from sqlalchemy import select

from server.data.errors import Busy
from server.data.privacy import audit_log, registry_history
from server.data.retention.legal_holds import Selector
from server.data.schema.disclosure_schema import disclosure_subject
from server.ops.security.reference_numbers import shown
from server.trust.data_export.person_row_keys import person
from server.trust.legal_orders import order_package
from server.trust.legal_orders.law_orders import OrderRefused
from server.trust.legal_orders.order_kinds import BeyondBounds
from server.trust.legal_orders.order_production import ProducedPackage
from tests.server.data.conftest import NOW, Kit, address
from tests.server.trust.legal_orders.orders import (
    ADA,
    BOB,
    DAY,
    Cat,
    approvals,
    approved,
    officers,
    order,
    orders,
    production,
    stored,
)
from tests.server.trust.rights.people import A, B, known


@pytest.fixture(autouse=True, scope="module")
def _versions() -> None:
    """Read the registry's versions before a loop runs, as the server does at its start."""
    registry_history.history()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "answer"


def folder(out: Path) -> dict[str, bytes]:
    """Return the files of a package by name; empty without a folder."""
    return {file.name: file.read_bytes() for file in out.iterdir()} if out.exists() else {}


def modes(out: Path) -> set[int]:
    """Return the modes of a folder and its files."""
    return {stat.S_IMODE(one.stat().st_mode) for one in (out, *out.iterdir())}


async def phases(kit: Kit) -> list[str]:
    return [line["phase"] for line in reversed(await orders(kit).ledger.lines())]


async def test_what_is_beyond_the_bound_is_refused_before_anything_is_looked_up(kit: Kit, out: Path) -> None:
    await officers(kit, "ada", "bob")
    number = await orders(kit).new(order("subpoena", Cat.A, Cat.LOG), "ada")
    before = await kit.count("audit")
    with pytest.raises(BeyondBounds):
        await production(kit).produce(number, "ada", out, [Cat.LOG])
    assert (await kit.count("audit"), await kit.count("disclosure"), folder(out)) == (before, 0, {})


async def test_counting_opens_nothing_and_is_in_the_audit_log(kit: Kit, out: Path) -> None:
    await stored(kit)
    number = await orders(kit).new(order("demand", Cat.A, Cat.F), "ada")
    found = await production(kit).count(number, "ada")
    assert (found.state, found.counts["chats"], found.counts["addresses"]) == ("counted", 2, 4)
    newest = (await audit_log.recent_entries(kit.database, 0))[0]
    assert (newest.action, newest.outcome[:10]) == ("order produce", "would give")
    assert (await kit.count("disclosure"), await kit.count("approval"), folder(out)) == (0, 0, {})


async def test_a_second_officer_approves_and_the_person_reads_of_it_after_the_secrecy(kit: Kit, out: Path) -> None:
    await officers(kit, "ada", "bob")
    await stored(kit)
    number = await orders(kit).new(order(gag_until=NOW + 10 * DAY), "ada")
    found = await approved(kit, number, out)
    assert (found.state, found.counts["saved_texts"]) == ("done", 1)
    assert modes(out) == {0o700, 0o600}
    for line in folder(out)["SHA256SUMS"].decode().splitlines():
        digest, _, name = line.partition("  ")
        assert hashlib.sha256(folder(out)[name]).hexdigest() == digest
    body = orjson.loads(folder(out)["records.json"])["records"]
    assert address(A) in str(body["addresses"])
    assert await phases(kit) == ["intent", "done"]
    assert (await orders(kit).read(number))[0].state == "produced"
    assert await approvals(kit)[1].waiting(BOB) == [], "an answered order is not to be done any more"
    assert (await orders(kit).counts())[3] == NOW + 10 * DAY  # the alert before it
    with pytest.raises(OrderRefused, match="produced"):
        await production(kit).produce(number, "ada", out)
    person = known(kit)
    assert (await person.know(A, NOW + 10 * DAY - 1))["parts"]["disclosures"] == []
    (told,) = (await person.know(A, NOW + 10 * DAY))["parts"]["disclosures"]
    assert (told["recipient"], told["basis"], told["state"]) == ("A court", "warrant", "done")
    assert told["records"] == sum(found.counts.values())
    assert (await person.know(B, NOW + 10 * DAY))["parts"]["disclosures"] == []
    await orders(kit).gag(number, "ada", NOW + 50 * DAY, "extended by the court")
    assert (await person.know(A, NOW + 10 * DAY))["parts"]["disclosures"] == []
    kit.now = NOW + 51 * DAY
    assert (await orders(kit).counts())[2] == 1  # the alert
    await orders(kit).gag(number, "ada", NOW, "lifted")
    assert len((await person.know(A, NOW + 1))["parts"]["disclosures"]) == 1


async def test_a_person_whom_an_order_finds_by_several_values_reads_of_one_disclosure(kit: Kit, out: Path) -> None:
    await officers(kit, "ada", "bob")
    await stored(kit)
    number = await orders(kit).new(order(about=Selector("address", address(A))), "ada")
    await approved(kit, number, out)
    mine = person(kit.pseudonyms, A).disclosures(kit.pseudonyms)
    async with kit.database.read() as connection:
        lines = (await connection.execute(select(disclosure_subject.c.who))).scalars().all()
    assert sum(one in mine for one in lines) > 1
    (told,) = (await known(kit).know(A, NOW))["parts"]["disclosures"]
    assert (told["recipient"], told["state"]) == ("A court", "done")


async def test_no_look_for_an_order_tells_the_person_of_it(kit: Kit, out: Path) -> None:
    subject = kit.pseudonyms.audit_subject(kit.pseudonyms.kept_identity(A))
    await audit_log.write_entry(
        kit.database, now=NOW, operator="mod", action="log show", why="a report", outcome="asked", subject=subject
    )
    number = await orders(kit).new(order(gag_until=NOW + 900 * DAY), "ada")
    await production(kit).count(number, "ada")
    await orders(kit).show(number, "ada", "to answer it")
    await orders(kit).refuse(number, "ada", "of no court")
    later = int(time.time()) + DAY  # the lines of the audit log have the real time
    assert [look["why"] for look in (await known(kit).know(A, later))["parts"]["looks"]] == ["a report"]


@pytest.mark.parametrize("appeared", [False, True])
async def test_a_full_disk_leaves_nothing_plain_and_no_line_that_is_not_true(
    kit: Kit, out: Path, monkeypatch: pytest.MonkeyPatch, appeared: bool
) -> None:
    await officers(kit, "ada", "bob")
    await stored(kit)
    number = await orders(kit).new(order(), "ada")
    real = order_package.sync_folder

    def full(folder: Path) -> None:
        if (folder == out.parent) == appeared:
            raise OSError("no space left")
        real(folder)

    with monkeypatch.context() as patch:
        patch.setattr(order_package, "sync_folder", full)
        with pytest.raises(OSError, match="no space"):
            await approved(kit, number, out)
    assert await asyncio.to_thread(lambda: sorted(out.parent.glob("answer*"))) == ([out] if appeared else [])
    assert await phases(kit) == (["intent"] if appeared else ["intent", "failed"])
    assert (await production(kit).produce(number, "ada", out)).state == "done"
    assert (await phases(kit))[-1] == "done"


async def test_without_another_officer_it_waits_and_an_emergency_does_not(kit: Kit, out: Path) -> None:
    await officers(kit, "ada")
    await stored(kit)
    number = await orders(kit).new(order(), "ada")
    assert (await production(kit).produce(number, "ada", out)).state == "waiting"
    kit.now += DAY
    assert (await production(kit).produce(number, "ada", out)).state == "done"
    urgent = await orders(kit).new(order("emergency", Cat.A), "ada")
    assert (await production(kit).produce(urgent, "ada", out.with_name("second"))).state == "done"
    await officers(kit, "bob")
    third = await orders(kit).new(order("emergency", Cat.A), "ada")
    assert (await production(kit).produce(third, "ada", out.with_name("third"))).state == "asked"
    waiting = next(one for one in await approvals(kit)[1].waiting(BOB) if one.subject == third.encode())
    with pytest.raises(Exception, match="another operator"):
        await approvals(kit)[1].confirm(waiting.id, ADA)


async def test_the_records_are_encrypted_to_the_authority_and_nothing_plain_is_written(
    kit: Kit, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await officers(kit, "ada", "bob")
    await stored(kit)
    key = tmp_path / "key"
    await asyncio.to_thread(subprocess.run, ["age-keygen", "-o", str(key)], check=True, capture_output=True)
    public = next(line.split()[-1] for line in key.read_text().splitlines() if "public key" in line)
    number = await orders(kit).new(order(age_key=public), "ada")
    await approved(kit, number, out)
    assert sorted(folder(out)) == ["README.txt", "SHA256SUMS", "records.json.age"]
    assert not any(address(A).encode() in body for body in folder(out).values())
    opened = await asyncio.to_thread(
        subprocess.run, ["age", "-d", "-i", str(key), str(out / "records.json.age")], check=True, capture_output=True
    )
    assert address(A).encode() in opened.stdout
    bad = await orders(kit).new(order(age_key="age1nokey"), "ada")
    with pytest.raises(OrderRefused, match="age refused the key"):
        await approved(kit, bad, out.with_name("bad"))
    assert (await phases(kit))[-2:] == ["intent", "failed"]
    monkeypatch.setenv("PATH", "")
    with pytest.raises(OrderRefused, match="apt install age"):
        await production(kit).produce(bad, "ada", out.with_name("bad"))
    assert folder(out.with_name("bad")) == {}


async def test_two_officers_who_produce_an_order_at_once_give_it_once(kit: Kit, out: Path) -> None:
    """Neither closes the other's line of the ledger as failed while the data leaves."""
    await officers(kit, "ada", "bob")
    await stored(kit)
    number = await orders(kit).new(order(), "ada")
    both = ((ADA, BOB), (BOB, ADA))
    for author, _ in both:
        assert (await production(kit).produce(number, author.name, out)).state == "asked"
    for author, other in both:
        waiting = next(one for one in await approvals(kit)[1].waiting(other) if one.asked_by == author.name)
        await approvals(kit)[1].confirm(waiting.id, other)
    found = await asyncio.gather(
        *(production(kit).produce(number, author.name, out.with_name(author.name)) for author, _ in both),
        return_exceptions=True,
    )
    assert [type(one) for one in found].count(ProducedPackage) == 1
    assert {type(one) for one in found} <= {ProducedPackage, OrderRefused, Busy}
    assert [len(folder(out.with_name(author.name))) for author, _ in both].count(3) == 1
    assert await phases(kit) == ["intent", "done"]


async def test_an_order_is_not_refused_while_an_officer_produces_it(kit: Kit) -> None:
    number = await orders(kit).new(order(), "ada")
    async with kit.database.only_production():
        with pytest.raises(Busy):
            await orders(kit).refuse(number, "bob", "of no court")
    assert await phases(kit) == []
    await orders(kit).refuse(number, "bob", "of no court")
    assert await phases(kit) == ["refused"]


async def test_a_folder_of_something_else_is_left_alone(kit: Kit, out: Path) -> None:
    await officers(kit, "ada", "bob")
    number = await orders(kit).new(order(), "ada")
    await asyncio.to_thread(out.mkdir)
    await asyncio.to_thread((out / "mine").write_text, "x")
    with pytest.raises(OrderRefused, match="no package of this order"):
        await production(kit).produce(number, "ada", out)
    assert folder(out) == {"mine": b"x"}


@pytest.mark.parametrize("step", ["before the folder appears", "after the folder appeared"])
async def test_a_folder_that_only_looks_like_the_package_closes_no_order(kit: Kit, out: Path, step: str) -> None:
    number = await killed(kit, out, step)
    files = {"README.txt": f"Answer to order {shown(number)}".encode(), "records.json": b"nothing"}
    sums = "".join(f"{hashlib.sha256(text).hexdigest()}  {name}\n" for name, text in files.items())
    await asyncio.to_thread(out.mkdir, exist_ok=True)
    for name, text in {**files, "SHA256SUMS": sums.encode()}.items():
        await asyncio.to_thread((out / name).write_bytes, text)
    with pytest.raises(OrderRefused, match="no package of this order"):
        await production(kit).produce(number, "ada", out)
    assert (await orders(kit).read(number))[0].state == "open"
    assert await phases(kit) == ["intent"]


async def test_a_package_of_which_a_file_was_changed_closes_no_order(kit: Kit, out: Path) -> None:
    number = await killed(kit, out, "after the folder appeared")
    await asyncio.to_thread((out / "records.json").write_bytes, b"{}")
    with pytest.raises(OrderRefused, match="no package of this order"):
        await production(kit).produce(number, "ada", out)
    assert (await orders(kit).read(number))[0].state == "open"


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from server.data.database.database import Database
from server.trust.legal_orders import law_orders, order_package, order_records
from server.data.privacy.disclosure_ledger import DisclosureLedger
from server.ops.config.settings import Objects
from tests.server.data.conftest import NOW, make_kit
from tests.server.trust.legal_orders.orders import production

def killed(of, name, after):
    real = getattr(of, name)
    def stop(*_, **__): os.kill(os.getpid(), signal.SIGKILL)
    if not after:
        setattr(of, name, stop)
    elif asyncio.iscoroutinefunction(real):
        async def then(*a, **b):
            await real(*a, **b); stop()
        setattr(of, name, then)
    else:
        def then(*a, **b):
            real(*a, **b); stop()
        setattr(of, name, then)

url, data, number, out, step = sys.argv[1:]
kit = make_kit(url, Path(data), Objects())
{
    "before the intent": lambda: killed(DisclosureLedger, "intent", False),
    "after the intent": lambda: killed(DisclosureLedger, "intent", True),
    "while records are opened": lambda: killed(order_records.OrderRecords, "_texts", False),
    "before the files": lambda: killed(order_package, "_readme", False),
    "before the folder appears": lambda: killed(Path, "rename", False),
    "after the folder appeared": lambda: killed(Path, "rename", True),
    "before the order is closed": lambda: killed(law_orders.LawOrders, "close_produced", False),
    "after the order is closed": lambda: killed(law_orders.LawOrders, "close_produced", True),
}[step]()
asyncio.run(production(kit).produce(number, "ada", Path(out)))
"""


async def killed(kit: Kit, out: Path, step: str) -> str:
    """Enter and approve an order, and kill its production at a step. Return the order's number."""
    await officers(kit, "ada", "bob")
    await stored(kit)
    number = await orders(kit).new(order(), "ada")
    await production(kit).produce(number, "ada", out)
    (waiting,) = await approvals(kit)[1].waiting(BOB)
    await approvals(kit)[1].confirm(waiting.id, BOB)
    command = (sys.executable, "-c", KILLED, kit.database.url, str(kit.data), number, str(out), step)
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, said = await process.communicate()
    assert process.returncode == -signal.SIGKILL, said.decode()
    while True:  # PostgreSQL releases the lock of a killed process once it has noticed
        try:
            async with kit.database.only_production():
                return number
        except Busy:
            await asyncio.sleep(0.02)


async def test_a_package_that_may_have_been_given_is_not_produced_into_another_folder(kit: Kit, out: Path) -> None:
    number = await killed(kit, out, "after the folder appeared")
    with pytest.raises(OrderRefused, match=f"complete in {out}"):
        await production(kit).produce(number, "ada", out.with_name("other"))
    assert await phases(kit) == ["intent"], "nothing says that it failed"
    assert (await production(kit).produce(number, "ada", out)).state == "done"
    assert await phases(kit) == ["intent", "done"]


async def test_what_an_interrupted_production_wrote_is_removed_by_one_into_another_folder(kit: Kit, out: Path) -> None:
    number = await killed(kit, out, "before the folder appears")
    assert folder(out.with_name(f"{out.name}.part")) != {}
    assert (await production(kit).produce(number, "ada", out.with_name("other"))).state == "done"
    assert folder(out.with_name(f"{out.name}.part")) == {}
    assert await phases(kit) == ["intent", "failed", "intent", "done"]


async def test_a_refusal_removes_what_an_interrupted_production_left_but_not_a_complete_package(
    kit: Kit, out: Path
) -> None:
    number = await killed(kit, out, "before the folder appears")
    assert folder(out.with_name(f"{out.name}.part")) != {}
    await orders(kit).refuse(number, "ada", "withdrawn", order_package.clear_interrupted)
    assert folder(out.with_name(f"{out.name}.part")) == {}
    assert (await phases(kit))[-1] == "refused"


async def test_an_order_whose_package_is_complete_is_not_refused(kit: Kit, out: Path) -> None:
    number = await killed(kit, out, "after the folder appeared")
    with pytest.raises(OrderRefused, match=f"complete in {out}"):
        await orders(kit).refuse(number, "ada", "withdrawn", order_package.clear_interrupted)
    assert (await phases(kit), len(folder(out))) == (["intent"], 3)


async def test_a_name_without_an_account_is_no_second_officer_where_officers_have_accounts(kit: Kit, out: Path) -> None:
    await stored(kit)
    number = await orders(kit).new(order(), "root")
    assert (await production(kit).produce(number, "root", out)).state == "waiting", "no officer has an account"
    await officers(kit, "ada")
    kit.now += DAY
    for name in ("root", "ann"):
        with pytest.raises(OrderRefused, match="no officer"):
            await production(kit).produce(number, name, out)
    assert (await production(kit).produce(number, "ada", out)).state == "waiting"
    assert folder(out) == {}


STEPS = {
    "before the intent": ("intent", "done"),
    **dict.fromkeys(
        ("after the intent", "while records are opened", "before the files", "before the folder appears"),
        ("intent", "failed", "intent", "done"),
    ),
    **dict.fromkeys(
        ("after the folder appeared", "before the order is closed", "after the order is closed"), ("intent", "done")
    ),
}


@pytest.mark.parametrize("step", STEPS)
async def test_a_production_that_was_killed_is_finished_by_the_next_call(kit: Kit, out: Path, step: str) -> None:
    number = await killed(kit, out, step)
    assert len(folder(out)) in (0, 3), "a complete folder or none"
    if step == "after the order is closed":
        assert (await orders(kit).read(number))[0].state == "produced"
    else:
        assert (await production(kit).produce(number, "ada", out)).state == "done"
    assert tuple(await phases(kit)) == STEPS[step]
    assert (await orders(kit).ledger.lines())[0]["count"] == 14
    assert "saved_texts" in orjson.loads(folder(out)["records.json"])["records"]
    walked = await orders(kit).ledger.verify()
    assert (walked.problems, walked.unfinished) == ((), ())

"""Test the closure of a service on both databases, with objects: all that no hold keeps is removed, keys go last, and a kill is made good."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import LargeBinary, select, update

from server.data.privacy import registry_history
from server.data.privacy.disclosure_ledger import Disclosure, DisclosureLedger
from server.data.privacy.registry_model import What
from server.data.retention.service_closure import HELD, RECORDS, REMOVED, WITH_HOLDS, ServiceClosure
from server.data.schema.data_request_schema import request
from server.data.schema.deletion_schema import deletion
from server.data.schema.incident_schema import incident
from server.data.schema.law_order_schema import law_order
from server.data.schema.moderation_schema import case
from server.data.schema.record_schema import metadata
from server.ops.security import secret_keys
from server.trust.legal_orders.order_kinds import A as ADDRESSES
from server.trust.moderators import emergency_reviews
from server.trust.moderators.roles import Action
from server.trust.rights.incidents import Incidents
from tests.server.data.conftest import NOW, Kit, address
from tests.server.trust.legal_orders.orders import approved, officers, order, orders
from tests.server.trust.rights.people import A, B, chat, held, told

pytestmark = pytest.mark.blocking  # reads the files of the data folder
DAY = 86_400
STRANGER = 44
FILLED = (  # tables in which the story of `told` has rows
    *("chat", "party", "log", "log_party", "case", "case_subject", "report", "ban", "appeal", "evidence"),
    *("request_text", "rights_key", "deletion_notice"),
)


@pytest.fixture(autouse=True, scope="module")
def _versions() -> None:
    """Read the registry's versions before a loop runs, as the server does at its start."""
    registry_history.history()


def closure(kit: Kit) -> ServiceClosure:
    return ServiceClosure(kit.database, kit.logs, kit.objects, kit.retention, lambda: kit.now)


async def lived(kit: Kit) -> None:
    """Store a whole story of three users, and answer everybody. Two disclosures of it were interrupted, which nothing can undo."""
    await told(kit)
    await kit.write(chat(5, STRANGER, B))
    for name in FILLED:
        assert await kit.count(f'"{name}"'), name
    async with kit.database.write() as connection:
        await connection.execute(update(request).values(state="fulfilled", reason="", answered=NOW, closed=NOW))


def of(kit: Kit, who: int) -> set[bytes]:
    """Return the keyed values under which rows of a user are stored."""
    keys = kit.pseudonyms
    place = address(who)
    return {
        *keys.live_identities(who), keys.kept_identity(who), keys.safety_identity(who), *keys.live_addresses(place),
        keys.kept_address_mac(place), keys.safety_network(place),
    }  # fmt: skip


async def places_of(kit: Kit, values: set[bytes]) -> set[str]:
    """Return the columns that hold one of these values."""
    found = set()
    async with kit.database.read() as connection:
        for table in metadata.sorted_tables:
            for column in table.columns:
                if isinstance(column.type, LargeBinary):
                    stored = (await connection.execute(select(column).where(column.in_(values)).limit(1))).first()
                    found |= {f"{table.name}.{column.name}"} if stored else set()
    return found


def test_every_table_is_kept_removed_or_held_by_name() -> None:
    named = [str(table.name) for table in (*RECORDS, *HELD, *WITH_HOLDS, *REMOVED)]
    assert sorted(named) == sorted(str(name) for name in metadata.tables)


async def test_a_closure_leaves_what_a_hold_keeps_and_the_next_one_takes_it_when_the_hold_ends(
    kit: Kit, tmp_path: Path
) -> None:
    await lived(kit)
    await officers(kit, "ada", "bob")
    number = await held(kit, A, secret=True)
    values, strangers = of(kit, A), of(kit, STRANGER)
    assert await places_of(kit, strangers) == {"party.identity", "party.address_mac"}
    assert await closure(kit).obligations() == []
    done = await closure(kit).run()
    assert done.problems == ()
    assert [(one.number, one.until) for one in done.holds] == [(number, NOW + 90 * DAY)]
    assert (done.whole, done.removed["party"] > 0, done.removed["chat"] > 0) == (False, True, True)
    assert await places_of(kit, strangers) == set()
    assert {"held_party.identity", "log_party.identity", "case_subject.identity"} <= await places_of(kit, values)
    for name in ("chat", "party", "request_text", "rights_key", "law_notice", "doomed"):
        assert await kit.count(f'"{name}"') == 0, name
    assert set(done.objects) >= {"logs"}, "the log that the hold keeps"

    epochs = await closure(kit).destroy_epoch_keys()
    assert epochs
    assert kit.pseudonyms.epochs.epochs() == []
    entered = await orders(kit).new(order(), "ada")
    found = await approved(kit, entered, tmp_path / "answer")
    assert ADDRESSES in found.categories
    assert address(A) in (tmp_path / "answer" / "records.json").read_text(), "what is held can still be produced"

    kit.now = NOW + 91 * DAY
    again = await closure(kit).run()
    assert (again.problems, again.whole, again.holds, again.objects) == ((), True, (), {})
    assert set(again.left) <= {str(table.name) for table in RECORDS}
    assert {"disclosure", "audit", "law_order", "request"} <= set(again.left)
    assert await places_of(kit, values) <= {"audit.subject", "disclosure_subject.who"}, "keyed for those tables alone"
    gone = secret_keys.destroy(kit.data)
    assert {"secret", "keys/kept.key", "keys/identity.key", "keys/receipt.key"} <= set(gone)
    assert gone[-1] == "secret"
    assert list((kit.data / "keys").iterdir()) == []
    assert secret_keys.destroy(kit.data) == []
    assert (await DisclosureLedger(kit.database).verify()).problems == ()


async def test_nothing_of_a_closed_service_stays_in_the_bytes_of_its_folder(kit: Kit) -> None:
    """Rows that were deleted are overwritten: the database is rewritten, and PostgreSQL's dump has none of them."""
    await lived(kit)
    values = of(kit, A) | of(kit, B) | of(kit, STRANGER)
    done = await closure(kit).run()
    assert (done.problems, done.whole, done.objects) == ((), True, {})
    assert await places_of(kit, values) == set()
    await kit.database.close()
    files = [file for file in kit.data.rglob("*") if file.is_file() and file.parent.name != "keys"]
    body = b"".join(file.read_bytes() for file in files)
    assert not any(value in body for value in values)


async def test_a_closure_that_was_interrupted_is_finished_by_the_next(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lived(kit)
    for step in ("_saved_logs", "_cases", "_remove_objects", "_prove"):
        with monkeypatch.context() as patch:

            async def killed(*_: object) -> None:
                raise KeyboardInterrupt

            patch.setattr(ServiceClosure, step, killed)
            with pytest.raises(KeyboardInterrupt):
                await closure(kit).run()
    done = await closure(kit).run()
    assert (done.problems, done.whole, done.objects) == ((), True, {})


async def test_somebody_who_waits_for_an_answer_is_named(kit: Kit) -> None:
    await told(kit)
    async with kit.database.write() as connection:
        await connection.execute(update(deletion).values(done=None))
        await connection.execute(update(case).where(case.c.state == "open").values(child=NOW))
        await emergency_reviews.begin(connection, Action.REVEAL, bytes(16), "ada", NOW)
    await orders(kit).new(order(), "ada")
    sold = Disclosure(What.TRANSFER, "New Operator AS", "transfer of the service", (ADDRESSES,))
    await DisclosureLedger(kit.database, lambda: NOW).intent(sold)
    await Incidents(kit.database, lambda: NOW).new("ada", NOW, "Datatilsynet", [], 0, "A disk was lost")
    found = " ".join(await closure(kit).obligations())
    for what in ("requests", "deletions", "orders", "incidents", "emergencies", "abuse of a child", "handover end 3"):
        assert what in found, what
    before = {name: await kit.count(f'"{name}"') for name in ("party", "log", "case")}
    seen = await closure(kit).outlook()
    assert {name: seen.left[name] for name in before} == before
    assert {name: await kit.count(f'"{name}"') for name in before} == before, "looking changes nothing"
    async with kit.database.read() as connection:
        assert (await connection.execute(select(law_order.c.state))).scalar() == "open"
        assert (await connection.execute(select(incident.c.closed))).scalar() is None

"""Test the notices of a deletion over both databases, to real web servers: one that is down, one that refuses, one that answers twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import select, update

from server.data.privacy.disclosure_ledger import DisclosureLedger, Phase
from server.data.retention.deletion_notices import DeletionNotices
from server.data.retention.requested_deletion import RequestedDeletions
from server.data.schema.deletion_schema import deletion_notice
from server.ops.config.settings import Settings
from server.trust.rights import recipient_webhook
from server.trust.rights.recipient_notices import DAY, LEASE, LIFE, RecipientNotices, notice_id, wait_after
from tests.server.data.conftest import NOW, Kit, address, ended
from tests.server.site.college.conftest import Box, box
from tests.server.trust.rights.people import known
from tests.server.trust.rights.test_deletion import rights

__all__ = ["box"]
ME = 11
SECRET = "a key that both know"


class Hook:
    """A recipient's web server, which answers with `status`, or closes the connection after it took a notice if that is 0.

    `meanwhile`: what happens before its next answer.
    """

    def __init__(self) -> None:
        self.status = 204
        self.meanwhile: Callable[[], Awaitable[None]] | None = None
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.port = 0
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/hook", self._take)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _take(self, request: web.Request) -> web.Response:
        self.got.append((dict(request.headers), await request.read()))
        if self.meanwhile is not None:
            happens, self.meanwhile = self.meanwhile, None
            await happens()
        if not self.status:
            assert request.transport is not None
            request.transport.abort()
        return web.Response(status=self.status or 204, headers={"Location": f"http://127.0.0.1:{self.port}/hook"})

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.got]


@pytest.fixture
async def hooks() -> AsyncIterator[dict[str, Hook]]:
    found = {name: Hook() for name in ("down", "refuses", "twice")}
    for one in found.values():
        await one.start()
    yield found
    for one in found.values():
        await one.stop()


def settings(hooks: dict[str, Hook], box: Box | None = None, **more: Any) -> Settings:
    kinds = {"down": "cdn", "refuses": "turn", "twice": "captcha"}
    told = [
        {
            "name": name, "kind": kinds[name], "deletes": "webhook", "secret": SECRET, "private": True,
            "contact": f"http://127.0.0.1:{one.port}/hook",
        }
        for name, one in hooks.items()
    ]  # fmt: skip
    others = [
        {"name": "mailed", "kind": "hosting", "deletes": "mail", "contact": "privacy@hoster.example"},
        {"name": "ours", "kind": "objects", "deletes": "by_us"},
        {"name": "bound", "kind": "backup", "deletes": "contract", "days": 30},
        {
            "name": "blind",
            "kind": "translation",
            "deletes": "webhook",
            "contact": "https://t.example/",
            "secret": SECRET,
        },
        {"name": "unsigned", "kind": "turn", "deletes": "webhook", "contact": "https://u.example/"},
    ]
    mail = {"host": "127.0.0.1", "port": box.port, "security": "none"} if box else {}
    return Settings.model_validate({"recipients": [*told, *others], "mail": mail} | more)


async def deleted(kit: Kit, chosen: Settings) -> str:
    """Let me chat and have my data deleted; return the deletion's number."""
    await kit.write(ended(1), ended(2))
    asked = await rights(kit, recipients=chosen.recipients).ask(ME, int(kit.now))
    kit.now += 73 * 3600
    await kit.purge(notices=DeletionNotices(kit.pseudonyms, chosen)).run()
    return asked.number


def told(kit: Kit, chosen: Settings) -> RecipientNotices:
    """The notices, as a process has them."""
    return RecipientNotices(kit.database, kit.pseudonyms, chosen, clock=lambda: kit.now)


async def states(kit: Kit) -> dict[str, str]:
    async with kit.database.read() as connection:
        rows = (await connection.execute(select(deletion_notice))).all()
    return {row.recipient: row.state for row in rows}


async def ledger(kit: Kit) -> list[tuple[str, str]]:
    """Return recipient and phase of the ledger's disclosures, newest first."""
    lines = await DisclosureLedger(kit.database).lines()
    return [(row["recipient"], row["phase"]) for row in lines if row["phase"] != Phase.MARK]


async def test_each_recipient_is_told_in_its_way_until_it_took_the_notice(
    kit: Kit, hooks: dict[str, Hook], box: Box
) -> None:
    chosen = settings(hooks, box)
    down, refuses, twice = hooks.values()
    await down.stop()
    refuses.status, twice.status = 403, 0
    number = await deleted(kit, chosen)
    notices = told(kit, chosen)
    await notices.look()
    same = {"mailed": "told", "ours": "by_us", "bound": "contract", "blind": "nothing", "unsigned": "untold"}
    assert await states(kit) == same | {"down": "waiting", "refuses": "refused", "twice": "waiting"}
    assert notices.reading() == {"serendip_deletion_notices": {("waiting",): 2, ("refused",): 1, ("failed",): 0}}
    assert address(ME) in box.of("privacy@hoster.example")
    kit.now += 61
    twice.status = 200
    await notices.look()
    assert twice.ids == [notice_id(number, "twice")] * 2, "the same notice, once more: its answer was lost"
    body = json.loads(twice.got[1][1])
    assert [one["address"] for one in body["addresses"]] == [address(ME)]
    assert set(body) == {"type", "id", "removed", "addresses"}
    headers, sent = twice.got[1]
    at = int(headers["webhook-timestamp"])
    assert headers["webhook-signature"] == recipient_webhook.signature(SECRET, notice_id(number, "twice"), at, sent)
    began = kit.now
    while kit.now < began + 3 * DAY:
        kit.now += 3600
        await notices.look()
    assert (await states(kit))["down"] == "waiting"
    assert 5 <= len(refuses.got) <= 10, "ever more seldom"
    await down.start()
    kit.now += DAY
    await notices.look()
    assert (await states(kit))["down"] == "told"
    refuses.status = 301
    kit.now = began + LIFE
    await notices.look()
    assert await states(kit) == same | {"down": "told", "refuses": "failed", "twice": "told"}
    assert notices.reading()["serendip_deletion_notices"][("failed",)] == 1  # type: ignore[index]
    async with kit.database.read() as connection:
        kept = (await connection.execute(select(deletion_notice.c.known, deletion_notice.c.next))).all()
    assert {tuple(row) for row in kept} == {(None, None)}, "a notice that ended holds no address"
    lines = await ledger(kit)
    assert sorted(lines) == sorted(
        (name, phase) for name in ("down", "mailed", "refuses", "twice") for phase in ("intent", "done")
    ), "who refused the notice has read it"
    assert not (await DisclosureLedger(kit.database).verify()).problems


async def test_who_could_never_be_reached_was_given_nothing(kit: Kit, hooks: dict[str, Hook]) -> None:
    chosen = settings({"down": hooks["down"]})
    await hooks["down"].stop()
    await deleted(kit, chosen)
    for later in (0, LIFE):
        kit.now += later
        await told(kit, chosen).look()
    lines = await ledger(kit)
    assert lines == [("down", "failed"), ("down", "intent")]


async def test_the_person_reads_each_recipient_by_name_before_and_after(kit: Kit, hooks: dict[str, Hook]) -> None:
    chosen = settings(hooks)
    await kit.write(ended(1))
    mine = rights(kit, recipients=chosen.recipients)
    planned = {one.recipient: one.state for one in (await mine.ask(ME, NOW)).recipients}
    assert (planned["down"], planned["ours"], planned["mailed"]) == ("waiting", "by_us", "untold")
    assert planned["blind"] == "nothing"
    kit.now += 73 * 3600
    await kit.purge(notices=DeletionNotices(kit.pseudonyms, chosen)).run()
    await told(kit, chosen).look()
    state = await mine.state(ME, int(kit.now))
    assert state is not None
    assert {one.recipient: one.state for one in state.recipients}["twice"] == "told"
    parts = (await known(kit).know(ME, int(kit.now)))["parts"]
    assert {row["recipient"]: row["state"] for row in parts["deletion_notices"]}["refuses"] == "told"
    assert {(row["recipient"], row["kind"], row["state"]) for row in parts["disclosures"]} == {
        (name, "told", "done") for name in hooks
    }
    assert not (await DisclosureLedger(kit.database).verify()).problems


async def test_several_hosts_make_a_try_once_and_a_killed_one_is_made_again(kit: Kit, hooks: dict[str, Hook]) -> None:
    chosen = settings(hooks)
    await deleted(kit, chosen)
    await asyncio.gather(*(told(kit, chosen).look() for _ in range(3)))
    assert [len(one.got) for one in hooks.values()] == [1, 1, 1]
    killed = {"state": "waiting", "next": int(kit.now) + LEASE, "tries": 1}  # claimed, sent, and nothing written
    async with kit.database.write() as connection:
        row = (await connection.execute(select(deletion_notice).where(deletion_notice.c.recipient == "twice"))).one()
        known = kit.pseudonyms.seal_text(b"deletion.address", json.dumps([[address(ME), NOW, NOW]]))
        await connection.execute(
            update(deletion_notice).where(deletion_notice.c.recipient == "twice").values(killed | {"known": known})
        )
    await told(kit, chosen).look()
    assert len(hooks["twice"].got) == 1
    kit.now += LEASE
    await told(kit, chosen).look()
    assert hooks["twice"].ids == [notice_id(row.number, "twice")] * 2
    assert (await states(kit))["twice"] == "told"
    assert not (await DisclosureLedger(kit.database).verify()).problems, "the ledger has one outcome"


async def test_who_answers_after_the_lease_does_not_undo_what_another_host_wrote(
    kit: Kit, hooks: dict[str, Hook]
) -> None:
    hook = hooks["down"]
    chosen = settings({"down": hook})
    await deleted(kit, chosen)

    async def another() -> None:
        kit.now += LEASE
        await told(kit, chosen).look()
        hook.status = 503

    hook.meanwhile = another
    await told(kit, chosen).look()
    assert (len(hook.got), (await states(kit))["down"]) == (2, "told")
    kit.now += DAY
    await told(kit, chosen).look()
    assert len(hook.got) == 2


async def test_a_notice_that_no_key_opens_any_more_has_its_outcome_in_the_ledger(
    kit: Kit, hooks: dict[str, Hook]
) -> None:
    chosen = settings({"down": hooks["down"]})
    await hooks["down"].stop()
    await deleted(kit, chosen)
    await told(kit, chosen).look()
    async with kit.database.write() as connection:
        gone = update(deletion_notice).where(deletion_notice.c.known.is_not(None)).values(known=b"\x09" + bytes(60))
        await connection.execute(gone)
    kit.now += 61
    await told(kit, chosen).look()
    assert (await states(kit))["down"] == "failed"
    assert await ledger(kit) == [("down", "failed"), ("down", "intent")]


async def test_a_deletion_that_is_due_at_a_restore_is_left_to_the_purge_which_has_the_recipients_told(
    kit: Kit, hooks: dict[str, Hook]
) -> None:
    chosen = settings({"down": hooks["down"]})
    await kit.write(ended(1))
    await rights(kit, recipients=chosen.recipients).ask(ME, int(kit.now))
    kit.now += 73 * 3600
    await kit.objects.put(f"erasures/{int(kit.now) // DAY}/{bytes(17).hex()}", b"")  # of somebody else
    await RequestedDeletions(kit.database, kit.logs, kit.objects, clock=lambda: kit.now).replay()
    await kit.purge(notices=DeletionNotices(kit.pseudonyms, chosen)).run()
    await told(kit, chosen).look()
    assert (await states(kit))["down"] == "told"


def test_waits_grow_from_a_minute_to_a_day() -> None:
    assert [wait_after(tries) for tries in (1, 2, 3, 7, 30_000)] == [60, 240, 960, DAY, DAY]

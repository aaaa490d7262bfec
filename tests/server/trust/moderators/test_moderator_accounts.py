"""Test accounts: invited, enrolled, changed, closed; one that can invite always remains."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from server.data.privacy import audit_log
from server.data.store.store_runner import Parts
from server.main.checks.check_finding import Level
from server.main.checks.external_service_checks import moderator
from server.ops.config.moderation_policy import WAITING
from server.ops.config.settings import Settings
from server.ops.security.url_token_generator import encode
from server.trust.moderators.moderator_accounts import Refused, unread_queues
from server.trust.moderators.passkeys import Credential
from tests.server.trust.console.conftest import Console, link_of


async def test_an_account_is_made_by_its_invitation_and_opened_by_its_passkey(console: Console) -> None:
    link = link_of(await console.accounts.invite("ada", ["admin", "lead"], "root"))
    invited = await console.accounts.invited(link)
    assert invited is not None
    assert (invited.name, invited.roles, invited.passkeys) == ("ada", ("lead", "admin"), 0)
    assert await console.accounts.enrol(link, Credential(b"key", b"data", 0))
    found = await console.accounts.key(b"key")
    assert found is not None
    assert (found[0].name, found[0].passkeys, found[1].data) == ("ada", 1, b"data")
    assert await console.accounts.invited(link) is None
    assert not await console.accounts.enrol(link, Credential(b"other", b"data", 0))


@pytest.mark.parametrize("link", ["", "x", "A" * 22])
async def test_a_guessed_link_opens_nothing(console: Console, link: str) -> None:
    await console.accounts.invite("ada", ["admin"], "root")
    assert await console.accounts.invited(link) is None
    assert not await console.accounts.enrol(link, Credential(b"key", b"data", 0))


async def test_the_store_has_no_link(console: Console) -> None:
    link = link_of(await console.accounts.invite("ada", ["admin"], "root"))
    async with console.kit.database.read() as connection:
        kept = (await connection.exec_driver_sql("SELECT invite FROM operator")).scalar_one()
    assert encode(bytes(kept)) != link
    assert await console.accounts.invited(encode(bytes(kept))) is None


async def test_a_newer_link_ends_the_older(console: Console) -> None:
    older = link_of(await console.accounts.invite("ada", ["admin"], "root"))
    newer = link_of(await console.accounts.invite("ada", [], "root"))
    assert await console.accounts.invited(older) is None
    assert await console.accounts.invited(newer) is not None


@pytest.mark.parametrize(
    ("name", "roles", "why"),
    [
        ("", ["admin"], "A name has"),
        ("Ada", ["admin"], "A name has"),
        ("a b", ["admin"], "A name has"),
        ("a" * 33, ["admin"], "A name has"),
        ("ada\n", ["admin"], "A name has"),
        ("ada", [], "one role or more"),
        ("ada", ["boss"], "the roles are"),
    ],
)
async def test_what_is_no_account_is_refused(console: Console, name: str, roles: list[str], why: str) -> None:
    with pytest.raises(Refused, match=why):
        await console.accounts.invite(name, roles, "root")
    assert await console.accounts.listed() == []


async def test_an_invitation_changes_no_roles(console: Console) -> None:
    await console.enrolled("ada", "moderator")
    with pytest.raises(Refused, match="change them first"):
        await console.accounts.invite("ada", ["admin"], "root")


async def test_the_last_admin_stays(console: Console) -> None:
    await console.enrolled("ada", "admin")
    await console.accounts.invite("bob", ["admin"], "root")  # without a passkey that is nobody yet
    for deed in (console.accounts.close("ada", "root"), console.accounts.change("ada", ["lead"], "root")):
        with pytest.raises(Refused, match="last admin"):
            await deed
    await console.enrolled("cy", "admin")
    await console.accounts.close("ada", "root")
    assert [account.name for account in await console.accounts.listed()] == ["bob", "cy"]


async def test_nobody_changes_their_own_roles(console: Console) -> None:
    await console.enrolled("ada", "admin")
    with pytest.raises(Refused, match="their own"):
        await console.accounts.change("ada", ["admin", "officer"], "ada")


async def test_what_is_closed_is_gone(console: Console) -> None:
    await console.enrolled("ada", "moderator")
    await console.again("ada")
    await console.accounts.close("ada", "root")
    for table in ("operator", "passkey", "console_session"):
        assert await console.kit.count(table) == 0
    for deed in (console.accounts.close("ada", "root"), console.accounts.change("ada", ["lead"], "root")):
        with pytest.raises(Refused, match="no such account"):
            await deed


async def test_a_queue_has_a_reader_once_an_account_with_a_passkey_may_open_it(console: Console) -> None:
    await console.enrolled("ada", "admin")
    await console.accounts.invite("bob", ["moderator"], "ada")
    assert await unread_queues(console.kit.database) == WAITING
    await console.enrolled("bob", "moderator")
    assert await unread_queues(console.kit.database) == {"urgent", "appeals", "notices"}
    await console.enrolled("cy", "child", "lead")
    assert await unread_queues(console.kit.database) == frozenset()
    await console.accounts.close("cy", "ada")
    assert await unread_queues(console.kit.database) == {"urgent", "appeals", "notices"}


async def test_the_check_names_the_queues_that_no_account_opens(console: Console) -> None:
    async def check() -> list[tuple[Level, str]]:
        parts = cast(Parts, SimpleNamespace(database=console.kit.database))
        return [(one.level, one.said) for one in await moderator(Settings(), parts)]

    await console.enrolled("bob", "moderator")
    ((level, said),) = await check()
    assert level == Level.WARNING
    assert said.startswith("no account with a passkey opens: appeals, notices, urgent; ")
    await console.enrolled("cy", "child", "lead")
    assert await check() == [(Level.OK, "each queue has an account that reads it")]


async def test_a_counter_is_counted_on_by_one_request_alone(console: Console) -> None:
    link = link_of(await console.accounts.invite("ada", ["admin"], "root"))
    first = Credential(b"key", b"data", 3)
    await console.accounts.enrol(link, first)
    assert await console.accounts.count(first, 4)
    assert not await console.accounts.count(first, 5), "it was counted on meanwhile"


async def test_each_change_is_a_row_of_the_trail(console: Console) -> None:
    await console.enrolled("ada", "moderator")
    await console.accounts.change("ada", ["lead"], "root")
    await console.accounts.close("ada", "root")
    rows = [(row.operator, row.action, row.outcome) for row in await audit_log.recent_entries(console.kit.database, 0)]
    assert rows == [
        ("root", "console close", "ada"),
        ("root", "console roles", "ada lead"),
        ("ada", "console enrol", "a passkey by invitation"),
        ("test", "console invite", "ada moderator"),
    ]

"""Test the tokens of moderators' programs: shown once, hashed, bounded, and ended with what they stand on."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from server.data.schema.console_schema import api_token
from server.data.schema.record_schema import audit
from server.trust.moderators.api_tokens import BEGIN, DAY, MOST, NAME_MOST, ApiTokens, Scope
from server.trust.moderators.moderator_accounts import Accounts, Refused
from server.trust.moderators.passkeys import Credential
from tests.server.data.conftest import Kit


def tokens(kit: Kit) -> ApiTokens:
    """Return the tokens at the test's time."""
    return ApiTokens(kit.database, kit.pseudonyms, lambda: kit.now)


async def account(kit: Kit, name: str = "ada", *roles: str) -> Accounts:
    """Make an account."""
    accounts = Accounts(kit.database, kit.pseudonyms, lambda: kit.now)
    await accounts.invite(name, roles or ("moderator",), "test")
    return accounts


async def test_the_store_has_a_hash_alone_and_the_audit_log_who_made_and_revoked(kit: Kit) -> None:
    await account(kit)
    made = await tokens(kit).make("ada", " my  bot ", ["stream", "read"], 30)
    assert made.startswith(BEGIN)
    async with kit.database.read() as connection:
        (row,) = (await connection.execute(select(api_token))).all()
    assert made not in repr(row)
    assert made.removeprefix(BEGIN) not in repr(row)
    (listed,) = await tokens(kit).listed("ada")
    assert (listed.name, listed.scopes, listed.used) == ("my bot", {Scope.READ, Scope.STREAM}, None)
    assert listed.until == kit.now + 30 * DAY
    assert not await tokens(kit).revoke("bob", listed.id), "only its owner revokes it"
    assert await tokens(kit).find(made) is not None
    assert await tokens(kit).revoke("ada", listed.id)
    assert await tokens(kit).find(made) is None
    async with kit.database.read() as connection:
        lines = (await connection.execute(select(audit.c.operator, audit.c.action, audit.c.outcome))).all()
    assert [tuple(line) for line in lines if line.action == "console token"] == [
        ("ada", "console token", "made: my bot, read,stream, 30 days"), ("ada", "console token", "revoked: my bot"),
    ]  # fmt: skip


async def test_a_token_has_the_roles_of_its_account_now_and_no_fresh_passkey(kit: Kit) -> None:
    accounts = await account(kit)
    made = await tokens(kit).make("ada", "bot", ["act"], 7)
    await accounts.change("ada", ["lead"], "test")
    found = await tokens(kit).find(made)
    assert found is not None
    assert (found.operator.name, found.operator.roles, found.operator.proved) == ("ada", {"lead"}, 0.0)
    assert found.why == "by a program: bot"


@pytest.mark.parametrize("end", ["time", "account", "passkey"])
async def test_it_ends_by_time_with_its_account_and_with_a_new_passkey(kit: Kit, end: str) -> None:
    accounts = await account(kit)
    made = await tokens(kit).make("ada", "bot", ["read"], 7)
    if end == "time":
        kit.now += 7 * DAY - 1
        assert await tokens(kit).find(made) is not None
        kit.now += 1
    elif end == "account":
        await accounts.close("ada", "test")
        await account(kit)
    else:
        link = await accounts.invite("ada", [], "test")
        assert await accounts.enrol(link.rpartition("/")[2], Credential(b"id", b"data", 0))
    assert await tokens(kit).find(made) is None
    await tokens(kit).forget()
    assert await kit.count("api_token") == 0


async def test_what_is_no_token_is_refused_and_their_number_is_bounded(kit: Kit) -> None:
    with pytest.raises(Refused):
        await tokens(kit).make("ada", "bot", ["read"], 7)  # no account
    await account(kit)
    for name, scopes, days in (
        ("", ["read"], 7), ("x" * (NAME_MOST + 1), ["read"], 7), ("x", [], 7), ("x", ["read", "all"], 7), ("x", ["read"], 8),
    ):  # fmt: skip
        with pytest.raises(Refused):
            await tokens(kit).make("ada", name, scopes, days)
    for number in range(MOST):
        await tokens(kit).make("ada", str(number), ["read"], 7)
    with pytest.raises(Refused):
        await tokens(kit).make("ada", "more", ["read"], 7)
    for text in ("", "x", BEGIN, BEGIN + "A" * 22, "A" * 22):
        assert await tokens(kit).find(text) is None
    assert not await tokens(kit).revoke("ada", "zz")

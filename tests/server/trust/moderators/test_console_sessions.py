"""Test that sessions end by time, by signing out, and with the account; the store has no secret that opens one."""

from __future__ import annotations

from sqlalchemy import select

from server.data.schema.console_schema import console_session
from server.ops.security.url_token_generator import encode
from server.trust.moderators.console_sessions import IDLE, LONGEST
from tests.server.trust.console.conftest import Console, Person


async def test_a_session_ends_after_half_an_hour_without_a_request(console: Console) -> None:
    ada = await console.person("ada", "admin")
    for _ in range(3):
        console.kit.now += IDLE - 61
        assert await console.sessions.find(ada.cookie) is not None
    console.kit.now += IDLE
    assert await console.sessions.find(ada.cookie) is None
    assert (await ada.get("/accounts")).status == 303


async def test_a_session_ends_after_twelve_hours_however_busy(console: Console) -> None:
    ada = await console.person("ada", "admin")
    for _ in range(LONGEST // 1200 - 1):
        console.kit.now += 1200
        assert await console.sessions.find(ada.cookie) is not None
    console.kit.now += 1200
    assert await console.sessions.find(ada.cookie) is None


async def test_closing_an_account_ends_its_sessions_at_once(console: Console) -> None:
    await console.person("root", "admin")
    ada = await console.person("ada", "admin")
    await console.accounts.close("ada", "root")
    assert (await ada.get("/accounts")).status == 303
    assert await console.sessions.find(ada.cookie) is None


async def test_new_roles_hold_from_the_next_request_on(console: Console) -> None:
    await console.person("root", "admin")
    ada = await console.person("ada", "admin")
    await console.accounts.change("ada", ["moderator"], "root")
    assert (await ada.get("/accounts")).status == 404


async def test_the_store_has_no_cookie(console: Console) -> None:
    ada = await console.person("ada", "admin")
    async with console.kit.database.read() as connection:
        ids = (await connection.execute(select(console_session.c.id))).scalars().all()
    for ident in ids:
        assert encode(ident) != ada.cookie
        assert await console.sessions.find(encode(ident)) is None


async def test_what_is_no_cookie_of_ours_opens_nothing(console: Console) -> None:
    for cookie in ("", "x", "a" * 22, "é" * 22, "A" * 10_000):
        assert await console.sessions.find(cookie) is None
        assert (await Person(console, cookie.encode("ascii", "replace").decode()[:4000]).get("/accounts")).status == 303


async def test_rows_of_sessions_that_have_ended_go(console: Console) -> None:
    await console.person("ada", "admin")
    bob = await console.person("bob", "admin")
    console.kit.now += IDLE - 1
    assert await console.sessions.find(bob.cookie) is not None
    console.kit.now += 1
    await console.sessions.forget()
    async with console.kit.database.read() as connection:
        names = (await connection.execute(select(console_session.c.operator))).scalars().all()
    assert names == ["bob"]

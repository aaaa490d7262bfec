"""Deeds and their requests together, over both databases; the clock is the test's."""

import asyncio
from pathlib import Path

import pytest

from server.config.settings import Settings
from server.rights import machine
from server.rights.deletion import Deletion
from server.rights.interface import Used
from server.rights.machine import DAY
from server.rights.proof import AGENT, WHOLE, Proved
from server.rights.receipt import Receipts
from server.rights.requests import Asked
from server.rights.service import Rights
from server.security import keys
from server.store.service import Parts
from tests.server.rights.people import known
from tests.server.store.conftest import NOW, Kit, ended

ME = 11
MYSELF = Proved(ME, 3, WHOLE)


@pytest.fixture
def rights(kit: Kit) -> Rights:
    return made(kit, kit.data)


def made(kit: Kit, data: Path) -> Rights:
    """As a start makes it, over the same store."""
    parts = Parts(kit.database, kit.objects, kit.pseudonyms, kit.logs, None)  # type: ignore[arg-type]
    secret = keys.load(data)
    deletion = Deletion(parts, Settings(data=data), Receipts(secret.lasting[keys.Purpose.RECEIPT]), lambda: "2.3")
    return Rights(parts, secret, known(kit), deletion, kit.tasks, clock=lambda: kit.now)


async def test_a_deletion_is_one_request_from_its_beginning_to_its_end(kit: Kit, rights: Rights) -> None:
    await kit.write(ended())
    begun = await asyncio.gather(*(rights.erase(MYSELF, "page", records=True, logs=True) for _ in range(3)))
    (number,) = {one.number for one in begun}
    assert [one[:2] for one in await rights.open_of(ME)] == [(number, "delete")]
    kit.now += 3 * DAY + 1
    await kit.purge().run()
    await rights.look()
    found = await rights.find(number, "", ME)
    assert found is not None
    assert found.standing.state == machine.FULFILLED
    assert rights.reading() == {"serendip_requests": {(state,): int(state == "fulfilled") for state in machine.STATES}}


async def test_a_deletion_that_was_killed_behind_its_request_is_begun_by_the_next_word(
    kit: Kit, rights: Rights
) -> None:
    await kit.write(ended())
    left = await rights.requests.open(Asked("delete", "page", 3, ME), int(kit.now))
    assert await rights.deletion.state(ME, int(kit.now)) is None
    deleting = await rights.erase(MYSELF, "page", records=True, logs=True)
    assert [one[:2] for one in await rights.open_of(ME)] == [(deleting.number, "delete")]
    assert deleting.number == left


async def test_what_is_taken_back_is_shown_again_and_its_request_says_so(kit: Kit, rights: Rights) -> None:
    await kit.write(ended())
    deleting = await rights.erase(MYSELF, "page", records=True, logs=True)
    assert (await rights.know(MYSELF, "page"))[1]["counts"]["chats"] == 0
    assert await rights.cancel(ME)
    assert not await rights.cancel(ME)
    assert (await rights.know(MYSELF, "page"))[1]["counts"]["chats"] == 1
    found = await rights.find(deleting.number, "", ME)
    assert found is not None
    assert found.standing.state == machine.REVOKED


async def test_the_nearest_day_of_an_answer_is_a_number(kit: Kit, rights: Rights) -> None:
    await rights.object(ME, "my situation")
    await rights.ticket("other", "words", "")
    kit.now += DAY
    await rights.look()
    assert rights.reading()["serendip_request_due_seconds"] == 29 * DAY
    assert rights.reading()["serendip_requests"] == {  # type: ignore[comparison-overlap]
        ("open",): 1, ("in_progress",): 1, ("fulfilled",): 0, ("denied",): 0, ("revoked",): 0, ("expired",): 0,
    }  # fmt: skip


async def test_keys_open_after_rotations_and_a_start_between_any_two_steps(kit: Kit, rights: Rights) -> None:
    await kit.write(ended())
    key = await rights.key(ME, revoke=False)
    for step in ("know", "erase", "cancel", "erase"):
        await asyncio.to_thread(keys.rotate, kit.data)
        rights = await asyncio.to_thread(made, kit, kit.data)
        proved = await rights.prove(key)
        assert proved == MYSELF
        if step == "know":
            assert (await rights.know(proved, "page"))[1]["counts"]["chats"] == 1
        elif step == "erase":
            await rights.erase(proved, "page", records=True, logs=True)
        else:
            assert await rights.cancel(proved.identity)
    assert await rights.deletion.state(ME, int(kit.now)) is not None


async def test_a_code_that_two_use_at_once_answers_one(kit: Kit, rights: Rights) -> None:
    code = rights.code(ME, AGENT)
    proved = await rights.prove(code)
    assert proved is not None
    told = await asyncio.gather(*(rights.know(proved, "agent") for _ in range(2)), return_exceptions=True)
    assert sorted(type(one) for one in told if isinstance(one, BaseException)) == [Used]


async def test_an_export_notes_its_request_once_its_first_bytes_are_there(kit: Kit, rights: Rights) -> None:
    await kit.write(ended(now=NOW))
    body = b"".join([piece async for piece in await rights.export(MYSELF, "page")])
    assert body.startswith(b"PK")
    (found,) = await rights.requests.listed(every=True)
    assert (found.kind, found.standing.state) == ("export", machine.FULFILLED)

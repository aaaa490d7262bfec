"""Test acts and their requests together, over both databases; the clock is the test's."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import select

from server.data.schema.deletion_schema import deletion
from server.data.schema.record_schema import hold, party
from server.data.store.store_runner import Parts
from server.ops.config.settings import Settings
from server.ops.security import secret_keys
from server.ops.security.url_token_generator import draw, encode
from server.trust.data_requests import request_states
from server.trust.data_requests.identity_proof import AGENT, WHOLE, Proof
from server.trust.data_requests.request_states import DAY
from server.trust.data_requests.request_store import NewRequest
from server.trust.data_requests.rights_ports import Used
from server.trust.rights.deletion import Deletion
from server.trust.rights.deletion_receipt import Receipts
from server.trust.rights.recipient_notices import RecipientNotices
from server.trust.rights.service import Rights
from tests.server.data.conftest import NOW, Kit, ended
from tests.server.trust.rights.people import known

ME = 11
MYSELF = Proof(ME, 3, WHOLE)


@pytest.fixture
def rights(kit: Kit) -> Rights:
    return made(kit, kit.data)


def made(kit: Kit, data: Path) -> Rights:
    """As a start makes it, over the same store."""
    parts = Parts(kit.database, kit.objects, kit.pseudonyms, kit.logs, None)  # type: ignore[arg-type]
    secret = secret_keys.load(data)
    deletion = Deletion(
        parts, Settings(data=data), Receipts(secret.lasting[secret_keys.Purpose.RECEIPT]), lambda: "2.3"
    )
    notices = RecipientNotices(kit.database, kit.pseudonyms, Settings(data=data))
    return Rights(parts, secret, known(kit), deletion, kit.tasks, notices, clock=lambda: kit.now)


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
    assert found.standing.state == request_states.FULFILLED
    assert rights.reading() == {
        "serendip_requests": {(state,): int(state == "fulfilled") for state in request_states.STATES},
        "serendip_orders": {(state,): 0 for state in ("open", "held", "produced", "refused")},
        "serendip_order_gags_ended": 0,
        "serendip_deletion_notices": {(state,): 0 for state in ("waiting", "refused", "failed")},
        "serendip_emergency_reviews": {(state,): 0 for state in ("waiting", "lawful", "unlawful")},
    }


async def shown(kit: Kit) -> int:
    """How many chats of mine an answer has."""
    found: int = (await known(kit).know(ME, int(kit.now)))["counts"]["chats"]
    return found


async def held(kit: Kit) -> list[int | None]:
    """The holds that I placed, by when they were released."""
    async with kit.database.read() as connection:
        return list((await connection.execute(select(hold.c.released).order_by(hold.c.id))).scalars())


async def test_an_objection_that_was_granted_takes_what_it_is_about(kit: Kit, rights: Rights) -> None:
    await kit.write(ended())
    number = await rights.object(ME, "my situation")
    await rights.look()
    assert (await shown(kit), await held(kit)) == (0, [None])
    await rights.requests.move(number, request_states.FULFILLED, int(kit.now), answer="You are right.")
    await rights.look()
    assert (await shown(kit), await held(kit)) == (0, [int(kit.now)])
    await rights.look()
    assert not await rights.cancel(ME), "the answer is not the person's to take back"
    kit.now += 3 * DAY + 1
    await kit.purge().run()
    async with kit.database.read() as connection:
        assert len((await connection.execute(select(party.c.chat))).all()) == 1, "the partner's stays"
        (kind,) = (await connection.execute(select(deletion.c.kind).where(deletion.c.done.is_not(None)))).scalars()
    assert kind == "objected"
    await kit.write(ended(now=kit.now))
    assert await shown(kit) == 1, "what came after the objection is not its matter"


@pytest.mark.parametrize("kind", ["object", "restrict"])
async def test_a_dispute_of_a_mail_hides_what_it_is_about_once_it_is_proved(
    kit: Kit, rights: Rights, kind: str
) -> None:
    await kit.write(ended())
    secret = draw()
    number = await rights.requests.open(NewRequest(kind, "mail", 0, text="my situation", secret=secret), int(kit.now))
    assert await shown(kit) == 1, "a mail proves nothing"
    assert await rights.claim(number, encode(bytes(len(secret))), ME) is None
    assert await rights.claim(number, encode(secret), ME) == number
    assert (await shown(kit), await held(kit)) == (0, [None])
    await rights.requests.move(number, request_states.FULFILLED, int(kit.now))
    await rights.look()
    assert await shown(kit) == (0 if kind == "object" else 1)


@pytest.mark.parametrize("act", ["object", "restrict"])
@pytest.mark.parametrize(
    ("state", "reason"), [(request_states.DENIED, "other"), (request_states.REVOKED, ""), (request_states.EXPIRED, "")]
)
async def test_a_dispute_that_is_over_shows_all_again(
    kit: Kit, rights: Rights, act: str, state: str, reason: str
) -> None:
    await kit.write(ended())
    number = await (rights.object(ME, "my situation") if act == "object" else rights.restrict(ME))
    assert await shown(kit) == 0
    await rights.requests.move(number, state, int(kit.now), reason)
    await rights.look()
    assert (await shown(kit), await held(kit)) == (1, [int(kit.now)])


async def test_a_restriction_keeps_what_a_granted_objection_takes_until_it_ends(kit: Kit, rights: Rights) -> None:
    await kit.write(ended())
    disputed, number = await rights.restrict(ME), await rights.object(ME, "my situation")
    assert await rights.object(ME, "again") == number
    await rights.requests.move(number, request_states.FULFILLED, int(kit.now))
    await rights.look()
    await rights.requests.move(disputed, request_states.FULFILLED, int(kit.now))
    await rights.look()
    assert (await shown(kit), await held(kit)) == (0, [int(kit.now)] * 2)


async def test_what_an_older_version_restricted_goes_by_the_number_of_its_new_request(kit: Kit, rights: Rights) -> None:
    await kit.write(ended())
    await rights.deletion.restrict(ME, int(kit.now), why="before requests had their number")
    number = await rights.restrict(ME)
    await rights.requests.move(number, request_states.REVOKED, int(kit.now))
    await rights.look()
    assert await shown(kit) == 1


async def test_a_deletion_that_was_killed_behind_its_request_is_begun_by_the_next_word(
    kit: Kit, rights: Rights
) -> None:
    await kit.write(ended())
    left = await rights.requests.open(NewRequest("delete", "page", 3, ME), int(kit.now))
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
    assert found.standing.state == request_states.REVOKED


async def test_the_nearest_day_of_an_answer_is_a_number(kit: Kit, rights: Rights) -> None:
    await rights.object(ME, "my situation")
    await rights.ticket("know", "words", "")
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
        await asyncio.to_thread(secret_keys.rotate, kit.data)
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
    assert (found.kind, found.standing.state) == ("export", request_states.FULFILLED)

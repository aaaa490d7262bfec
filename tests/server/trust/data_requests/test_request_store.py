"""Test stored requests and their states, over both databases."""

import asyncio

import pytest
from sqlalchemy import update

from server.data.schema.data_request_schema import request
from server.ops.security.reference_numbers import shown
from server.ops.security.url_token_generator import draw
from server.trust.data_requests import request_states, request_store
from server.trust.data_requests.identity_proof import AGENT, WHOLE, Proof
from server.trust.data_requests.request_states import DAY, NotAllowed
from server.trust.data_requests.request_store import NewRequest, Requests
from server.trust.data_requests.rights_ports import NoSuchRequest, QueueFull, Used
from tests.server.data.conftest import NOW, Kit

ME, OTHER = 11, 22


@pytest.fixture
def table(kit: Kit) -> Requests:
    return Requests(kit.database, kit.pseudonyms)


def proved(identity: int) -> Proof:
    return Proof(identity, 3, WHOLE)


async def test_two_proved_requests_of_one_kind_are_one_also_at_once(table: Requests) -> None:
    asked = NewRequest("delete", "page", 3, ME)
    numbers = await asyncio.gather(*(table.open(asked, NOW) for _ in range(5)))
    assert len(set(numbers)) == 1
    assert await table.open(NewRequest("object", "page", 3, ME), NOW) not in numbers
    assert await table.open(NewRequest("delete", "page", 3, OTHER), NOW) not in numbers
    await table.move(numbers[0], request_states.FULFILLED, NOW + 1)
    assert await table.open(asked, NOW + 2) not in numbers


async def test_what_nobody_proved_joins_nothing_and_blocks_nobody(table: Requests) -> None:
    asked = NewRequest("delete", "page", 0, text="mine", secret=draw())
    tickets = {await table.open(asked, NOW) for _ in range(3)}
    mine = await table.open(NewRequest("delete", "page", 3, ME), NOW)
    assert len(tickets | {mine}) == 4
    assert [row[0] for row in await table.of(ME)] == [mine]


async def test_the_queue_of_unproved_requests_is_bounded(table: Requests, monkeypatch: pytest.MonkeyPatch) -> None:
    assert request_store.QUEUE == 10_000
    monkeypatch.setattr(request_store, "QUEUE", 2)
    asked = NewRequest("know", "page", 0, text="x", secret=draw())
    first = await table.open(asked, NOW)
    await table.open(asked, NOW)
    with pytest.raises(QueueFull):
        await table.open(asked, NOW)
    await table.open(NewRequest("know", "page", 3, ME), NOW)  # who proved it always may
    await table.move(first, request_states.DENIED, NOW, "no_match")
    await table.open(asked, NOW)


async def test_a_request_is_read_by_its_person_its_agent_and_who_has_its_secret(table: Requests) -> None:
    secret = draw()
    ticket = await table.open(NewRequest("know", "page", 0, text="x", secret=secret), NOW)
    mine = await table.open(NewRequest("delete", "agent", 3, ME, code=b"c" * 16), NOW)
    agent = Proof(ME, 3, AGENT, b"c" * 16, mine)
    for number, who, told in (
        (ticket, None, secret),
        (mine, proved(ME), None),
        (mine, agent, None),
        (shown(mine).lower(), proved(ME), None),
    ):
        found = await table.find(number, who, told)
        assert found is not None
    for number, who, told in (
        (ticket, None, draw()),
        (ticket, None, None),
        (ticket, proved(ME), None),
        (mine, proved(OTHER), None),
        (mine, None, secret),
        (mine, Proof(ME, 3, AGENT, b"d" * 16), None),
        (mine, Proof(ME, 3, AGENT, b"d" * 16, ticket), None),
        (mine, Proof(0, 2, frozenset()), None),
        ("0" * 13, proved(ME), None),
        ("nonsense", proved(ME), secret),
    ):
        assert await table.find(number, who, told) is None


async def test_an_agents_code_is_used_once(table: Requests) -> None:
    code = b"c" * 16
    number = await table.answered(NewRequest("know", "agent", 3, ME, code=code), NOW)
    for deed in (table.answered, table.open):
        with pytest.raises(Used):
            await deed(NewRequest("know", "agent", 3, ME, code=code), NOW)
    assert await table.answered(NewRequest("know", "page", 3, ME), NOW + 60) == number, "one row a person, kind and day"
    assert await table.answered(NewRequest("know", "page", 3, ME), NOW + DAY + 60) != number


async def test_what_was_written_goes_when_it_closes_and_the_answer_stays(kit: Kit, table: Requests) -> None:
    secret = draw()
    number = await table.open(
        NewRequest("other", "page", 0, text="my words", contact="me@example.org", secret=secret), NOW
    )
    whole = await table.read(number)
    assert (whole.text, whole.contact) == ("my words", "me@example.org")
    found = await table.find(number, None, secret)
    assert found is not None
    assert (found.text, found.contact) == ("", "")
    await table.move(number, request_states.DENIED, NOW + 5, "other", "we cannot")
    assert await kit.count("request_text") == await kit.count("request_contact") == 0
    found = await table.find(number, None, secret)
    assert found is not None
    assert (found.standing.state, found.standing.reason, found.answer) == ("denied", "other", "we cannot")
    with pytest.raises(NotAllowed):
        await table.move(number, request_states.FULFILLED, NOW + 6)


async def test_the_clock_takes_words_and_contact_at_the_outer_day_and_ends_what_nobody_proved(
    kit: Kit, table: Requests
) -> None:
    ticket = await table.open(NewRequest("know", "page", 0, text="t", contact="c", secret=draw()), NOW)
    mine = await table.open(NewRequest("object", "page", 3, ME, text="because"), NOW)
    late = await table.open(NewRequest("know", "page", 0, text="t", contact="c", secret=draw()), NOW)
    await table.extend(late, NOW + 1, "we ask the host")
    await table.tick(NOW + 45 * DAY - 1)
    assert await kit.count("request_text") == 3
    await table.tick(NOW + 45 * DAY)
    assert (await table.read(ticket)).standing.state == request_states.EXPIRED
    assert (await table.read(mine)).standing.state == request_states.OPEN, (
        "what we owe an answer to never runs out by itself"
    )
    assert (await kit.count("request_text"), await kit.count("request_contact")) == (2, 1)
    await table.tick(NOW + 90 * DAY)
    assert await kit.count("request_text") == await kit.count("request_contact") == 0


@pytest.mark.parametrize("kind", request_states.UNPROVED_KINDS)
async def test_what_needs_no_proof_is_open_and_due_until_it_is_answered_and_its_words_leave_after_90_days(
    kit: Kit, table: Requests, kind: str
) -> None:
    number = await table.open(NewRequest(kind, "page", 0, text="t", contact="c", secret=draw()), NOW)
    await table.open(NewRequest("know", "page", 0, text="t", secret=draw()), NOW)
    assert (await table.read(number)).standing.state == request_states.OPEN
    kit.now = NOW + 89 * DAY
    await table.tick(int(kit.now))
    assert (await kit.purge().run()).proved
    assert (await table.read(number)).text == "t", "whoever answers can read it"
    kit.now = NOW + 91 * DAY
    done = await kit.purge().run()  # the words leave by the purge alone, where no server runs
    assert done.proved
    assert await kit.count("request_text") == await kit.count("request_contact") == 0
    kit.now = NOW + 800 * DAY
    await table.tick(int(kit.now))
    assert await table.counts() == (
        {request_states.OPEN: 1, request_states.EXPIRED: 1},
        NOW + request_states.due_in(kind),
    )
    await table.move(number, request_states.FULFILLED, int(kit.now), answer="done")
    assert (await table.counts())[1] is None


async def test_what_an_earlier_release_took_for_unproved_is_open(kit: Kit, table: Requests) -> None:
    number = await table.open(NewRequest("complaint", "page", 0, text="t", secret=draw()), NOW)
    async with kit.database.write() as connection:
        await connection.execute(update(request).values(state=request_states.IN_PROGRESS, reason=request_states.VERIFY))
    await table.tick(NOW + 50 * DAY)
    found = (await table.read(number)).standing
    assert (found.state, found.reason) == (request_states.OPEN, "")


async def test_the_counts_say_how_many_wait_and_when_the_first_is_due(table: Requests) -> None:
    assert await table.counts() == ({}, None)
    await table.open(NewRequest("know", "letter", 0, text="x"), NOW, received=NOW - 10 * DAY)
    number = await table.open(NewRequest("delete", "page", 3, ME), NOW)
    assert await table.counts() == ({"in_progress": 1, "open": 1}, NOW + 20 * DAY)
    await table.move(number, request_states.FULFILLED, NOW)
    assert [one.number for one in await table.listed(every=False)] != [number]
    assert len(await table.listed(every=True)) == 2


async def test_a_number_that_is_none_is_refused_by_name(table: Requests) -> None:
    for deed in (table.read("AAAA"), table.who("AAAA"), table.move("AAAA", request_states.REVOKED, NOW)):
        with pytest.raises(NoSuchRequest, match="AAAA"):
            await deed

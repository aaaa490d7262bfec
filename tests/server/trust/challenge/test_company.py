"""Test the hardest challenge by a provider: its users, the fate of an answer, and the fallback without a verdict."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from engine.engine import Session
from engine.wire.protocol import PLAIN, PRIVATE, PROGRAM
from server.ops.security.secret_keys import Keys, load
from server.trust.challenge import captcha_verdicts as module
from server.trust.challenge.session_challenges import REFUSED_FOR
from tests.server.realtime.worker.test_worker_loop import Client, find
from tests.server.trust.challenge.test_altcha_puzzles import solved
from tests.server.trust.challenge.test_session_challenges import Service
from tests.support.siteverify import Siteverify as Stub

Maker = Callable[..., Service]


@pytest.fixture
def theirs() -> Iterator[Stub]:
    server = Stub()
    yield server
    server.stop()


@pytest.fixture
def secret(tmp_path: Path) -> Keys:
    return load(tmp_path)


@pytest.fixture
async def make(secret: Keys, theirs: Stub, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Maker]:
    """Makes services whose hardest challenge is the company's, which is waited for as long as it takes."""
    monkeypatch.setattr(module, "PATIENCE", 60.0)
    made: list[Service] = []

    def service(**more: Any) -> Service:
        made.append(Service(secret, **{**theirs.settings, **more}))
        return made[-1]

    yield service
    theirs.open.set()
    for one in made:
        await one.asking.close()
        one.worker.stop()
        for client in one.clients:
            client.sock.close()


async def suspect(service: Service, points: int = 6, **head: str) -> tuple[Client, Session]:
    """Somebody with so many points, who was greeted."""
    client = await service.client(**head)
    session = service.session()
    friction, now = service.worker.engine.friction, asyncio.get_running_loop().time()
    friction.opener(session.person, now)  # 3, and no cookie: 1
    if points >= 6:
        friction.reported(session.person, 1, now)
    return client, session


def solution(made: dict[str, Any], response: str) -> bytes:
    return orjson.dumps({"type": "solution", "kind": made["kind"], "response": response})


async def test_the_hardest_is_theirs_and_the_others_are_ours(make: Maker, theirs: Stub) -> None:
    service = make()
    client, _ = await suspect(service, 4)
    client.say(find("chess"))
    assert (await service.told(client, "challenge"))["kind"] == "altcha"
    client, _ = await suspect(service)
    client.say(find("chess"))
    made = await service.told(client, "challenge")
    assert (made["kind"], made["within"]) == ("turnstile", 600)
    assert {name: made["parameters"][name] for name in ("sitekey", "action")} == {
        "sitekey": "a-site-key",
        "action": "find",
    }
    client.say(solution(made, "good"))
    assert await service.told(client, "solved") == {"type": "solved", "kind": "turnstile"}
    client.say(find("chess"))
    await service.told(client, "waiting")
    assert len(theirs.asked) == 1


async def test_who_asks_not_to_be_tracked_gets_ours_and_they_hear_nothing(make: Maker, theirs: Stub) -> None:
    service = make()
    client, session = await suspect(service, sec_gpc="1")
    assert session.way == PRIVATE
    client.say(find("chess"))
    made = await service.told(client, "challenge")
    assert made["kind"] == "altcha"
    client.say(solution(made, solved(made["parameters"])))
    await service.told(client, "solved")
    assert theirs.asked == []


async def test_a_page_by_plain_http_waits(make: Maker) -> None:
    service = make()
    client, session = await suspect(service)
    session.way = PLAIN
    client.say(find("chess"))
    assert (await service.told(client, "error"))["retry_after"] == 20.0


async def test_a_wrong_answer_brings_another_one_and_three_end_it_for_a_minute(make: Maker) -> None:
    service = make()
    client, _ = await suspect(service)
    client.say(find("chess"))
    seen = set()
    for _ in range(3):
        made = await service.told(client, "challenge")
        seen.add(made["parameters"]["id"])
        client.say(solution(made, "bad"))
    while (said := await service.told(client, "error"))["code"] == "challenge":
        pass
    assert (said["code"], said["of"], said["retry_after"]) == ("too_fast", "solution", 60.0)
    assert len(seen) == 3


async def test_one_answer_does_for_nobody_else(make: Maker) -> None:
    service = make()
    for expected in ("solved", "challenge"):
        client, _ = await suspect(service)
        client.say(find("chess"))
        made = await service.told(client, "challenge")
        client.say(solution(made, "good-shared"))
        await service.told(client, expected)


@pytest.mark.parametrize("wrong", [(500, b""), (200, b"<html>"), None], ids=["500", "not JSON", "slow"])
async def test_where_they_say_nothing_ours_comes_and_others_are_not_sent_there(
    make: Maker, theirs: Stub, wrong: tuple[int, bytes] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = make()
    monkeypatch.setattr(module, "PATIENCE", 0.2)
    client, session = await suspect(service)
    client.say(find("chess"))
    made = await service.told(client, "challenge")
    theirs.wrong = wrong
    if wrong is None:
        theirs.open.clear()
    client.say(solution(made, "good"))
    again = await service.told(client, "challenge")
    assert (again["kind"], again["parameters"]["parameters"]["data"]["l"]) == ("altcha", 3)
    assert service.worker.engine.tally["challenge turnstile 3 unchecked"] == 1
    client.say(solution(again, solved(again["parameters"])))
    await service.told(client, "solved")
    assert session.trial is None
    other, _ = await suspect(service)
    other.say(find("chess"))
    assert (await service.told(other, "challenge"))["kind"] == "altcha"


async def test_without_another_way_the_search_is_refused_for_a_moment(make: Maker, theirs: Stub) -> None:
    service = make(fallback=False)
    client, session = await suspect(service)
    client.say(find("chess"))
    made = await service.told(client, "challenge")
    theirs.wrong = 500, b""
    client.say(solution(made, "good"))
    while (said := await service.told(client, "error"))["of"] != "solution":
        pass
    assert (said["code"], said["retry_after"]) == ("too_fast", REFUSED_FOR)
    client.say(find("chess"))
    said = await service.told(client, "error")
    assert (said["code"], said["of"]) == ("too_fast", "find")
    theirs.wrong = None
    assert session.trial is not None
    session.trial.barred = 0.0  # ten seconds later
    client.say(find("chess"))
    again = await service.told(client, "challenge")
    assert again["kind"] == "turnstile"
    client.say(solution(again, "good"))
    await service.told(client, "solved")


async def test_while_an_answer_is_checked_no_second_one_is_taken(make: Maker, theirs: Stub) -> None:
    service = make()
    client, _ = await suspect(service)
    client.say(find("chess"))
    made = await service.told(client, "challenge")
    theirs.open.clear()
    client.say(solution(made, "good"), solution(made, "good2"))
    await asyncio.to_thread(theirs.wait, 1)
    theirs.open.set()
    await service.told(client, "solved")
    assert len(theirs.asked) == 1


async def test_who_went_before_the_verdict_came_is_told_nothing(make: Maker, theirs: Stub) -> None:
    service = make()
    client, session = await suspect(service)
    client.say(find("chess"))
    made = await service.told(client, "challenge")
    theirs.open.clear()
    client.say(solution(made, "good"))
    await asyncio.to_thread(theirs.wait, 1)
    del service.worker.engine.sessions[session.id]
    theirs.open.set()
    await asyncio.gather(*service.asking._tasks)
    assert session.trial is not None


@pytest.mark.parametrize(
    ("chosen", "way", "asked"),
    [
        ({"provider": "recaptcha"}, PROGRAM, True),
        ({"provider": "recaptcha"}, PROGRAM | PRIVATE, False),
        ({"provider": "recaptcha", "script_url": "https://a.example/api.js?render=a-site-key"}, PROGRAM, False),
        ({"provider": "turnstile"}, PROGRAM, False),
    ],
)
async def test_programs_of_another_wire_know_recaptcha_alone(
    make: Maker, chosen: dict[str, Any], way: int, asked: bool
) -> None:
    service = make(**chosen)
    client, session = await suspect(service, 4)
    session.way = way
    client.say(find("chess"))
    if asked:
        assert (await service.told(client, "challenge"))["kind"] == "recaptcha"
    else:
        assert (await service.told(client, "error"))["retry_after"] == 8.0


async def test_an_answer_to_a_company_that_is_not_asked_any_more_is_wrong(make: Maker, theirs: Stub) -> None:
    service = make()
    assert service.asking.check(service_session(), 3, "hcaptcha", "good") is False
    assert theirs.asked == []


def service_session() -> Session:
    return Session(1, 0, 0, "192.0.2.1")

"""Test the requests to a captcha provider and the rules for its verdicts, against a server of the siteverify protocol."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from engine.wire.protocol import SOLUTION_MAX
from server.ops.config.challenge_settings import Challenge
from server.trust.challenge import captcha_verdicts as module
from server.trust.challenge.captcha_verdicts import ANSWER_MAX, AT_ONCE, OLDEST, WAITING_MAX, Siteverify
from tests.support.siteverify import SECRET, stamp
from tests.support.siteverify import Siteverify as Stub

Maker = Callable[..., Siteverify]
HERE = "192.0.2.7"


@pytest.fixture
def theirs() -> Iterator[Stub]:
    server = Stub()
    yield server
    server.stop()


@pytest.fixture
async def client(theirs: Stub, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Maker]:
    """Makes clients of it, which end with the test, and wait for as long as it takes."""
    monkeypatch.setattr(module, "PATIENCE", 60.0)
    made: list[Siteverify] = []

    def make(**more: Any) -> Siteverify:
        settings = Challenge.model_validate({**theirs.settings, **more})
        assert settings.company is not None
        client = Siteverify(settings, settings.company)
        client.hosts = ("127.0.0.1", "chat.example", "*.talk.example")
        made.append(client)
        return client

    yield make
    theirs.open.set()
    for one in made:
        await one.stop()
        assert one.inside == 0


async def test_it_gets_the_answer_and_our_secret_and_an_address_only_where_that_is_wanted(
    client: Maker, theirs: Stub
) -> None:
    assert await client().right("good", HERE) is True
    assert await client(send_address=True).right("good2", HERE) is True
    assert theirs.asked == [
        {"secret": SECRET, "response": "good"},
        {"secret": SECRET, "response": "good2", "remoteip": HERE},
    ]
    names = {name.lower() for head in theirs.heads for name in head}
    assert names <= {"host", "user-agent", "accept", "accept-encoding", "content-type", "content-length", "connection"}
    assert {head["User-Agent"] for head in theirs.heads} == {"serendip"}


async def test_an_answer_is_right_once(client: Maker) -> None:
    one = client()
    assert [await one.right("good", HERE) for _ in range(2)] == [True, False]
    assert one.tally == {"right": 1, "wrong": 1, "busy": 0, "away": 0}


@pytest.mark.parametrize(
    ("also", "right"),
    [
        ({}, True),
        ({"hostname": "Chat.Example"}, True),
        ({"hostname": "a.talk.example"}, True),
        ({"hostname": "evil.example"}, False),
        ({"hostname": "talk.example"}, False),
        ({"hostname": None}, False),
        ({"hostname": 7}, False),
        ({"action": "login"}, False),
        ({"action": ""}, False),
        ({"action": None}, False),
        ({"ago": OLDEST - 30}, True),
        ({"ago": OLDEST + 30}, False),
        ({"ago": -3600}, False),
        ({"challenge_ts": "2026-11-26T22:00:00.123Z"}, False),
        ({"challenge_ts": None}, False),
        ({"challenge_ts": 7}, False),
        ({"challenge_ts": "yesterday"}, False),
        ({"score": 0.0}, True),
    ],
)
async def test_what_was_solved_elsewhere_for_something_else_or_long_ago_is_wrong(
    client: Maker, theirs: Stub, also: dict[str, Any], right: bool
) -> None:
    stamped = {"challenge_ts": stamp(also["ago"])} if "ago" in also else {}
    theirs.also = also | stamped
    assert await client().right("good", HERE) is right


@pytest.mark.parametrize(
    ("script", "also", "right"),
    [
        ("explicit", {}, True),
        ("explicit", {"score": 0.9}, False),
        ("explicit", {"score": 0.9, "action": "find"}, True),
        ("a-site-key", {"score": 0.5, "action": "find"}, True),
        ("a-site-key", {"score": 0.4, "action": "find"}, False),
        ("a-site-key", {"score": 0.9, "action": "login"}, False),
        ("a-site-key", {"score": "0.9", "action": "find"}, False),
        ("a-site-key", {"score": True, "action": "find"}, False),
        ("a-site-key", {}, False),
    ],
)
async def test_recaptcha_s_third_version_has_a_score_and_an_action(
    client: Maker, theirs: Stub, script: str, also: dict[str, Any], right: bool
) -> None:
    theirs.also = also
    one = client(provider="recaptcha", script_url=f"{theirs.url}/api.js?render={script}")
    theirs.kind = "recaptcha"
    assert await one.right("good", HERE) is right


async def test_hcaptcha_has_no_actions_and_its_score_means_something_else(client: Maker, theirs: Stub) -> None:
    theirs.kind, theirs.also = "hcaptcha", {"score": 0.1}
    assert await client(provider="hcaptcha").right("good", HERE) is True


@pytest.mark.parametrize(
    ("status", "body", "cause"),
    [
        (500, b'{"success":true}', "refused"),
        (503, b"", "refused"),
        (302, b"", "refused"),
        (200, b"<html>", "malformed"),
        (200, b"[]", "malformed"),
        (200, b"{}", "malformed"),
        (200, b'{"success":"true"}', "malformed"),
        (200, b'{"success":false,"error-codes":7}', "malformed"),
        (200, json.dumps({"success": True, "cdata": "a" * ANSWER_MAX}).encode(), "malformed"),
        (404, b"<html>", "malformed"),
        (400, b'{"success":false,"error-codes":["invalid-input-secret"]}', "denied"),
        (200, b'{"success":false,"error-codes":["internal-error"]}', "denied"),
    ],
)
async def test_what_says_nothing_is_no_verdict_and_is_logged_without_the_answer(
    client: Maker, theirs: Stub, status: int, body: bytes, cause: str
) -> None:
    one = client()
    theirs.wrong = status, body
    with capture_logs() as told:
        assert [await one.right(f"good{number}", HERE) for number in range(2)] == [None, None]
    assert told == [{"event": "challenge.unchecked", "log_level": "warning", "cause": cause}]
    assert (one.away, one.said, one.tally["away"]) == (True, cause, 2)
    theirs.wrong = None
    assert await one.right("good", HERE) is True


async def test_a_refusal_with_another_status_is_a_verdict(client: Maker, theirs: Stub) -> None:
    theirs.wrong = 400, b'{"success":false,"error-codes":["bad-request"]}'
    one = client()
    assert await one.right("good", HERE) is False
    assert not one.away, "a stranger's answer must not bring that"


async def test_a_company_that_is_slow_or_gone_says_nothing(
    client: Maker, theirs: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.2)
    theirs.open.clear()
    one, gone = client(), client(verify_url="http://127.0.0.1:9")
    assert [await one.right("good", HERE), one.said] == [None, "slow"]
    assert [await gone.right("good", HERE), gone.said] == [None, "away"]


async def test_so_many_are_asked_at_once_so_many_wait_and_the_next_has_no_verdict(client: Maker, theirs: Stub) -> None:
    one = client()
    theirs.open.clear()
    tasks = [asyncio.create_task(one.right(f"good{number}", HERE)) for number in range(WAITING_MAX)]
    await asyncio.to_thread(theirs.wait, AT_ONCE)
    assert await one.right("good", HERE) is None
    assert (one.tally["busy"], one.away, one.reading()["serendip_challenge_checks_waiting"]) == (1, False, WAITING_MAX)
    theirs.open.set()
    assert await asyncio.gather(*tasks) == [True] * WAITING_MAX
    assert theirs.most == AT_ONCE


@pytest.mark.parametrize("response", ["", "good\n", "gööd", "good\0", "g" * (SOLUTION_MAX + 1)])
async def test_what_can_be_no_answer_never_reaches_it(client: Maker, theirs: Stub, response: str) -> None:
    assert await client().right(response, HERE) is False
    assert theirs.asked == []

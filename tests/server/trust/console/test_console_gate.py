"""Test the gate: who passes, and the answer for the others."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import web

from server.trust.console import console_app
from server.trust.console.console_gate import FRESH, Gate, own_path, sent
from server.trust.moderators.roles import Action, Operator
from tests.server.trust.console.conftest import ORIGIN, Console, Person
from tests.server.trust.moderators.test_roles import ACTIONS, MAY


@pytest.fixture
def url(tmp_path: Path) -> str:
    """What is asked of the database here, other files ask of both kinds."""
    return f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}"


@pytest.fixture(autouse=True)
def tried(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A page and a form for each action; what was let through."""
    done: list[str] = []

    def add(gate: Gate, *_: object) -> None:
        async def look(request: web.Request, operator: Operator) -> web.Response:
            done.append(f"{operator.name} {request.method} {request.path}")
            if request.method == "POST":
                return web.Response(text=f"{sent(request).get('word')} {gate.csrf(request)}")
            return web.Response(text="let through")

        for action in Action:
            gate.add("GET", f"/try/{action.value}", action, look)
            gate.add("POST", f"/try/{action.value}", action, look)

    monkeypatch.setattr(console_app, "PARTS", [add])
    return done


@pytest.mark.parametrize("role", sorted(MAY))
async def test_a_role_may_what_the_contract_says_and_sees_nothing_of_the_rest(
    console: Console, role: str, tried: list[str]
) -> None:
    person = await console.person("ada", role)
    missing = await person.get("/there-is-nothing")
    assert missing.status == 404
    for action in sorted(ACTIONS):
        answers = [await person.get(f"/try/{action}"), await person.post(f"/try/{action}")]
        if action in MAY[role]:
            assert [answer.status for answer in answers] == [200, 200], action
            continue
        answers.append(await person.post(f"/try/{action}", token="wrong"))
        assert {(answer.status, answer.text) for answer in answers} == {(404, missing.text)}, action
    assert {path.rpartition("/")[2] for path in tried} == MAY[role]


async def test_who_is_not_signed_in_is_asked_to_and_learns_nothing(console: Console, tried: list[str]) -> None:
    nobody = Person(console)
    for path in ("/try/work", "/try/nothing", "/"):
        assert (await nobody.get(path)).status == 303
        assert (await nobody.ask("POST", path, {})).status == 401
    assert tried == []


async def test_a_form_without_the_sessions_token_does_nothing(console: Console, tried: list[str]) -> None:
    ada, bob = await console.person("ada", "moderator"), await console.person("bob", "moderator")
    for token in ("", "wrong", "é", bob.token):
        assert (await ada.post("/try/work", token=token)).status == 403
    assert tried == []
    answer = await ada.post("/try/work", word="hello")
    assert answer.text == f"hello {ada.token}"


async def test_a_cookie_sent_from_a_page_elsewhere_does_nothing(console: Console, tried: list[str]) -> None:
    ada = await console.person("ada", "moderator")
    for headers in (
        {"Origin": "https://elsewhere.example"},
        {"Origin": "http://localhost:8080"},
        {"Origin": "null"},
        {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        answer = await ada.ask("POST", "/try/work", {"token": ada.token}, **headers)
        assert answer.status == 403, headers
    assert tried == []
    assert (await ada.ask("POST", "/try/work", {"token": ada.token}, Origin=ORIGIN)).status == 200


async def test_what_needs_a_fresh_passkey_asks_for_it_and_goes_on(console: Console, tried: list[str]) -> None:
    key = await console.enrolled("ada", "lead")
    ada = await console.again("ada")
    console.kit.now += FRESH
    assert (await ada.get("/try/long")).status == 200
    console.kit.now += 1
    looked = await ada.get("/try/long?x=1")
    assert looked.status == 403
    back = await ada.post("/prove", passkey=key.get(looked.options), next="/try/long?x=1")
    assert back.to == "/try/long?x=1"
    assert (await ada.get("/try/long?x=1")).status == 200
    assert tried == ["ada GET /try/long"] * 2


async def test_a_form_that_needs_a_fresh_passkey_is_sent_again_with_it(console: Console, tried: list[str]) -> None:
    key = await console.enrolled("ada", "lead")
    ada = await console.again("ada")
    console.kit.now += FRESH + 1
    asked = await ada.post("/try/long", word='"><b>R7')
    assert (asked.status, tried) == (403, [])
    assert "&#34;&gt;&lt;b&gt;R7" in asked.text
    assert 'action="/try/long"' in asked.text
    done = await ada.post("/try/long", word='"><b>R7', passkey=key.get(asked.options))
    assert done.text.startswith('"><b>R7 ')


async def test_another_operators_passkey_is_no_fresh_one(console: Console, tried: list[str]) -> None:
    await console.enrolled("ada", "lead")
    other = await console.enrolled("bob", "lead")
    ada, bob = await console.again("ada"), await console.again("bob")
    console.kit.now += FRESH + 1
    asked, others = await ada.post("/try/long"), await bob.post("/try/long")
    for options in (asked.options, others.options):
        answer = await ada.post("/try/long", passkey=other.get(options))
        assert answer.status == 403
        assert "not your passkey" in answer.text
    assert tried == []


async def test_a_stolen_form_answer_of_a_sign_in_is_no_fresh_passkey(console: Console, tried: list[str]) -> None:
    key = await console.enrolled("ada", "lead")
    ada = await console.again("ada")
    console.kit.now += FRESH + 1
    question = await Person(console).get("/sign-in")
    assert (await ada.post("/try/long", passkey=key.get(question.options))).status == 403
    assert tried == []


async def test_what_is_too_large_is_refused(console: Console, tried: list[str]) -> None:
    ada = await console.person("ada", "moderator")
    assert (await ada.post("/try/work", word="x" * 70_000)).status == 413
    assert tried == []


@pytest.mark.parametrize(
    ("said", "path"),
    [
        ("/cases/12ab?queue=spam", "/cases/12ab?queue=spam"),
        ("", "/"),
        ("cases", "/"),
        ("//elsewhere.example/", "/"),
        ("/\t/elsewhere.example", "/"),
        ("/a\r\nSet-Cookie: x=1", "/"),
        ("/" + "a" * 500, "/"),
    ],
)
def test_a_path_to_go_on_to_is_one_of_ours(said: str, path: str) -> None:
    assert own_path(said) == path

"""Test signing in and out: what opens the console, and what does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.data.privacy import audit_log
from tests.server.trust.console.authenticator import Authenticator
from tests.server.trust.console.conftest import Console, Person


@pytest.fixture
def url(tmp_path: Path) -> str:
    """What is asked of the database here, other files ask of both kinds."""
    return f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}"


async def sign_in(console: Console, key: Authenticator, person: Person | None = None, **more: str) -> tuple[int, str]:
    """(status, where to or the page)."""
    person = person or Person(console)
    page = await person.get("/sign-in")
    answer = await person.ask("POST", "/sign-in", {"passkey": key.get(page.options), **more})
    return answer.status, answer.to if answer.status == 303 else answer.text


async def test_an_invitation_makes_a_passkey_which_then_opens_the_console(console: Console) -> None:
    key = await console.enrolled("ada", "admin")
    person = Person(console)
    assert await sign_in(console, key, person) == (303, "/")
    assert (await person.get("/")).to == "/accounts"
    assert "ada" in (await person.get("/accounts")).text
    rows = [(row.operator, row.action) for row in await audit_log.recent_entries(console.kit.database, 0)]
    assert rows == [("ada", "console enrol"), ("test", "console invite")]


async def test_the_cookie_is_strict_secure_and_out_of_reach_of_scripts(console: Console) -> None:
    key = await console.enrolled("ada", "admin")
    page = await Person(console).get("/sign-in")
    answer = await Person(console).ask("POST", "/sign-in", {"passkey": key.get(page.options)})
    parts = set(answer.headers["Set-Cookie"].split("; ")[1:])
    assert parts == {"HttpOnly", "Path=/", "SameSite=Strict", "Secure"}
    assert answer.headers["Cache-Control"] == "no-store"


async def test_an_invitation_opens_nothing_twice(console: Console) -> None:
    path = await console.accounts.invite("ada", ["admin"], "test")
    first, second = Authenticator(), Authenticator()
    person = Person(console)
    pages = [await person.get(path), await person.get(path)]
    assert (await person.ask("POST", path, {"passkey": first.create(pages[0].options)})).status == 303
    assert (await Person(console).ask("POST", path, {"passkey": second.create(pages[1].options)})).status == 404
    assert (await Person(console).get(path)).status == 404
    assert (await sign_in(console, second))[0] == 401


async def test_an_invitation_ends_after_a_day(console: Console) -> None:
    path = await console.accounts.invite("ada", ["admin"], "test")
    page = await Person(console).get(path)
    console.kit.now += 86_400
    assert (await Person(console).get(path)).status == 404
    answer = await Person(console).ask("POST", path, {"passkey": Authenticator().create(page.options)})
    assert answer.status == 404
    assert not any(account.passkeys for account in await console.accounts.listed())


async def test_a_device_that_does_not_know_its_user_makes_no_passkey(console: Console) -> None:
    path = await console.accounts.invite("ada", ["admin"], "test")
    page = await Person(console).get(path)
    answer = await Person(console).ask("POST", path, {"passkey": Authenticator(verified=False).create(page.options)})
    assert answer.status == 401
    assert "must ask who you are" in answer.text


async def test_a_device_that_does_not_know_its_user_opens_nothing(console: Console) -> None:
    key = await console.enrolled("ada", "admin")
    key.verified = False
    assert (await sign_in(console, key))[0] == 401


async def test_a_page_elsewhere_gets_no_passkey_of_ours(console: Console) -> None:
    key = await console.enrolled("ada", "admin")
    key.origin = "https://elsewhere.example"
    assert (await sign_in(console, key))[0] == 401


async def test_an_answer_opens_once(console: Console) -> None:
    key = await console.enrolled("ada", "admin")
    page = await Person(console).get("/sign-in")
    said = key.get(page.options)
    assert (await Person(console).ask("POST", "/sign-in", {"passkey": said})).status == 303
    assert (await Person(console).ask("POST", "/sign-in", {"passkey": said})).status == 401


async def test_no_number_of_strangers_who_ask_takes_a_challenge_away(console: Console) -> None:
    key = await console.enrolled("ada", "admin")
    path = await console.accounts.invite("bob", ["moderator"], "test")
    page, link = await Person(console).get("/sign-in"), await Person(console).get(path)
    ada = await console.again("ada")
    console.kit.now += 600
    step_up = await ada.get("/accounts")
    strangers = Person(console)
    for number in range(2_100):
        strangers.headers["X-Test-Address"] = f"10.{number >> 8}.{number & 255}.1"
        assert (await strangers.get("/sign-in")).status == 200
    answer: dict[str, object] = {"passkey": key.get(page.options)}
    assert (await Person(console).ask("POST", "/sign-in", answer)).status == 303
    assert (await Person(console).ask("POST", "/sign-in", answer)).status == 401
    assert (await Person(console).ask("POST", path, {"passkey": Authenticator().create(link.options)})).status == 303
    proof: dict[str, object] = {"passkey": key.get(step_up.options), "next": "/accounts", "token": ada.token}
    assert (await ada.ask("POST", "/prove", proof)).to == "/accounts"


async def test_an_answer_to_another_question_opens_nothing(console: Console) -> None:
    key = await console.enrolled("ada", "admin")
    ada = await console.again("ada")
    console.kit.now += 600
    asked = await ada.get("/accounts")  # a step-up
    assert asked.status == 403
    assert (await Person(console).ask("POST", "/sign-in", {"passkey": key.get(asked.options)})).status == 401


async def test_a_strange_key_opens_nothing(console: Console) -> None:
    key = await console.enrolled("ada", "admin")
    stranger = Authenticator()
    stranger.id, stranger.handle = key.id, key.handle
    assert (await sign_in(console, stranger))[0] == 401
    assert (await sign_in(console, Authenticator()))[0] == 401


async def test_a_key_under_the_name_of_another_opens_nothing(console: Console) -> None:
    key = await console.enrolled("ada", "admin")
    other = await console.enrolled("bob", "moderator")
    key.handle = other.handle
    assert (await sign_in(console, key))[0] == 401


async def test_a_copy_of_a_passkey_is_noticed_by_its_counter(console: Console) -> None:
    key = await console.enrolled("ada", "admin")
    key.counter = 7
    assert (await sign_in(console, key))[0] == 303
    assert (await sign_in(console, key))[0] == 401
    key.counter = 8
    assert (await sign_in(console, key))[0] == 303


@pytest.mark.parametrize(
    "said", ["", "{", "[]", "null", "{}", '{"id": 1}', '{"response": {}}', "x" * 20_000, '{"rawId": "AA", "id": "AA"}']
)
async def test_what_is_no_answer_is_refused_and_breaks_nothing(console: Console, said: str) -> None:
    key = await console.enrolled("ada", "admin")
    assert (await Person(console).ask("POST", "/sign-in", {"passkey": said})).status == 401
    assert (await sign_in(console, key))[0] == 303


async def test_a_network_that_fails_often_waits_and_others_do_not(console: Console) -> None:
    key = await console.enrolled("ada", "admin")
    answers = [await Person(console).ask("POST", "/sign-in", {"passkey": "{}"}) for _ in range(12)]
    assert [answer.status for answer in answers] == [401] * 10 + [429] * 2
    assert int(answers[-1].headers["Retry-After"]) > 0
    elsewhere = Person(console)
    elsewhere.headers["X-Test-Address"] = "198.51.100.7"
    assert (await sign_in(console, key, elsewhere))[0] == 303


async def test_guessing_invitations_counts_as_failing_to_sign_in(console: Console) -> None:
    answers = [await Person(console).get(f"/enrol/{'a' * 22}") for _ in range(3)]
    assert {answer.status for answer in answers} == {404}
    for _ in range(7):
        await Person(console).get("/enrol/x")
    assert (await Person(console).ask("POST", "/sign-in", {"passkey": "{}"})).status == 429
    assert (await Person(console).get("/enrol/x")).status == 429
    assert console.results == {"passed": 0, "enrolled": 0, "refused": 10, "limited": 2}


async def test_who_signs_in_goes_on_to_where_they_were_and_nowhere_else(console: Console) -> None:
    key = await console.enrolled("ada", "admin")
    assert (await Person(console).get("/accounts")).to == "/sign-in?next=/accounts"
    for said, there in {
        "/approvals?x=1": "/approvals?x=1",
        "https://elsewhere.example": "/",
        "//elsewhere.example": "/",
        "/\\elsewhere.example": "/",
        "javascript:alert(1)": "/",
    }.items():
        assert await sign_in(console, key, next=said) == (303, there)


async def test_a_form_of_a_page_elsewhere_signs_nobody_in(console: Console) -> None:
    key = await console.enrolled("ada", "admin")
    page = await Person(console).get("/sign-in")
    answer = await Person(console).ask(
        "POST", "/sign-in", {"passkey": key.get(page.options)}, Origin="https://elsewhere.example"
    )
    assert answer.status == 403
    assert "Set-Cookie" not in answer.headers


async def test_who_signs_out_is_out(console: Console) -> None:
    ada = await console.person("ada", "admin")
    kept = ada.cookie
    assert (await ada.get("/accounts")).status == 200
    assert (await ada.post("/sign-out")).to == "/sign-in"
    assert (await Person(console, kept).get("/accounts")).status == 303


async def test_a_new_link_for_a_lost_device_ends_the_old_passkey_and_its_sessions(console: Console) -> None:
    lost = await console.enrolled("ada", "admin")
    ada = await console.again("ada")
    path = await console.accounts.invite("ada", [], "test")
    assert (await ada.get("/accounts")).status == 200, "until it is used nothing changes"
    new = Authenticator()
    page = await Person(console).get(path)
    assert (await Person(console).ask("POST", path, {"passkey": new.create(page.options)})).status == 303
    assert (await ada.get("/accounts")).status == 303
    assert (await sign_in(console, lost))[0] == 401
    assert (await sign_in(console, new))[0] == 303

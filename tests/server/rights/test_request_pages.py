"""`/privacy/request` as browsers without script see it, on a real server."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator

import pytest

from server.rights.language import WORDS
from server.rights.limits import TICKETS, TRIES
from tests.server.rights.visitor import Visitor
from tests.server.saved.conftest import save, talked
from tests.server.web.servers import Server

EN = WORDS["en"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Without limits of rate: one address plays everybody."""
    server = Server(
        tmp_path_factory.mktemp("rights"),
        SERENDIP_LIMITS__ENABLED="false",
        SERENDIP_OPERATOR__EMAIL="privacy@chat.example",
    )
    yield server
    server.stop()


async def test_the_page_says_what_this_browser_can_do_and_sets_no_cookie(server: Server) -> None:
    async with Visitor(server) as known, Visitor(server, cookie="") as stranger:
        mine, theirs = await known.get(), await stranger.get()
    for answer in (mine, theirs):
        assert answer.status == 200
        assert "Set-Cookie" not in answer.headers
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert "noindex" in answer.headers["X-Robots-Tag"]
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.text.count("<script") == 1, "the theme that was chosen; nothing else"
        assert "privacy@chat.example" in answer.text
        assert "Serendip-Privacy" in answer.text
    assert EN["browser.yes"] in mine.text
    assert EN["browser.no"] in theirs.text
    for path in ("see", "download", "delete", "key", "agent", "restrict", "object", "release"):
        assert f'action="/privacy/request/{path}"' in mine.text
        assert f'action="/privacy/request/{path}"' not in theirs.text
    for path in ("state", "ticket"):
        assert f'action="/privacy/request/{path}"' in theirs.text


@pytest.mark.parametrize("language", list(WORDS))
async def test_it_is_there_in_every_language_of_the_site(server: Server, language: str) -> None:
    words = WORDS[language]
    assert words.keys() == EN.keys()
    assert all(set(re.findall(r"{\w+}", words[key])) == set(re.findall(r"{\w+}", EN[key])) for key in EN)
    async with Visitor(server, language=f"{language}-AT,{language}") as visitor:
        home = await visitor.get()
        assert f'<html lang="{language}"' in home.text
        assert home.title == words["title"]
        assert (await visitor.send("agent")).title == words["agent"]
    async with Visitor(server, language="en") as visitor:
        chosen = await visitor.get(f"/privacy/request?lang={language}")
        assert chosen.title == words["title"]
        assert f'action="/privacy/request/see?lang={language}"' in chosen.text


async def test_a_person_sees_downloads_and_deletes_what_is_held(server: Server) -> None:
    async with talked(server, "rights", "hello there", "hi") as (one, _, cookies):
        saved = await save(one)
        await one.leave()
    async with Visitor(server, cookie=cookies[0]) as me:
        seen = await me.send("see")
        assert seen.status == 200
        packed = await me.send("download")
        assert packed.headers["Content-Type"] == "application/zip"
        assert "attachment" in packed.headers["Content-Disposition"]
        with zipfile.ZipFile(io.BytesIO(packed.body)) as archive:
            assert archive.testzip() is None
            known = json.loads(archive.read("know.json"))
            assert any(b"hello there" in archive.read(name) for name in archive.namelist())
        assert known["held"]
        confirm = await me.send("delete")
        assert confirm.title == EN["confirm.title"]
        assert (await me.get(saved.url)).status == 200
        none = await me.send("delete/confirm", token=confirm.token)
        assert EN["confirm.none"] in none.text
        gone = await me.send("delete/confirm", token=confirm.token, records="1", logs="1")
        assert gone.status == 200
        assert (await me.get(saved.url)).status == 404
        home = await me.get()
        assert EN["cancel"] in home.text
        number = re.findall(r'href="/privacy/request/([0-9A-Z]{13})"', home.text)[0]
        assert EN["kind.delete"] in (await me.get(number)).text
        assert (await me.send("delete/cancel")).text.count(EN["cancelled"]) == 1
        assert (await me.get(saved.url)).status == 200
        assert EN["cancelled.none"] in (await me.send("delete/cancel")).text
        assert EN["state.revoked"] in (await me.get(number)).text


async def test_a_rights_key_does_the_same_in_another_browser_until_it_is_revoked(server: Server) -> None:
    async with talked(server, "keys", "said once") as (one, _, cookies):
        saved = await save(one)
        await one.leave()
    async with Visitor(server, cookie=cookies[0]) as me:
        made = await me.send("key")
        (key,) = made.once
        file = await me.send("key/file", proof=key)
        assert file.headers["Content-Disposition"] == 'attachment; filename="rights-key.txt"'
        assert key in file.text.splitlines()
    async with Visitor(server, cookie="", proof=key) as elsewhere:
        home = await elsewhere.send("")
        assert EN["key.yes"] in home.text
        assert home.text.count(f'value="{key}"') > 5
        assert (await elsewhere.send("download")).headers["Content-Type"] == "application/zip"
        confirm = await elsewhere.send("delete")
        await elsewhere.send("delete/confirm", token=confirm.token, records="1", logs="1")
        assert (await elsewhere.get(saved.url)).status == 404
        assert EN["cancelled"] in (await elsewhere.send("delete/cancel")).text
        (new,) = (await elsewhere.send("key", revoke="1")).once
        assert (await elsewhere.send("see")).title == EN["wrong.title"]
        assert (await elsewhere.send("see", proof=new)).status == 200


async def test_whatever_is_wrong_about_a_proof_the_answer_has_the_same_bytes(server: Server) -> None:
    async with Visitor(server) as me, Visitor(server) as other, Visitor(server, cookie="") as nobody:
        (revoked,) = (await me.send("key")).once
        (used,) = (await me.send("agent", know="1")).once
        (narrow,) = (await me.send("agent", delete="1")).once
        await me.send("key", revoke="1")
        assert (await other.send("see", proof=used)).status == 403
        (used,) = (await me.send("agent", know="1")).once
        assert (await nobody.send("see", proof=used)).status == 200
        restricted = (await me.send("restrict")).once[0]
        ticket, secret = (await nobody.send("ticket", kind="know", text="mine")).once
        (narrow,) = (await me.send("agent", delete="1")).once
        wrong = [
            await nobody.send("see"),
            *[await nobody.send("see", proof=text) for text in (revoked, used, narrow, "sr1.AAAA", "x", revoked[:-9])],
            await nobody.send("", proof="A" * 22),
            await nobody.send("", proof=used),
            await nobody.send("state", number=restricted),
            await nobody.send("state", number=restricted, proof=secret),
            await nobody.send("state", number="0000-0000-0000-0", proof=secret),
            await nobody.send("state", number=ticket),
            await other.get(restricted),
            await other.get("nonsense"),
            await nobody.get(ticket),
        ]
        assert EN["ticket"] in (await nobody.get()).text
        found = await nobody.send("state", number=ticket, proof=secret)
        assert EN["reason.need_user_verification"] in found.text
    assert {answer.status for answer in wrong} == {403}
    assert len({answer.body for answer in wrong}) == 1
    assert len({frozenset((k, v) for k, v in answer.headers.items() if k != "Date") for answer in wrong}) == 1


async def test_an_act_needs_a_page_of_ours_that_this_browser_was_shown(server: Server) -> None:
    async with Visitor(server) as me, Visitor(server) as other:
        token = (await me.get()).token
        assert (await other.send("see", token=token)).title == EN["late.title"]
        assert (await me.send("see", token="forged")).status == 409
        assert (await me.send("delete/confirm", token=token, records="1")).title == EN["late.title"]
        for headers in ({"Origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}):
            assert (await me.send("delete", token=token, headers=headers)).title == EN["origin.title"]
        assert (await me.get("see")).status in {403, 404}


async def test_a_log_s_delete_address_opens_that_log_and_nothing_else(server: Server) -> None:
    async with talked(server, "level two", "one line") as (one, _, _cookies):
        saved = await save(one)
    async with Visitor(server, cookie="") as nobody:
        found = await nobody.send("", proof=f"https://chat.example{saved.delete}")
        assert found.title == EN["log.title"]
        assert f'href="{saved.delete}"' in found.text
        assert (await nobody.send("see", proof=saved.delete)).title == EN["wrong.title"]


async def test_a_restriction_hides_and_its_end_shows_again_and_an_objection_waits_for_a_person(server: Server) -> None:
    async with talked(server, "hold still", "a line") as (one, _, cookies):
        saved = await save(one)
        await one.leave()
    async with Visitor(server, cookie=cookies[0]) as me:
        for act, fields in (("restrict", {}), ("object", {"text": "my situation"})):
            (number,) = (await me.send(act, **fields)).once
            assert (await me.get(saved.url)).status == 404
            assert EN[f"kind.{act}"] in (await me.get(number)).text
            await me.send("release")
            assert (await me.get(saved.url)).status == 200
            assert EN["state.revoked"] in (await me.get(number)).text


@pytest.mark.parametrize("kind", ["know", "delete", "export"])
async def test_an_agent_asks_once_by_a_program_and_reads_that_request_alone(server: Server, kind: str) -> None:
    async with Visitor(server) as me, Visitor(server, cookie="") as agent:
        scope = {"delete": "1"} if kind == "delete" else {"know": "1"}
        (code,) = (await me.send("agent", **scope)).once
        assert (await agent.api(code, kind="delete" if "know" in scope else "know")).status == 403
        done = await agent.api(code, kind=kind)
        assert done.status == 200
        if kind == "export":
            assert done.headers["Content-Type"] == "application/zip"
            return
        status = json.loads(done.body)
        assert status["status"] == {"know": "fulfilled", "delete": "open"}[kind]
        assert status["kind"] == kind
        assert (status.get("know") is not None) == (kind == "know")
        again = await agent.api(code, number=status["request_id"])
        assert json.loads(again.body)["status"] == status["status"]
        second, unknown = await agent.api(code, kind=kind), await agent.api("", kind=kind)
        assert second.status == unknown.status == 403
        assert second.body == unknown.body
        assert (await agent.api(code, number="0000000000000")).body == unknown.body


async def test_a_program_with_the_rights_key_asks_and_reads(server: Server) -> None:
    async with Visitor(server) as me, Visitor(server, cookie="") as program:
        (key,) = (await me.send("key")).once
        deleting = json.loads((await program.api(key, kind="delete", logs=False)).body)
        assert json.loads((await program.api(key, kind="delete")).body)["request_id"] == deleting["request_id"]
        assert json.loads((await program.api(key, number=deleting["request_id"])).body)["status"] == "open"
        assert (await program.api(key, kind="sell")).status == 400
        assert (await program.api(key, kind="delete", records=False, logs=False)).status == 400
        assert (await me.api("", kind="know")).status == 403, "no cookie proves anything here"


async def test_ten_wrong_proofs_and_three_requests_without_one_then_the_network_waits(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    server = Server(tmp_path_factory.mktemp("limited"))
    try:
        async with Visitor(server, cookie="") as nobody, Visitor(server) as me:
            token = (await nobody.get()).token
            tickets = [
                await nobody.send("ticket", token=token, kind="other", text="x") for _ in range(int(TICKETS) + 1)
            ]
            assert [one.status for one in tickets] == [200] * int(TICKETS) + [429]
            for _ in range(int(TRIES)):
                assert (await nobody.send("see", token=token, proof="x")).status == 403
            late = await nobody.send("see", token=token, proof="x")
            assert late.status == 429
            assert int(late.headers["Retry-After"]) > 0
            assert (await nobody.api("sr1.x", kind="know")).status == 429
            assert (await me.send("see")).status == 200, "who has the cookie is not stopped by a neighbour's guesses"
            assert (await me.send("download")).status == 200
            assert (await me.send("download")).status == 429
    finally:
        server.stop()

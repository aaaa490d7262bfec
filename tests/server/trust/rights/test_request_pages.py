"""Test `/privacy/request` in browsers without script, on a real server."""

from __future__ import annotations

import io
import json
import re
import zipfile

import pytest

from server.data.privacy.registry import REGISTRY
from server.http.words.sentence_formatter import said
from server.site.front.openapi import RIGHTS_PAGES
from tests.server.data.chat_logs.conftest import save, talked
from tests.server.site.web.servers import Server
from tests.server.trust.rights.visitor import Visitor

EN = said()["en"]


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
    assert EN("rights.browser.yes") in mine.text
    assert EN("rights.browser.no") in theirs.text
    for path in ("see", "download", "delete", "key", "agent", "restrict", "object"):
        assert f'action="/privacy/request/{path}"' in mine.text
        assert f'action="/privacy/request/{path}"' not in theirs.text
    for path in ("state", "ticket"):
        assert f'action="/privacy/request/{path}"' in theirs.text


@pytest.mark.parametrize("language", list(said()))
async def test_it_is_there_in_every_language_of_the_site(server: Server, language: str) -> None:
    t = said()[language]
    async with Visitor(server, language=f"{language}-AT,{language}") as visitor:
        home = await visitor.get()
        assert f'<html lang="{language}" dir="{t.direction}"' in home.text
        assert home.title == t("rights.title")
        assert (await visitor.send("agent")).title == t("rights.agent")
    async with Visitor(server, language="en") as visitor:
        chosen = await visitor.get(f"/privacy/request?lang={language}")
        assert chosen.title == t("rights.title")
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
        assert confirm.title == EN("rights.confirm.title")
        assert (await me.get(saved.url)).status == 200
        none = await me.send("delete/confirm", token=confirm.token)
        assert EN("rights.confirm.none") in none.text
        gone = await me.send("delete/confirm", token=confirm.token, records="1", logs="1")
        assert gone.status == 200
        assert (await me.get(saved.url)).status == 404
        home = await me.get()
        assert EN("rights.cancel") in home.text
        number = re.findall(r'href="/privacy/request/([0-9A-Z]{13})"', home.text)[0]
        assert EN("rights.kind.delete") in (await me.get(number)).text
        assert (await me.send("delete/cancel")).text.count(EN("rights.cancelled")) == 1
        assert (await me.get(saved.url)).status == 200
        assert EN("rights.cancelled.none") in (await me.send("delete/cancel")).text
        assert EN("rights.state.revoked") in (await me.get(number)).text


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
        assert EN("rights.key.yes") in home.text
        assert home.text.count(f'value="{key}"') > 5
        assert (await elsewhere.send("download")).headers["Content-Type"] == "application/zip"
        confirm = await elsewhere.send("delete")
        await elsewhere.send("delete/confirm", token=confirm.token, records="1", logs="1")
        assert (await elsewhere.get(saved.url)).status == 404
        assert EN("rights.cancelled") in (await elsewhere.send("delete/cancel")).text
        (new,) = (await elsewhere.send("key", revoke="1")).once
        assert (await elsewhere.send("see")).title == EN("rights.refused.wrong.title")
        assert (await elsewhere.send("see", proof=new)).status == 200


async def test_a_log_s_delete_address_opens_that_log_and_nothing_else(server: Server) -> None:
    async with talked(server, "level two", "one <b>line</b>") as (one, _, cookies):
        saved = await save(one)
    async with Visitor(server, cookie="", language="de") as german:
        assert said()["de"]("rights.log.text") in (await german.send("", proof=saved.delete)).text
    async with Visitor(server, cookie="") as nobody:
        found = await nobody.send("", proof=f"https://chat.example{saved.delete}")
        assert found.title == EN("rights.log.title")
        assert f'href="{saved.delete}"' in found.text
        assert "one &lt;b&gt;line&lt;/b&gt;" in found.text
        assert EN("rights.log.text") in found.text
        assert saved.url not in found.text, "its address is not what was shown"
        assert not re.search(r"127\.0\.0\.\d|[0-9a-f]{32}", found.text)
        assert (await nobody.send("see", proof=saved.delete)).title == EN("rights.refused.wrong.title")
    async with Visitor(server, cookies[1]) as other, Visitor(server, cookie="") as nobody:
        token = (await other.send("delete")).token
        await other.send("delete/confirm", token=token, logs="1")
        hidden = await nobody.send("", proof=saved.delete)
        assert hidden.title == EN("rights.refused.wrong.title"), "a deletion hides it from everybody"


async def test_a_restriction_hides_and_its_end_shows_again_and_an_objection_waits_for_a_person(server: Server) -> None:
    async with talked(server, "hold still", "a line") as (one, _, cookies):
        saved = await save(one)
        await one.leave()
    async with Visitor(server, cookie=cookies[0]) as me:
        for act, fields in (("restrict", {}), ("object", {"text": "my situation"})):
            assert EN("rights.release") not in (await me.get()).text, "there is nothing to end"
            (number,) = (await me.send(act, **fields)).once
            assert EN("rights.release") in (await me.get()).text
            assert EN("rights.restrict.go") not in (await me.get()).text
            assert (await me.get(saved.url)).status == 404
            assert EN(f"rights.kind.{act}") in (await me.get(number)).text
            await me.send("release")
            assert (await me.get(saved.url)).status == 200
            assert EN("rights.state.revoked") in (await me.get(number)).text


@pytest.mark.parametrize("path", [path for path in RIGHTS_PAGES if path])
async def test_a_page_of_an_act_names_no_method_but_its_own(server: Server, path: str) -> None:
    async with Visitor(server) as me:
        answer = await me.get(path.removeprefix("/"))
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")


async def test_a_number_is_asked_for_by_get_alone(server: Server) -> None:
    async with Visitor(server) as me:
        assert (await me.get("seeing")).status == 403, "no act, so it is a number, and a wrong one"
        refused = await me.send("0000000000000")
    assert (refused.status, refused.headers["Allow"]) == (405, "GET,HEAD")


async def test_shine_the_light_is_answered_at_once_in_words_of_the_statement_and_is_no_request(server: Server) -> None:
    async with Visitor(server, cookie="") as nobody:
        for text in ("", "what did you give to whom?"):
            answer = await nobody.send("ticket", kind="shine", text=text)
            assert (answer.status, answer.once) == (200, [])
            assert REGISTRY.text("marketing").body in answer.text
        assert (await nobody.send("ticket", kind="other", text="")).once == [], "all else wants words"

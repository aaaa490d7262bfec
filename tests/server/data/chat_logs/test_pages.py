"""A chat is saved by either side and shown to who has the link: as a page without script, as text, as JSON; a POST removes it."""

from __future__ import annotations

import asyncio
import json
import re
import time

import pytest

from serendip_client.events import Error as Refused
from serendip_client.events import Left
from server.data.chat_logs import guess_limit
from server.data.chat_logs.routes import SHOWN, SHOWN_RATE
from tests.server.data.chat_logs.conftest import get, post, save, talked
from tests.server.site.web.servers import Server

HOSTILE = (
    "<script>alert('markup')</script><img src=x onerror=alert(1)>",
    "\u202ereversed\u2066 and isolated",
    "\U0001f600" * 2000,  # the longest that a line can be: 8 KB, 24 KB as escapes
    "first\nStranger 2: forged",
    "{{ 7 * 7 }} {% raw %}",
)


async def test_a_saved_chat_is_shown_as_page_text_and_json(server: Server) -> None:
    async with talked(server, "saving", "hello there", "hi yourself") as (one, _, _):
        saved = await save(one)
    assert re.fullmatch(r"/log/[A-Za-z0-9_-]{22}", saved.url)
    assert re.fullmatch(r"/log/delete/[A-Za-z0-9_-]{22}", saved.delete)
    status, page, headers = await get(server, saved.url)
    assert status == 200
    assert "hello there" in page
    assert '<h2>They both liked</h2>\n<ul><li dir="auto">saving</li></ul>' in page
    assert "Stranger 1" in page
    scripts = re.findall(r'<script src="/s/[0-9a-f]{16}/(\w+)\.js"(?: defer)?></script>', page)
    assert scripts == ["look", "share"]  # the theme that was chosen, a button; neither shows anything of what was said
    assert page.count("<script") == len(scripts)
    assert dict(re.findall(r'property="(og:[a-z_]+)" content="([^"]*)"', page)) == {
        "og:site_name": "Serendip",
        "og:type": "website",
        "og:title": "A chat between two strangers",
        "og:description": "Saved by one of the two. Serendip is a place to talk to someone new.",
    }  # nothing of what was said
    assert "noindex" in headers["X-Robots-Tag"]
    assert headers["Cache-Control"] == "private, no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "Set-Cookie" not in headers
    assert "ETag" not in headers
    _, text, headers = await get(server, saved.url, Accept="text/plain")
    assert re.search(r"^\[\d\d:\d\d:\d\d\] Stranger [12]: hello there$", text, re.M)
    assert "noindex" in headers["X-Robots-Tag"]
    _, body, headers = await get(server, saved.url, Accept="application/json;q=0.9, image/png")
    said = json.loads(body)
    assert [line["text"] for line in said["messages"]] == ["hello there", "hi yourself"]
    assert said["common"] == ["saving"]
    assert "noindex" in headers["X-Robots-Tag"]
    _, _, headers = await get(server, saved.url + "?as=json")
    assert headers["Content-Disposition"] == 'attachment; filename="chat.json"'


async def test_no_answer_holds_an_address_or_an_identifier(server: Server) -> None:
    async with talked(server, "secrets", "one", "two") as (one, two, cookies):
        saved = await save(one)
        chat = one.chat.chat if one.chat else "?"
        assert two.chat
    for accept in ("text/html", "text/plain", "application/json"):
        _, body, headers = await get(server, saved.url, Accept=accept)
        everything = body + repr(headers)
        for secret in ("127.0.0.1", *cookies, chat, saved.delete.rpartition("/")[2]):
            assert secret not in everything


async def test_hostile_lines_are_text(server: Server) -> None:
    async with talked(server, "hostile", *HOSTILE) as (one, _, _):
        saved = await save(one)
    _, page, _ = await get(server, saved.url)
    assert "<script>" not in page
    assert "<img" not in page
    assert "&lt;script&gt;" in page
    assert "49" not in re.findall(r"<p dir=\"auto\">(.*?)</p>", page)
    assert page.count('<p dir="auto"') == len(HOSTILE)
    assert page.count('class="long" tabindex="0"') == 1
    assert not any(turning in page for turning in "\u202e\u2066")
    _, text, _ = await get(server, saved.url, Accept="text/plain")
    assert "\u202e" not in text
    assert not re.search(r"^Stranger [12]: forged", text, re.M)
    _, body, _ = await get(server, saved.url, Accept="application/json")
    assert [line["text"] for line in json.loads(body)["messages"]] == list(HOSTILE)


async def test_the_second_address_deletes_by_post_and_a_get_changes_nothing(server: Server) -> None:
    async with talked(server, "deleting", "x") as (one, _, _):
        saved = await save(one)
    status, page, _ = await get(server, saved.delete)
    assert status == 200
    assert 'method="post"' in page
    assert (await get(server, saved.url))[0] == 200
    assert (await post(server, saved.delete))[0] == 200
    assert (await get(server, saved.url))[0] == 404
    assert (await get(server, saved.delete))[0] == 404
    assert (await post(server, saved.delete))[0] == 404


async def test_either_participant_removes_it_with_the_cookie_of_that_browser_and_nobody_else(server: Server) -> None:
    for which, address in ((0, "/log/remove/{}"), (1, "/log/{}/remove")):  # the second is of earlier releases
        async with talked(server, f"removing {which}", "x") as (one, _, cookies):
            saved = await save(one)
        assert f'href="/log/remove/{saved.url[5:]}"' in (await get(server, saved.url))[1]
        path, mine, origin = address.format(saved.url[5:]), f"id={cookies[which]}", server.url.rstrip("/")
        assert (await get(server, path))[0] == 200
        assert (await post(server, path))[0] == 404
        assert (await post(server, path, Cookie="id=" + "c" * 22))[0] == 404
        assert (await post(server, path, Cookie=mine, Origin="https://evil.example"))[0] == 403
        assert (await post(server, path, **{"Cookie": mine, "Sec-Fetch-Site": "cross-site"}))[0] == 403
        assert (await post(server, path, Cookie=mine, Origin="http://["))[0] == 403
        assert (await post(server, path, Cookie=mine, Origin=origin))[0] == 200
        assert (await get(server, saved.url))[0] == 404


async def test_wrong_removed_and_malformed_addresses_get_the_same_answer(server: Server) -> None:
    async with talked(server, "same answer", "x") as (one, _, _):
        saved = await save(one)
    await post(server, saved.delete)
    answers = {
        (await get(server, path))[:2]
        for path in (saved.url, "/log/" + "A" * 22, "/log/x", "/log/%00", "/log/" + "a" * 5000)
    }
    assert len(answers) == 1
    assert next(iter(answers))[0] == 404


async def test_a_chat_that_is_over_is_saved_by_the_one_who_was_left_and_who_left(server: Server) -> None:
    async with talked(server, "afterwards", "before", "the end") as (one, two, _):
        await one.leave()
        await two.next(Left)
        links = [await save(two), await save(one)]
    for saved in links:
        _, body, _ = await get(server, saved.url, Accept="application/json")
        assert [line["text"] for line in json.loads(body)["messages"]] == ["before", "the end"]


async def test_a_chat_in_which_nothing_was_said_is_not_saved(server: Server) -> None:
    async with talked(server, "nothing") as (one, _, _):
        await one.save()
        refused = await one.next(Refused)
    assert refused.code == "not_saved"


async def test_a_person_cannot_fill_the_disk_with_one_chat(server: Server) -> None:
    async with talked(server, "many", "x") as (one, _, _):
        for _ in range(10):
            await save(one)
        await one.save()
        assert (await one.next(Refused)).code == "not_saved"


async def test_who_used_up_their_share_is_told_when_to_try_again_and_a_log_is_shown_so_often(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    data = tmp_path_factory.mktemp("shares")
    server = await asyncio.to_thread(lambda: Server(data, SERENDIP_LIMITS__SAVES_HOUR="2"))
    try:
        async with talked(server, "share", "x") as (one, two, _):
            saved = await save(one)
            await save(one)
            await one.save()
            refused = await one.next(Refused)
            assert (refused.code, refused.of) == ("too_fast", "save")
            assert refused.retry_after is not None
            assert 1700 < refused.retry_after <= 1800
            await save(two)
        begun = time.monotonic()
        shown = [await get(server, saved.url, Accept="text/plain") for _ in range(int(SHOWN) + 20)]
        again = int((time.monotonic() - begun) * SHOWN_RATE) + 1  # a slow machine leaves time for more
        assert int(SHOWN) <= [status for status, _, _ in shown].count(200) <= int(SHOWN) + again
        limited = [headers for status, _, headers in shown if status == 429]
        assert all(int(headers["Retry-After"]) >= 1 for headers in limited)
    finally:
        await asyncio.to_thread(server.stop)


async def test_without_a_store_nothing_is_kept_and_save_is_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    data = tmp_path_factory.mktemp("nothing")
    server = await asyncio.to_thread(lambda: Server(data, SERENDIP_STORE__ENABLED="false"))
    try:
        async with talked(server, "unkept", "x") as (one, _, _):
            await one.save()
            assert (await one.next(Refused)).code == "not_saved"
        assert (await get(server, "/log/" + "A" * 22))[0] == 404
        assert (await get(server, "/privacy"))[0] == 200
        assert "save" not in json.loads((await get(server, "/api/config"))[1])
    finally:
        await asyncio.to_thread(server.stop)
    assert {path.name for path in data.iterdir()} <= {"secret", "keys", "pages", "run", "statement"}  # about nobody


async def test_guessing_is_limited_by_network_and_finds_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    data = tmp_path_factory.mktemp("guessed")
    server = await asyncio.to_thread(lambda: Server(data))
    try:
        begun = time.monotonic()
        found = [(await get(server, f"/log/{index:022}"))[0] for index in range(30)]
        again = int((time.monotonic() - begun) * guess_limit.RATE)  # a slow machine leaves time for more
        assert 20 <= found.count(404) <= 20 + again
        assert found.count(429) == 30 - found.count(404)
        _, _, headers = await get(server, "/log/" + "A" * 22)
        assert int(headers["Retry-After"]) >= 1
    finally:
        await asyncio.to_thread(server.stop)

"""Test the frame of a captcha: served only if a provider is chosen, with that provider's hosts in its policy and no others."""

import re
from pathlib import Path

import aiohttp
import pytest

from server.http.request.security_headers import FRAMING, page_policy
from server.ops.config.challenge_settings import COMPANIES
from tests.server.site.web.servers import Server
from tests.support.siteverify import ORIGIN, SECRET
from tests.support.siteverify import Siteverify as Stub

SAME = ("script-src", "frame-src", "connect-src", "img-src", "style-src")


PAGE = "https://chat.example"
HOSTS = "127.0.0.1,chat.example"


@pytest.mark.parametrize("provider", [*COMPANIES, "altcha"])
async def test_the_frame_s_policy_names_that_company_alone_and_the_page_that_frames_it(
    tmp_path: Path, provider: str
) -> None:
    chosen = {"ENABLED": "true", "SITE_KEY": "a-site-key", "SECRET": SECRET, "PROVIDER": provider, "ORIGIN": ORIGIN}
    settings = {f"SERENDIP_CHALLENGE__{name}": value for name, value in chosen.items()}
    server = Server(tmp_path, **settings, SERENDIP_SERVER__HOSTS=HOSTS)
    host = server.url.removeprefix("http://").rstrip("/")
    at_frame = {"Host": "challenge.example"}
    try:
        async with aiohttp.ClientSession(server.url) as web:
            async with web.get("/") as answer:
                page = answer.headers["Content-Security-Policy"]
            async with web.get("/challenge", params={"page": PAGE}, headers=at_frame) as answer:
                status, headers, body = answer.status, answer.headers, await answer.text()
            async with web.get("/api/privacy") as answer:
                stated = await answer.text()
            async with web.get("/api/config") as answer:
                offered = (await answer.json()).get("challenges")
    finally:
        server.stop()
    company = COMPANIES.get(provider)
    assert ("checks that you are not a robot" in stated) is (company is not None)
    if company is None:
        assert (status, page, offered) == (421, page_policy(host, False), None)
        return
    assert offered == ORIGIN
    assert page == page_policy(host, False) + FRAMING.format(origin=ORIGIN)
    assert status == 200
    assert "Set-Cookie" not in headers
    assert "X-Frame-Options" not in headers, "it can name no other origin"
    assert headers["Referrer-Policy"] == "strict-origin"
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["frame-ancestors"] == PAGE
    for name in SAME:
        assert {word for word in policy[name].split() if word.startswith("http")} == set(company.hosts)
    assert SECRET not in body
    assert re.findall(r'data-(\w+)="([^"]*)"', body) == [
        ("key", "a-site-key"), ("script", company.script_url), ("action", "find"), ("page", PAGE),
    ]  # fmt: skip


async def test_at_its_origin_there_is_nothing_else_and_it_is_nowhere_else(tmp_path: Path) -> None:
    theirs = Stub()
    settings = {**theirs.environment, "SERENDIP_CHALLENGE__ENABLED": "true", "SERENDIP_SERVER__HOSTS": HOSTS}
    server = Server(tmp_path, **settings)
    framed = f"/challenge?page={PAGE}"
    try:
        async with aiohttp.ClientSession(server.url) as web:

            async def get(path: str, host: str) -> tuple[int, str]:
                async with web.get(path, headers={"Host": host, "Cookie": "id=AAAAAAAAAAAAAAAAAAAAAA"}) as answer:
                    assert "Set-Cookie" not in answer.headers or host != "challenge.example"
                    return answer.status, await answer.text()

            _, document = await get(framed, "challenge.example")
            files = re.findall(r'(?:src|href)="(/s/[^"]+)"', document)
            assert len(files) == 3
            assert [(await get(file, "challenge.example"))[0] for file in files] == [200] * 3
            others = (
                "/",
                "/about",
                "/api/config",
                "/api/status",
                "/privacy/request",
                "/healthz",
                "/sw.js",
                "/start",
                "/ws",
            )
            assert [(await get(path, "challenge.example"))[0] for path in others[:-1]] == [404] * (len(others) - 1)
            assert (await get("/ws", "challenge.example"))[0] in (404, 421)
            assert (await get(files[0].replace("look.js", "app.js"), "challenge.example"))[0] == 404
            assert (await get(framed, "chat.example"))[0] == 404
            evil = ("https://evil.example", "https://chat.example/x", "https://chat.example.evil.example", "'none'")
            strange = ("", "?page=", *(f"?page={origin}" for origin in evil))
            assert [(await get(f"/challenge{query}", "challenge.example"))[0] for query in strange] == [404] * len(
                strange
            )
    finally:
        server.stop()
        theirs.stop()

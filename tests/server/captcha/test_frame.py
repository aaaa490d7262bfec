"""The frame in which a company's challenge runs: there while one is chosen, with that company's hosts in its policy and in no other's."""

import re
from pathlib import Path

import aiohttp
import pytest

from server.config.challenge import COMPANIES
from server.http.headers import FRAMING, page_policy
from tests.server.web.servers import Server
from tests.support.siteverify import SECRET

SAME = ("script-src", "frame-src", "connect-src", "img-src", "style-src")


@pytest.mark.parametrize("provider", [*COMPANIES, "altcha"])
async def test_the_frame_s_policy_names_that_company_alone(tmp_path: Path, provider: str) -> None:
    chosen = {"ENABLED": "true", "SITE_KEY": "a-site-key", "SECRET": SECRET, "PROVIDER": provider}
    server = Server(tmp_path, **{f"SERENDIP_CHALLENGE__{name}": value for name, value in chosen.items()})
    host = server.url.removeprefix("http://").rstrip("/")
    try:
        async with aiohttp.ClientSession(server.url) as web:
            async with web.get("/") as answer:
                page = answer.headers["Content-Security-Policy"]
            async with web.get("/challenge") as answer:
                status, headers, body = answer.status, answer.headers, await answer.text()
            async with web.get("/api/privacy") as answer:
                stated = await answer.text()
    finally:
        server.stop()
    company = COMPANIES.get(provider)
    assert ("checks that you are not a robot" in stated) is (company is not None)
    if company is None:
        assert (status, page) == (404, page_policy(host, False))
        return
    assert page == page_policy(host, False) + FRAMING
    assert status == 200
    assert (headers["X-Frame-Options"], headers["Referrer-Policy"]) == ("SAMEORIGIN", "strict-origin")
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["frame-ancestors"] == "'self'"
    for name in SAME:
        assert {word for word in policy[name].split() if word.startswith("http")} == set(company.hosts)
    assert SECRET not in body
    assert re.findall(r'data-(\w+)="([^"]*)"', body) == [
        ("key", "a-site-key"), ("script", company.script_url), ("action", "find"),
    ]  # fmt: skip

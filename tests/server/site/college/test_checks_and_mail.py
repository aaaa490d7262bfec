"""The way from an address to a proof, against a real mail server."""

import asyncio
import re
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from serendip_client import Client, Error, Matched
from tests.server.site.college.conftest import Box, code_of, link_of
from tests.server.site.web.servers import Server


async def test_the_code_of_the_mail_gives_a_proof_once(browsers: Any) -> None:
    me = await browsers()
    mail = await me.mailed("ola@student.uio.no")
    assert "uio.no" in mail
    status, found = await me.ask("code", code=code_of(mail))
    assert status == 200
    assert found["domain"] == "uio.no"
    assert found["expires"] > 0
    assert await me.ask("code", code=code_of(mail)) == (410, {"error": "expired"})


async def test_the_link_shows_a_button_and_only_its_press_confirms(browsers: Any) -> None:
    me = await browsers()
    link = link_of(await me.mailed("kari@ntnu.no"))
    for _ in range(3):  # scanners look, and more than once
        async with me.web.get(link) as answer:
            assert answer.status == 200
            assert "Are you at ntnu.no?" in await answer.text()
            assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert await me.ask("claim") == (409, {"error": "unconfirmed"})
    async with me.web.post(link) as answer:
        assert "You are in: ntnu.no" in await answer.text()
    async with me.web.post(link) as answer:
        assert answer.status == 410
        assert "Already used" in await answer.text()
    status, found = await me.ask("claim")
    assert (status, found["domain"]) == (200, "ntnu.no")
    assert await me.ask("claim") == (410, {"error": "expired"})


async def test_a_link_does_nothing_in_another_browser(browsers: Any) -> None:
    me, other = await browsers(), await browsers()
    link = link_of(await me.mailed("per@uib.no"))
    for ask in (other.web.get, other.web.post):
        async with ask(link) as answer:
            assert answer.status == 403
            assert "Another browser" in await answer.text()
    assert await other.ask("claim") == (410, {"error": "expired"})
    assert await me.ask("claim") == (409, {"error": "unconfirmed"})
    async with me.web.post(link, headers={"Origin": "https://evil.example"}) as answer:
        assert answer.status == 403
    async with me.web.get("/college/nothing-like-it") as answer:
        assert answer.status == 410


async def test_five_wrong_codes_end_it(browsers: Any) -> None:
    me = await browsers()
    code = code_of(await me.mailed("eva@mit.edu"))
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    for left in (4, 3, 2, 1, 0):
        assert await me.ask("code", code=wrong) == (403, {"error": "wrong", "tries": left})
    assert await me.ask("code", code=code) == (410, {"error": "expired"})


async def test_one_mail_an_address_and_hour(browsers: Any) -> None:
    me, other = await browsers(), await browsers()
    begun = time.monotonic()
    await me.mailed("ann@stanford.edu")
    for address in ("ann@stanford.edu", "ANN+again@Stanford.edu"):
        status, found = await other.ask("mail", address=address)
        assert (status, found["error"]) == (429, "wait")
        assert 3600 - (time.monotonic() - begun) <= found["wait"] <= 3601


@pytest.mark.parametrize(
    "address",
    [
        "",
        "no",
        "a@gmail.com",
        "a@example.com",
        "@uio.no",
        "a@uio.no\r\nBcc: b@x.no",
        "a b@uio.no",
        "a" * 300 + "@uio.no",
        '"a"@uio.no',
        "a@ac.uk",
        7,
        None,
    ],
)
async def test_what_is_no_college_address_is_not_mailed(browsers: Any, address: Any) -> None:
    me = await browsers()
    assert await me.ask("mail", address=address) == (422, {"error": "not_college"})


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{", b"\xff", b'{"code":' + b"[" * 2000, b'{"code":"' + b"1" * 9000 + b'"}']
)
async def test_a_body_that_is_none_is_refused(browsers: Any, data: bytes) -> None:
    me = await browsers()
    async with me.web.post("/api/college/code", data=data) as answer:
        assert answer.status in {400, 413}


async def test_without_a_cookie_there_is_nothing_to_prove_it_to(school: Server) -> None:
    async with (
        aiohttp.ClientSession(school.url) as web,
        web.post("/api/college/mail", json={"address": "a@uio.no"}) as answer,
    ):
        assert (answer.status, await answer.json()) == (403, {"error": "no_cookie"})


async def test_another_site_cannot_ask(browsers: Any) -> None:
    me = await browsers()
    async with me.web.post(
        "/api/college/mail", json={"address": "a@uio.no"}, headers={"Origin": "https://evil.example"}
    ) as answer:
        assert (answer.status, await answer.json()) == (403, {"error": "origin"})


async def test_a_mail_server_that_says_later_is_asked_again(browsers: Any, box: Box) -> None:
    box.refuse = ["451 greylisted"]
    me = await browsers()
    assert code_of(await me.mailed("liv@nhh.no"))


async def test_a_mail_server_that_says_no_ends_the_check(browsers: Any, box: Box) -> None:
    box.refuse = ["554 never"] * 3
    me = await browsers()
    assert (await me.ask("mail", address="tor@hvl.no"))[0] == 202
    async with asyncio.timeout(10):
        while (await me.ask("claim"))[1] != {"error": "expired"}:  # noqa: ASYNC110
            await asyncio.sleep(0.1)  # the other side's delivery has no event that reaches us
    assert len(box.refuse) == 2
    box.refuse = []


async def met(server: Server, *finds: dict[str, Any]) -> list[Any]:
    """What comes of these searches, each by a client of its own: its match, or its error."""
    people = [Client(server.url.replace("http", "ws") + "ws") for _ in finds]
    found: list[Any] = []
    for me, find in zip(people, finds, strict=True):
        await me.start()
        await me.find(**find)
    for me in people:
        try:
            async with asyncio.timeout(4):
                async for event in me:
                    if isinstance(event, (Matched, Error)):
                        found.append(event)
                        break
        except TimeoutError:
            found.append(None)
        await me.close()
    return found


async def test_students_meet_and_see_each_others_college(browsers: Any, school: Server) -> None:
    one, two = await browsers(), await browsers()
    oslo, boston = await one.proved("a@uio.no"), await two.proved("b@mit.edu")
    first, second = await met(school, {"college": "any", "proof": oslo}, {"college": "any", "proof": boston})
    assert (first.college, second.college) == ("mit.edu", "uio.no")
    assert await met(school, {"college": "any", "proof": oslo}, {"college": "same", "proof": boston}) == [None, None]
    for pair in (("any", "same"), ("same", "any"), ("same", "same")):
        first, second = await met(school, *[{"college": college, "proof": oslo} for college in pair])
        assert (first.college, second.college) == ("uio.no", "uio.no"), pair


@pytest.mark.parametrize("college", ["any", "same"])
async def test_without_a_good_proof_there_is_no_college(browsers: Any, school: Server, college: str) -> None:
    me = await browsers()
    proof = await me.proved(f"{college}@ucl.ac.uk")
    forged = proof[:-2] + ("AA" if proof[-2:] != "AA" else "BB")
    for bad in ("", "forged", forged, "x" * 600, "\u00e9"):
        (found,) = await met(school, {"college": college, "proof": bad})
        assert found.code == "no_college"


async def test_http_clients_take_part_with_the_same_proof(browsers: Any, school: Server) -> None:
    me = await browsers()
    proof = await me.proved("omegle@ox.ac.uk")
    college = {"college": "ox.ac.uk", "college_auth": proof, "any_college": "1", "firstevents": "1", "lang": "en"}
    found = []
    for _ in range(2):
        async with me.web.post("/start", params=college) as answer:
            found.append(await answer.json())
    assert ["partnerCollege", "ox.ac.uk"] in found[1]["events"]


async def test_no_address_is_written_anywhere(
    browsers: Any, school: Server, tmp_path_factory: pytest.TempPathFactory
) -> None:
    me = await browsers()
    await me.proved("canarylocalpart@caltech.edu")
    folder: Path = school._data
    assert not [path for path in folder.rglob("*") if path.is_file() and b"canarylocalpart" in path.read_bytes()]  # noqa: ASYNC240


async def test_without_a_mail_server_the_mode_is_off(tmp_path: Path) -> None:
    server = await asyncio.to_thread(Server, tmp_path)
    try:
        async with aiohttp.ClientSession(server.url) as web:
            async with web.get("/api/config") as answer:
                assert (await answer.json())["college"] is False
            async with web.post("/api/college/mail", json={"address": "a@uio.no"}) as answer:
                assert answer.status == 404
        (found,) = await met(server, {"college": "any", "proof": "x"})
        assert found.code == "no_college"
    finally:
        await asyncio.to_thread(server.stop)


def test_the_code_is_a_number_of_six_digits() -> None:
    assert re.fullmatch(r"\d{6}", code_of("Your code: 000042\n"))


@pytest.mark.blocking  # stops and starts the server
async def test_after_a_restart_a_code_has_run_out_and_another_is_mailed_at_once(
    browsers: Any, school: Server, box: Box
) -> None:
    me = await browsers()
    mail = await me.mailed("uma@luther.edu")
    await asyncio.to_thread(school.stop)
    await asyncio.to_thread(school.start)
    assert await me.ask("code", code=code_of(mail)) == (410, {"error": "expired"})
    async with me.web.get(link_of(mail), headers={"Accept": "text/html"}) as answer:
        assert answer.status == 410
    box.mails.clear()
    assert await me.proved("uma@luther.edu")

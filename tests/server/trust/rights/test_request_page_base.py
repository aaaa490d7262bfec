"""Test the gate of these pages: token, limits, and one answer to every invalid proof; and their language."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request

from server.http.words.sentence_formatter import said
from server.trust.data_requests.request_rate_limit import TICKETS, TRIES
from server.trust.rights.request_page_base import language
from tests.server.site.web.servers import Server
from tests.server.trust.rights.visitor import Visitor

EN = said()["en"]


async def test_an_act_needs_a_page_of_ours_that_this_browser_was_shown(server: Server) -> None:
    async with Visitor(server) as me, Visitor(server) as other:
        token = (await me.get()).token
        assert (await other.send("see", token=token)).title == EN("rights.refused.late.title")
        assert (await me.send("see", token="forged")).status == 409
        assert (await me.send("delete/confirm", token=token, records="1")).title == EN("rights.refused.late.title")
        for headers in ({"Origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}):
            assert (await me.send("delete", token=token, headers=headers)).title == EN("rights.refused.origin.title")
        assert (await me.get("see")).status == 405


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
        assert EN("rights.ticket") in (await nobody.get()).text
        found = await nobody.send("state", number=ticket, proof=secret)
        assert EN("rights.reason.need_user_verification") in found.text
    assert {answer.status for answer in wrong} == {403}
    assert len({answer.body for answer in wrong}) == 1
    assert len({frozenset((k, v) for k, v in answer.headers.items() if k != "Date") for answer in wrong}) == 1


@pytest.mark.parametrize(
    ("path", "header", "name", "query"),
    [
        ("/", "", "en", ""),
        ("/", "de-AT,de;q=0.9", "de", ""),
        ("/", "xx,de;q=0.5", "de", ""),
        ("/", "no", "nb", ""),
        ("/?lang=de", "en", "de", "?lang=de"),
        ("/?lang=../en", "de", "de", ""),
        ("/?lang=xx", "xx", "en", ""),
    ],
)
def test_a_chosen_language_comes_first_and_is_kept(path: str, header: str, name: str, query: str) -> None:
    found = language(make_mocked_request("GET", path, headers={"Accept-Language": header}))
    assert (found.t, found.query) == (said()[name], query)

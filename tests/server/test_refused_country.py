"""Check that a user of a country that is not served is refused before a chat, by WebSocket and by Omegle's protocol."""

from __future__ import annotations

from collections.abc import Iterator

import aiohttp
import pytest

from tests.server.site.web.servers import Server

BRITISH = {"X-Forwarded-For": "81.2.69.142"}
NORWEGIAN = {"X-Forwarded-For": "129.240.2.6"}
pytestmark = pytest.mark.blocking  # a server is started and ended


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(
        tmp_path_factory.mktemp("country"),
        SERENDIP_SAFETY__REFUSED_COUNTRIES="GB,FR",
        SERENDIP_SERVER__PROXIES="127.0.0.1/32",
    )
    yield made
    made.stop()


async def first_frame(server: Server, headers: dict[str, str]) -> tuple[dict[str, object], int | None]:
    """The first frame, and the close code if the server closes behind it."""
    async with aiohttp.ClientSession() as web, web.ws_connect(server.url + "ws", headers=headers) as ws:
        frame = await ws.receive_json()
        if frame["type"] == "error":
            await ws.receive()
        return frame, ws.close_code


async def test_a_websocket_is_closed_with_a_code_after_which_no_client_comes_back(server: Server) -> None:
    frame, code = await first_frame(server, BRITISH)
    assert (frame["code"], code) == ("country", 4003)
    assert "country" in str(frame["message"])
    frame, code = await first_frame(server, NORWEGIAN)
    assert (frame["type"], code) == ("hello", None)


async def test_a_program_of_omegle_s_protocol_is_told_in_words_and_has_no_chat(server: Server) -> None:
    query = {"firstevents": "1", "lang": "en", "randid": "ABCDEFGH"}
    async with aiohttp.ClientSession() as web:
        async with web.post(server.url + "start", params=query, headers=BRITISH) as answer:
            refused = await answer.json()
        async with web.post(server.url + "start", params=query, headers=NORWEGIAN) as answer:
            served = await answer.json()
    assert ["error", "This service is not offered in your country."] in refused["events"]
    assert ["waiting"] not in refused["events"]
    assert ["waiting"] in served["events"]

"""A test alert to something that is no Alertmanager is refused in a sentence. A real one is in tests/grafana/test_alerts_arrive.py."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from server.ops.alerts.alert_sender import NoManager, firing, send_test


async def test_who_is_no_alertmanager_is_said_so() -> None:
    async def odd(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    app = web.Application()
    app.router.add_get("/api/v2/alerts", odd)
    async with TestServer(app) as server:
        address = f"http://{server.host}:{server.port}"
        with pytest.raises(NoManager, match="answers as no Alertmanager does"):
            await firing(address, "SerendipHeartbeat")
        with pytest.raises(NoManager, match="status 405"):
            await send_test(address, "page", "here")
    with pytest.raises(NoManager, match="api/v2/alerts"):
        await firing(address, "SerendipHeartbeat")


async def test_an_answer_of_unknown_length_is_read() -> None:
    async def in_pieces(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "application/json"})
        answer.enable_chunked_encoding()
        await answer.prepare(request)
        await answer.write(b'[{"labels": {}}]')
        return answer

    app = web.Application()
    app.router.add_get("/api/v2/alerts", in_pieces)
    async with TestServer(app) as server:
        assert await firing(f"http://{server.host}:{server.port}", "SerendipHeartbeat")

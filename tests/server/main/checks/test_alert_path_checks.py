"""The path of an alert: a contact, Alertmanager, and Prometheus' heartbeat there."""

from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from server.main.checks.alert_path_checks import alert_path
from server.main.checks.check_finding import Level
from server.ops.config.settings import Settings


def chosen(**alerts: str) -> Settings:
    return Settings.model_validate({"alerts": alerts})


async def test_no_contact_and_no_alertmanager_are_named() -> None:
    (found,) = await alert_path(Settings())
    assert "nobody would be told" in found.said
    beat, away = await alert_path(chosen(contact="https://hooks.example/a", manager="http://127.0.0.1:1"))
    assert "alerts.heartbeat is empty" in beat.said
    assert "Alertmanager: http://127.0.0.1:1" in away.said


async def test_a_heartbeat_that_arrives_is_well_and_a_test_is_sent_only_if_wanted() -> None:
    sent: list[Any] = []
    beats: list[dict[str, str]] = []

    async def listed(_: web.Request) -> web.Response:
        return web.json_response(beats)

    async def taken(request: web.Request) -> web.Response:
        sent.extend(await request.json())
        return web.Response()

    app = web.Application()
    app.router.add_get("/api/v2/alerts", listed)
    app.router.add_post("/api/v2/alerts", taken)
    async with TestServer(app) as server:
        settings = chosen(
            contact="https://hooks.example/a",
            heartbeat="https://hc.example/1",
            manager=f"http://{server.host}:{server.port}",
        )
        (silent,) = await alert_path(settings)
        assert silent.level is Level.WARNING
        beats.append({"alertname": "SerendipHeartbeat"})
        (well,) = await alert_path(settings)
        assert (well.level, sent) == (Level.OK, [])
        await alert_path(settings, send=True)
    assert sent[0]["labels"]["alertname"] == "SerendipTest"

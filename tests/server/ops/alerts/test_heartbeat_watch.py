"""The dead man's switch: told once when the heartbeat stops, hourly while it is away, once when it is back."""

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from server.ops.alerts.heartbeat_watch import AGAIN_S, HeartbeatWatch, Notifier
from server.ops.config.alert_settings import read_contacts
from server.ops.config.settings import Mail


class Told:
    """A watch with a clock of its own, and what it said."""

    def __init__(self) -> None:
        self.now = 0.0
        self.said: list[str] = []
        self.watch = HeartbeatWatch(
            "https://watch.example:9095/beat/secret?key=4%2F2&again", 300, self._note, lambda: self.now
        )

    async def _note(self, subject: str, _: str) -> None:
        self.said.append(subject)


async def test_silence_is_told_once_then_hourly_and_its_end_once() -> None:
    told = Told()
    app = told.watch.app()
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        address = f"http://{server.host}:{server.port}"
        told.now = 299
        await told.watch.look()
        assert told.said == []
        assert told.watch.wait() == 1
        for told.now in (301, 302, 301 + AGAIN_S - 1):
            await told.watch.look()
        assert told.said == ["[PAGE] the alerts are dead"]
        told.now = 301 + AGAIN_S
        await told.watch.look()
        assert len(told.said) == 2
        for guessed in ("/beat/guessed", "/beat/secret", "/beat/secret?key=4", "/", "/beat/secret?again&key=4%2F2"):
            async with http.post(f"{address}{guessed}") as answer:
                assert answer.status == 404
        await told.watch.look()
        assert len(told.said) == 2
        async with http.post(f"{address}/beat/secret?key=4%2F2&again", json={"status": "firing"}) as answer:
            assert answer.status == 200
        for _ in range(2):
            await told.watch.look()
        assert told.said[2:] == ["[over] the alerts work again"]


async def test_a_contact_that_is_away_keeps_no_other_from_being_told() -> None:
    came: list[dict[str, object]] = []
    failed: list[str] = []

    async def hook(request: web.Request) -> web.Response:
        came.append(await request.json())
        return web.Response()

    app = web.Application()
    app.router.add_post("/hook", hook)
    async with TestServer(app) as server:
        contacts = read_contacts(f"mailto:ada@example.org, http://{server.host}:{server.port}/hook")
        notify = Notifier(contacts, Mail(host="127.0.0.1", port=1, security="none"), failed.append)
        await notify("[PAGE] the alerts are dead", "No heartbeat")
    assert failed == ["mail"]
    assert (came[0]["status"], came[0]["version"]) == ("firing", "4")


async def test_an_address_without_a_path_is_called_at_the_root() -> None:
    told: list[str] = []

    async def note(subject: str, _: str) -> None:
        told.append(subject)

    async with (
        TestServer(HeartbeatWatch("http://watch.example:9095", 300, note).app()) as server,
        aiohttp.ClientSession() as http,
        http.post(f"http://{server.host}:{server.port}/") as answer,
    ):
        assert answer.status == 200

"""Alerts reach a person: real incidents of a real server, watched by Debian's Prometheus and Alertmanager, and the mails that arrive."""

import asyncio
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import aiohttp
import pytest

from server.ops.alerts.alert_sender import firing, send_test
from server.ops.alerts.alertmanager_config import HEARTBEAT
from server.ops.process.control_socket import ask
from tests.grafana.alerting import (
    LONG,
    MANAGER,
    Letterbox,
    Watching,
    alertmanager,
    heartbeat_watch,
    in_thread,
    mail_server,
    watching,
)
from tests.grafana.service import serendip
from tests.support.services import Postgres, free_port, free_ports, postgres

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(shutil.which(MANAGER) is None, reason="apt-get install prometheus-alertmanager"),
]
SILENCE = 30.0  # seconds without a heartbeat


class Scene(NamedTuple):
    """All that runs."""

    box: Letterbox
    manager: str
    port: int
    metrics: int
    data: Path
    database: Postgres
    prometheus: Watching


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A server of two workers with a database, both watched, and a watch of the heartbeat."""
    manager, beats = free_ports(2)
    with ExitStack() as stack:
        database = stack.enter_context(postgres())
        database.sql("CREATE DATABASE alerts")
        box, port = stack.enter_context(mail_server())
        settings = {
            "SERENDIP_ALERTS__CONTACT": "mailto:ada@example.org",
            "SERENDIP_ALERTS__HEARTBEAT": f"http://127.0.0.1:{beats}/beat/secret",
            "SERENDIP_CONSOLE__ORIGIN": "http://localhost:9466",
            "SERENDIP_MAIL__HOST": "127.0.0.1",
            "SERENDIP_MAIL__PORT": str(port),
            "SERENDIP_MAIL__SECURITY": "none",
        }
        address = stack.enter_context(alertmanager(tmp_path, manager, **settings))
        server = serendip(
            tmp_path,
            SERENDIP_WORKERS="2",
            SERENDIP_STORE__URL=database.url("alerts").replace("+asyncpg", ""),
            SERENDIP_LIMITS__ENABLED="false",
        )
        public, metrics = stack.enter_context(server)
        watched = stack.enter_context(watching(tmp_path, manager, [metrics]))
        stack.enter_context(heartbeat_watch(tmp_path, beats, SILENCE, **settings))
        yield Scene(box, address, public, metrics, tmp_path / "data", database, watched)


def processes(data: Path) -> dict[str, int]:
    """The processes of the server, by their names."""
    *_, last = ask(data, {"do": "status"})
    return {one["process"]: one["pid"] for one in last["processes"]} | {"server": last["pid"]}


async def refused(port: int, until: "asyncio.Task[object]") -> None:
    """Ask by a foreign name, again and again."""
    async with aiohttp.ClientSession() as http:
        while not until.done():
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await http.ws_connect(f"http://127.0.0.1:{port}/ws", headers={"Host": "elsewhere.example"})
            await asyncio.sleep(0.1)  # ten a second


async def told(manager: str, name: str, severity: str, instance: str) -> None:
    """Hand an alert to Alertmanager, as Prometheus does."""
    labels = {"alertname": name, "severity": severity, "instance": instance, "job": "serendip"}
    alert = {"labels": labels, "annotations": {"summary": "of a test"}}
    async with aiohttp.ClientSession() as http, http.post(f"{manager}/api/v2/alerts", json=[alert]) as answer:
        assert answer.status == 200


async def test_a_host_that_is_drained_on_purpose_wakes_nobody_and_another_one_does(tmp_path: Path) -> None:
    with mail_server() as (box, port):
        settings = {
            "SERENDIP_ALERTS__CONTACT": "ada@example.org",
            "SERENDIP_MAIL__HOST": "127.0.0.1",
            "SERENDIP_MAIL__PORT": str(port),
            "SERENDIP_MAIL__SECURITY": "none",
        }
        with alertmanager(tmp_path, free_port(), **settings) as manager:
            await told(manager, "SerendipDraining", "none", "one:9464")
            await told(manager, "SerendipDown", "page", "one:9464")
            await told(manager, "SerendipDown", "page", "two:9464")
            mail = await in_thread(box.await_mail, "[PAGE] SerendipDown", "NOW  SerendipDown")
            assert mail.subject == "[PAGE] SerendipDown at two:9464"
            assert mail.text.count("NOW") == 1
            async with aiohttp.ClientSession() as http, http.get(f"{manager}/api/v2/alerts?active=false") as answer:
                assert [one["labels"]["instance"] for one in await answer.json()] == ["one:9464"]
            assert len(box.mails) == 1


async def test_five_incidents_and_the_death_of_the_watch_itself_arrive_by_mail(scene: Scene) -> None:
    box = scene.box
    async with asyncio.timeout(LONG):
        while not await firing(scene.manager, HEARTBEAT):  # noqa: ASYNC110 - another program's state
            await asyncio.sleep(0.2)  # a poll: Alertmanager tells of no alert's coming
    await send_test(scene.manager, "page", "here")
    test = await in_thread(box.await_mail, "[PAGE] SerendipTest at here", "nothing is wrong")
    assert test.to == "ada@example.org"
    assert "serendip help SerendipTest, or http://localhost:9466/help/SerendipTest" in test.text

    # one: a worker dies
    os.kill((await in_thread(processes, scene.data))["worker 1"], signal.SIGKILL)
    await in_thread(box.await_mail, "[TICKET]", "NOW  SerendipWorkerDied: worker 1 of .* died")
    # two: the proxy passes another name on
    came = asyncio.create_task(in_thread(box.await_mail, "[TICKET]", "NOW  SerendipHandshakesRefused: .*: host"))
    await refused(scene.port, came)
    await came
    # three: the database dies, and is back
    await in_thread(scene.database.stop, signal.SIGQUIT)
    await in_thread(box.await_mail, "[PAGE] SerendipStoreAway", "NOW  SerendipStoreAway: the database of ")
    await in_thread(scene.database.start)
    await in_thread(box.await_mail, "[over] SerendipStoreAway", "OVER  SerendipStoreAway")
    # four: all processes are killed
    for pid in (await in_thread(processes, scene.data)).values():
        os.kill(pid, signal.SIGKILL)
    await in_thread(box.await_mail, "[PAGE] SerendipDown", "NOW  SerendipDown: .* does not answer")
    # five: nobody is watched
    scene.prometheus.change([])
    await in_thread(box.await_mail, "[PAGE] SerendipNoTargets", "NOW  SerendipNoTargets")
    # and who watches dies
    assert not [mail for mail in box.mails if "the alerts are dead" in mail.subject]
    assert scene.prometheus.process is not None
    scene.prometheus.process.kill()
    await in_thread(box.await_mail, "[PAGE] the alerts are dead", "No heartbeat of Alertmanager")

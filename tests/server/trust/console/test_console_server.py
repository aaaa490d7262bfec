"""Test the console's port: opened beside the service, never on its port, and released; without it the service runs."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import aiohttp
import pytest
from structlog.testing import capture_logs

from server.data.database.key_fingerprints import KeyFingerprints
from server.data.store.store_runner import Parts
from server.ops.config import settings
from server.ops.health.background_tasks import Tasks
from server.ops.process.listening_sockets import Sockets, StartError
from server.trust.console.console_server import TASK, Console, origin
from tests.server.data.conftest import Kit

pytestmark = pytest.mark.blocking  # it is started before the service takes anybody: files are read then


@pytest.fixture
def url(tmp_path: Path) -> str:
    """What is asked of the database here, other files ask of both kinds."""
    return f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}"


def console(kit: Kit, tasks: Tasks, sockets: Sockets | None = None, **chosen: object) -> Console:
    """Not started."""
    parts = Parts(kit.database, kit.objects, kit.pseudonyms, kit.logs, KeyFingerprints.__new__(KeyFingerprints))
    whole = settings.Settings(data=kit.data, console=settings.Console(**chosen))  # type: ignore[arg-type]
    return Console(parts, whole, lambda request: request.remote or "", tasks, sockets)


async def test_it_answers_on_its_port_until_it_is_stopped(kit: Kit) -> None:
    tasks = Tasks()
    made = console(kit, tasks, port=0)
    with capture_logs() as logs:
        await made.start()
    port = next(line["port"] for line in logs if line["event"] == "console.ready")
    async with aiohttp.ClientSession() as http, http.get(f"http://localhost:{port}/sign-in") as answer:
        assert answer.status == 200
    assert made.reading()["serendip_console_signins"] == {
        ("passed",): 0, ("enrolled",): 0, ("refused",): 0, ("limited",): 0
    }  # fmt: skip
    assert tasks.failures == {TASK: 0}
    await made.stop()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_a_data_folder_that_takes_no_file_is_told_and_the_console_serves(kit: Kit) -> None:
    """As on a full disk, which is no reason not to start; here a folder is in the place of the file."""
    (kit.data / "run" / "console" / "in the way").mkdir(parents=True)
    made = console(kit, Tasks(), port=0)
    with capture_logs() as logs:
        await made.start()
    assert [line["error"] for line in logs if line["event"] == "console.origin_unkept"] == ["EISDIR"]
    port = next(line["port"] for line in logs if line["event"] == "console.ready")
    async with aiohttp.ClientSession() as http, http.get(f"http://localhost:{port}/sign-in") as answer:
        assert answer.status == 200
    await made.stop()


@pytest.mark.parametrize("taken", [True, False], ids=["a port that is taken", "an address of another machine"])
async def test_a_port_that_cannot_be_had_is_said_and_stops_nothing(kit: Kit, taken: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        chosen = {"port": other.getsockname()[1]} if taken else {"host": "192.0.2.1", "port": 1}
        made = console(kit, Tasks(), **chosen)
        with capture_logs() as logs:
            await made.start()
        assert [line["event"] for line in logs] == ["console.port_taken" if taken else "console.port_failed"]
        assert made.reading() == {}
        await made.stop()


async def answered(port: int) -> int:
    async with aiohttp.ClientSession() as http, http.get(f"http://localhost:{port}/sign-in") as answer:
        return answer.status


async def test_who_comes_while_it_pauses_is_answered_by_the_next_on_the_same_port(kit: Kit) -> None:
    sockets = Sockets()
    old = console(kit, Tasks(), sockets, port=0)
    await old.start(listening=False)
    port = sockets.all()["console"].getsockname()[1]
    await old.listen()
    await old.listen()
    assert await answered(port) == 200
    await old.pause()
    await old.pause()
    await old.listen()
    assert await answered(port) == 200
    await old.pause()
    asked = asyncio.create_task(answered(port))
    new = console(kit, Tasks(), Sockets({name: sock.dup() for name, sock in sockets.all().items()}), port=port)
    await new.start(listening=False)
    await old.stop()
    assert not asked.done()
    await new.listen()
    assert await asked == 200
    await new.stop()


async def test_another_port_than_that_of_the_process_before_needs_a_restart(kit: Kit) -> None:
    with socket.create_server(("127.0.0.1", 0)) as theirs:
        made = console(kit, Tasks(), Sockets({"console": theirs.dup()}), port=theirs.getsockname()[1] + 1)
        with pytest.raises(StartError, match=r"console: .* needs a restart"):
            await made.start(listening=False)
        await made.listen()  # it has no port
        await made.stop()


def test_its_origin_is_this_machine_unless_it_is_set() -> None:
    assert origin(settings.Console(), 9466) == "http://localhost:9466"
    assert origin(settings.Console(origin="https://console.example"), 9466) == "https://console.example"


@pytest.mark.parametrize(
    "wrong",
    [
        *(
            "console.example",
            "http://console.example",
            "https://192.0.2.1",
            "https://192.0.2.1:9466",
            "http://127.0.0.1:9466",
        ),
        *("https://console.example/", "https://Console.example", "https://console.example:443", "http://localhost:80"),
        *("https://a@console.example", "https://", "https://console.example\n"),
    ],
)
def test_an_origin_to_which_no_passkey_can_belong_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="a name in small letters"):
        settings.Console(origin=wrong)


@pytest.mark.parametrize(
    "right", ["https://console.example", "https://c.example:8443", "http://localhost:9466", "https://1.example"]
)
def test_an_origin_with_a_name_is_taken(right: str) -> None:
    assert settings.Console(origin=right).origin == right

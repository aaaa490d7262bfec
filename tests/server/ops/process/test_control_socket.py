"""The control socket: asked by the client's side in a thread, answered in the loop, for the owner of the folder alone."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from server.ops.process.control_socket import (
    BACKLOG,
    FOLDER,
    LINE_MAX,
    NAME,
    ControlSocket,
    NoServer,
    Say,
    Unavailable,
    ask,
    made,
)
from server.ops.process.listening_sockets import Sockets, StartError

pytestmark = pytest.mark.blocking  # files of the tests, in a loop of their own
STANDS = {"done": True, "phase": "ready"}
UPGRADE = {"do": "upgrade", "program": None}


class Upgrades:
    """What a server does when it is asked: says one step, and ends when it is let."""

    def __init__(self) -> None:
        self.programs: list[str | None] = []
        self.said = asyncio.Event()
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.fault: Exception | None = None

    async def __call__(self, program: str | None, say: Say) -> Mapping[str, Any]:
        self.programs.append(program)
        say({"step": "starting"})
        self.said.set()
        await self.may_end.wait()
        if self.fault:
            raise self.fault
        return {"done": True, "said": "", "people": 3}


@pytest.fixture
async def upgrades() -> Upgrades:
    return Upgrades()


@pytest.fixture
async def control(tmp_path: Path, upgrades: Upgrades) -> AsyncIterator[ControlSocket]:
    made = ControlSocket(Sockets(), tmp_path, upgrades, lambda: STANDS)
    await made.start()
    yield made
    await made.stop()


async def asked(data: Path, request: Mapping[str, Any] = UPGRADE) -> list[dict[str, Any]]:
    return await asyncio.to_thread(lambda: list(ask(data, request)))


def test_a_server_that_answers_nothing_is_named_and_not_waited_for(tmp_path: Path) -> None:
    with made(tmp_path):
        for _ in range(BACKLOG + 2):  # the last find its queue full
            with pytest.raises(NoServer, match="does not answer within 0 s"):
                list(ask(tmp_path, {"do": "status"}, within=0.01))
        with pytest.raises(StartError, match="another server runs"):
            made(tmp_path, NAME)


async def raw(data: Path, text: bytes) -> dict[str, Any]:
    """What whoever writes something else is answered at last."""
    reader, writer = await asyncio.open_unix_connection(str(data / FOLDER / "control"))
    writer.write(text)
    answer = (await reader.read()).splitlines()[-1]
    writer.close()
    await writer.wait_closed()
    return json.loads(answer)  # type: ignore[no-any-return]


async def test_what_is_asked_for_is_done_and_told_step_by_step(
    control: ControlSocket, upgrades: Upgrades, tmp_path: Path
) -> None:
    assert await asked(tmp_path) == [{"step": "starting"}, {"done": True, "said": "", "people": 3}]
    assert (await asked(tmp_path, {"do": "upgrade", "program": "/opt/two/bin/serendip"}))[-1]["done"]
    assert upgrades.programs == [None, "/opt/two/bin/serendip"]


async def test_it_is_its_owner_s_alone(control: ControlSocket, tmp_path: Path) -> None:
    assert (tmp_path / FOLDER).stat().st_mode & 0o777 == 0o700
    assert (tmp_path / FOLDER / "control").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / FOLDER).iterdir()] == ["control"]


async def test_a_second_upgrade_is_refused_while_one_is_under_way(
    control: ControlSocket, upgrades: Upgrades, tmp_path: Path
) -> None:
    upgrades.may_end.clear()
    first = asyncio.create_task(asked(tmp_path))
    await upgrades.said.wait()
    (refused,) = await asked(tmp_path)
    assert refused == {"done": False, "said": "an upgrade is under way already"}
    upgrades.may_end.set()
    assert (await first)[-1]["done"]
    assert len(upgrades.programs) == 1
    assert (await asked(tmp_path))[-1]["done"]


async def test_who_goes_away_in_the_midst_stops_nothing(
    control: ControlSocket, upgrades: Upgrades, tmp_path: Path
) -> None:
    upgrades.may_end.clear()
    _, writer = await asyncio.open_unix_connection(str(tmp_path / FOLDER / "control"))
    writer.write(json.dumps(UPGRADE).encode() + b"\n")
    await upgrades.said.wait()
    writer.transport.abort()
    upgrades.may_end.set()
    while (await asked(tmp_path))[-1] != {"done": True, "said": "", "people": 3}:
        pass
    assert len(upgrades.programs) == 2


@pytest.mark.parametrize(
    "text",
    [
        b"\n",
        b"{}\n",
        b"[]\n",
        b"nonsense\n",
        b'{"do":"upgrade","program":3}\n',
        b"x" * 2 * LINE_MAX,
        b'{"do":"dance"}\n',
    ],
)
async def test_what_is_no_request_is_refused_and_the_next_is_heard(
    control: ControlSocket, upgrades: Upgrades, tmp_path: Path, text: bytes
) -> None:
    assert await raw(tmp_path, text) == {"done": False, "said": "this server knows no such request"}
    assert upgrades.programs == []
    assert (await asked(tmp_path))[-1]["done"]


async def test_a_fault_is_told_to_who_asked_and_to_the_loop(
    control: ControlSocket, upgrades: Upgrades, tmp_path: Path
) -> None:
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    upgrades.fault = ZeroDivisionError("of somebody's text")
    said = (await asked(tmp_path))[-1]
    assert said == {"done": False, "said": "a fault of the server's (ZeroDivisionError); its log says where"}
    assert [context["exception"] for context in told] == [upgrades.fault]
    upgrades.fault = None
    assert (await asked(tmp_path))[-1]["done"]


async def test_who_asks_while_it_pauses_is_answered_by_the_next_on_the_same_socket(
    control: ControlSocket, tmp_path: Path
) -> None:
    sockets = Sockets()
    old = ControlSocket(sockets, tmp_path / "data", Upgrades(), lambda: STANDS)
    (tmp_path / "data").mkdir()
    await old.start()
    old.pause()
    waiting = asyncio.create_task(asked(tmp_path / "data"))
    theirs = Upgrades()
    new = ControlSocket(
        Sockets({name: sock.dup() for name, sock in sockets.all().items()}), tmp_path / "data", theirs, lambda: STANDS
    )
    await new.start(listening=False)
    await old.stop()
    assert not waiting.done()
    new.listen()
    new.listen()  # it does
    assert (await waiting)[-1]["done"]
    assert theirs.programs == [None]
    await new.stop()


async def test_it_says_how_the_server_stands_beside_an_upgrade(
    control: ControlSocket, upgrades: Upgrades, tmp_path: Path
) -> None:
    upgrades.may_end.clear()
    first = asyncio.create_task(asked(tmp_path))
    await upgrades.said.wait()
    assert await asked(tmp_path, {"do": "status"}) == [STANDS]
    upgrades.may_end.set()
    assert (await first)[-1]["people"] == 3


@pytest.mark.parametrize("do", ["drain", "restart"])
async def test_a_server_of_one_process_says_that_it_has_no_workers(
    control: ControlSocket, do: str, tmp_path: Path
) -> None:
    (last,) = await asked(tmp_path, {"do": do, "worker": 1})
    assert (last["done"], "no workers" in last["said"]) == (False, True)


async def test_after_a_pause_it_answers_again(control: ControlSocket, tmp_path: Path) -> None:
    control.pause()
    control.pause()
    control.listen()
    assert (await asked(tmp_path))[-1]["done"]


async def test_a_socket_that_nobody_answers_on_is_replaced_and_one_that_lives_is_not(
    upgrades: Upgrades, tmp_path: Path
) -> None:
    first = ControlSocket(Sockets(), tmp_path, upgrades, lambda: STANDS)
    await first.start()
    with pytest.raises(StartError, match="another server runs on this data folder"):
        await ControlSocket(Sockets(), tmp_path, upgrades, lambda: STANDS).start()
    assert (await asked(tmp_path))[-1]["done"]
    await first.stop()
    with pytest.raises(NoServer, match="no server runs"):
        await asked(tmp_path)
    second = ControlSocket(Sockets(), tmp_path, upgrades, lambda: STANDS)
    await second.start()
    assert (await asked(tmp_path))[-1]["done"]
    await second.stop()


async def test_where_the_folder_cannot_be_made_the_server_is_told(tmp_path: Path, upgrades: Upgrades) -> None:
    (tmp_path / FOLDER).touch()
    control = ControlSocket(Sockets(), tmp_path, upgrades, lambda: STANDS)
    with pytest.raises(Unavailable) as caught:
        await control.start(listening=False)
    assert caught.value.error == "EEXIST"
    control.pause()
    control.listen()  # the server goes on without it, in an upgrade too
    await control.stop()


async def test_a_path_longer_than_a_socket_s_may_be_is_reached(tmp_path: Path, upgrades: Upgrades) -> None:
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)
    control = ControlSocket(Sockets(), deep, upgrades, lambda: STANDS)
    await control.start()
    assert (await asked(deep))[-1]["done"]
    await control.stop()


async def test_a_folder_without_a_server_is_said(tmp_path: Path) -> None:
    with pytest.raises(NoServer, match="no server runs on this folder"):
        await asked(tmp_path)


@pytest.mark.parametrize("said", [b"", b'{"step":"starting"}\n', b"nonsense\n"])
async def test_a_server_that_ends_before_it_has_answered_is_said(tmp_path: Path, said: bytes) -> None:
    async def end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(said)
        writer.close()
        await writer.wait_closed()

    (tmp_path / FOLDER).mkdir()
    server = await asyncio.start_unix_server(end, str(tmp_path / FOLDER / "control"))
    async with server:
        with pytest.raises(NoServer, match="its log"):
            await asked(tmp_path)


async def test_what_is_under_way_is_answered_before_it_stops(upgrades: Upgrades, tmp_path: Path) -> None:
    control = ControlSocket(Sockets(), tmp_path, upgrades, lambda: STANDS)
    await control.start()
    upgrades.may_end.clear()
    first = asyncio.create_task(asked(tmp_path))
    await upgrades.said.wait()
    stopping = asyncio.create_task(control.stop())
    upgrades.may_end.set()
    await stopping
    assert (await first)[-1]["done"]
    with pytest.raises(ConnectionRefusedError), socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(tmp_path / FOLDER / "control"))

"""Two real hosts whose processes end at points that a test names. Rule: all of it is the service's; who dies is known by the file that it leaves."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp

from server.fleet.supervisor.supervisor import YOUNG
from server.main.commands.upgrade_commands import answer as ask
from server.ops.process import fault_points as faults
from server.ops.security import secret_keys
from tests.server.fleet.cluster.test_together import hears
from tests.server.fleet.nats.test_nats_bus import started
from tests.server.main.processes.test_process_group import Several, several
from tests.support import services

PATIENCE = (
    40.0  # seconds for anything that comes by itself: longer than the grace, so that who stays behind for good is seen
)
HOST = {
    "SERENDIP_WORKERS": "1",
    "SERENDIP_LIMITS__ENABLED": "false",
    "SERENDIP_SERVER__DRAIN": "6",
    "SERENDIP_SESSION__GRACE": "6",  # every lost session is waited for, and a process that was killed is back within a second
}
FAULTS = ("task.failed", "worker.fault", "loop.fault", "cluster.fault", "migration.fault")


class Fallen(NamedTuple):
    """A process that was killed. `at`: the place of its host."""

    at: int
    name: str


class Two:
    """Two hosts. `settings`: of each, by its folder."""

    def __init__(self, settings: dict[Path, dict[str, str]], points: Path, stack: AsyncExitStack) -> None:
        self._settings = list(settings.items())
        self._points = points
        self._stack = stack
        self._faults: list[dict[str, Any]] = []  # of those that have ended
        self.servers: list[Several] = []

    async def start(self) -> None:
        """All of them, until they hear each other."""
        for folder, settings in self._settings:
            self.servers.append(await self._stack.enter_async_context(several(folder, **settings)))
        await self.hear()

    async def again(self, at: int) -> None:
        """One that has ended is started anew."""
        self._faults = self.faults()
        folder, settings = self._settings[at]
        self.servers[at] = await self._stack.enter_async_context(several(folder, **settings))
        await self.hear()

    async def hear(self) -> None:
        """Wait until each hears the other."""
        here, there = self.servers
        await hears(here, there)
        await hears(there, here)

    def url(self, at: int) -> str:
        """Where people come to a host."""
        return f"ws://127.0.0.1:{self.servers[at].port}/ws"

    def arm(self, point: str) -> None:
        """The next process that comes to it is killed there."""
        assert point in faults.POINTS
        (self._points / point).touch()

    async def fell(self, point: str) -> Fallen:
        """Wait until one was."""
        dead: list[Path] = []

        def found() -> bool:
            dead[:] = self._points.glob(f"{point}.*")
            return bool(dead)

        await comes(found, f"nobody comes to {point}")
        pid = int(dead[0].suffix[1:])
        dead[0].unlink()
        return next(
            Fallen(at, line["process"])
            for at, server in enumerate(self.servers)
            for line in server.events("process.ready")
            if line["pid"] == pid
        )

    async def standing(self, at: int) -> dict[str, dict[str, Any]]:
        """The processes of a host, by name, as an operator is told."""
        said = await asyncio.to_thread(ask, self.servers[at].data, {"do": "status"}, show=False)
        return {one["process"]: one for one in said["processes"]}

    async def grown(self) -> None:
        """Wait until every process serves, and for so long that it would be started anew at once."""
        async with asyncio.timeout(PATIENCE):
            while not all([await self._grown(at) for at in range(len(self.servers))]):  # noqa: ASYNC110 - other processes
                await asyncio.sleep(0.05)

    async def _grown(self, at: int) -> bool:
        return all(one["phase"] == "ready" and one["age"] > YOUNG for one in (await self.standing(at)).values())

    async def have(self, people: int) -> None:
        """Wait until there are so many sessions in all: each person has one, and nobody else has any."""
        found = -1.0
        try:
            async with asyncio.timeout(PATIENCE):
                while found != people:
                    found = sum([await metric(server, "serendip_sessions{") for server in self.servers])
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"{found} sessions of {people} people") from None

    def faults(self) -> list[dict[str, Any]]:
        """What our own code did wrong, by the logs."""
        return self._faults + [line for server in self.servers for name in FAULTS for line in server.events(name)]


async def metric(server: Several, begins: str) -> float:
    """The sum of a host's series whose lines begin so; -inf: a process said nothing."""
    port = server.events("metrics.ready")[-1]["port"]
    try:
        async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}/metrics") as answer:
            lines = (await answer.text()).splitlines()
    except aiohttp.ClientError:  # the frontend is started anew
        return float("-inf")
    silent = [line for line in lines if line.startswith("serendip_process_up{") and not line.endswith(" 1.0")]
    if silent:
        return float("-inf")
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(begins))


async def comes(so: Callable[[], object], what: str) -> None:
    """Wait for something of another process that nothing tells."""
    try:
        async with asyncio.timeout(PATIENCE):
            while not so():  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(what) from None


@asynccontextmanager
async def two(folder: Path, **more: str) -> AsyncIterator[Two]:
    """They run, with one secret. `more`: settings of both."""
    points = folder / "points"
    await asyncio.to_thread(points.mkdir)
    await asyncio.to_thread(secret_keys.load, folder / "first")
    async with started() as nats, AsyncExitStack() as stack:
        settings = {}
        for port in services.free_ports(2):
            await asyncio.to_thread(shutil.copytree, folder / "first", folder / str(port) / "data")
            settings[folder / str(port)] = {
                **HOST,
                faults.VARIABLE: str(points),
                "SERENDIP_CLUSTER__NATS": nats.url,
                "SERENDIP_CLUSTER__ADDRESS": f"127.0.0.1:{port}",
                **more,
            }
        made = Two(settings, points, stack)
        await made.start()
        yield made
        assert made.faults() == []

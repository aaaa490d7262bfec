"""Run one fault after another in a cluster, and undo it: kills, stalls, cuts, lost packets, full disks, wrong clocks, upgrades.

**Invariant:** a fault is undone when its coroutine ends, however it ends; `Harm.whole` then waits until every host is ready and hears all others.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from bench.load.process_deaths import status
from server.ops.process.control_socket import NoServer
from tests.cluster import nets
from tests.cluster.rig import Cluster, Host
from tests.server.fleet.migrate.upgrades import FREE
from tests.server.site.web.servers import ROOT
from tests.support.forkserver import START

AWAY_S: Final = 8.0  # that a server, a link or a clock stays away or wrong
STALL_S: Final = 4.0  # that processes are stopped
RECOVERY_S: Final = 120.0  # until everything is whole again
UPGRADE_S: Final = 240.0
DISK: Final = "96m"  # a host's disk
FILLER: Final = "filler"


class Harm:
    """The faults of one cluster. `dice` choose the victims."""

    def __init__(self, cluster: Cluster, dice: random.Random) -> None:
        self._cluster = cluster
        self._dice = dice
        self.refused: list[str] = []  # upgrades that were refused, with the reason
        self.upgraded = 0

    @property
    def kinds(self) -> dict[str, Callable[[], Awaitable[str]]]:
        """The faults by name; each returns whom it met."""
        return {
            "worker killed": lambda: self._killed("worker"),
            "hub killed": lambda: self._killed("hub"),
            "frontend killed": lambda: self._killed("frontend"),
            "host killed": self._host_killed,
            "host cut off": self._cut_off,
            "three of ten packets lost": self._packets,
            "one direction cut": self._one_way,
            "worker stalled": self._stalled,
            "NATS, database and bucket stalled": self._all_stalled,
            "NATS killed": self._nats_killed,
            "database killed": self._database_killed,
            "disk full": self._disk_full,
            "clock 90 s ahead": lambda: self._clock(90),
            "clock 90 s behind": lambda: self._clock(-90),
        }

    def _host(self) -> Host:
        return self._dice.choice(self._cluster.hosts)

    async def whole(self) -> bool:
        """Wait until every host serves, all its processes, and hears all others; False if that takes longer than RECOVERY_S."""
        try:
            async with asyncio.timeout(RECOVERY_S):
                while not await self._serve():  # noqa: ASYNC110 - other processes
                    await asyncio.sleep(0.2)
                while True:
                    with suppress(TimeoutError, AssertionError, OSError):
                        await self._cluster.whole()
                        return True
        except TimeoutError:
            return False

    async def _serve(self) -> bool:
        for host in self._cluster.hosts:
            try:
                stands = await status(host.data)
            except Exception:  # noqa: BLE001 - it does not answer yet, for any reason
                return False
            if not stands or any(one["phase"] != "ready" for one in stands):
                return False
        return True

    async def upgrade(self) -> str:
        """Upgrade a host to its own program, as an operator does."""
        host = self._host()
        command = [sys.executable, "-c", START, "upgrade", "--json", "--data", str(host.data)]
        settings = {**os.environ, **FREE, **host.settings, **host.clock.environment}
        ran = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=settings, stdout=asyncio.subprocess.PIPE)
        async with asyncio.timeout(UPGRADE_S):
            out, _ = await ran.communicate()
        if ran.returncode:
            said: dict[str, Any] = json.loads(out) if out.strip() else {}
            self.refused.append(str(said.get("said", said))[:200])
        else:
            self.upgraded += 1
        return host.name

    async def _killed(self, kind: str) -> str:
        host = self._host()
        victim = self._dice.choice([one for one in await status(host.data) if one["process"].startswith(kind)])
        with suppress(ProcessLookupError, TypeError):  # it is being started again: as good as killed
            os.kill(victim["pid"], signal.SIGKILL)
        with suppress(NoServer):
            while any(one["pid"] == victim["pid"] for one in await status(host.data)):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.1)
        return f"{host.name}, {victim['process']}"

    async def _host_killed(self) -> str:
        host = self._host()
        await asyncio.to_thread(_kill_all, host)
        await asyncio.to_thread(host.end)
        try:
            await asyncio.sleep(AWAY_S)
        finally:
            host.start()
        await host.ready()
        return host.name

    async def _cut_off(self) -> str:
        host = self._host()
        host.machine.up(link=False)
        try:
            await asyncio.sleep(AWAY_S * 1.5)
        finally:
            host.machine.up(link=True)
        return host.name

    async def _packets(self) -> str:
        try:
            for host in self._cluster.hosts:
                host.drops.set(0.3)
            await asyncio.sleep(AWAY_S)
        finally:
            for host in self._cluster.hosts:
                host.drops.set()
        return "all hosts"

    async def _one_way(self) -> str:
        one, other = self._dice.sample(self._cluster.hosts, 2)
        try:
            one.drops.set(senders=[other.machine])
            await asyncio.sleep(AWAY_S)
        finally:
            one.drops.set()
        return f"{other.name} to {one.name}"

    async def _stalled(self) -> str:
        host = self._host()
        victim = self._dice.choice([one for one in await status(host.data) if one["process"].startswith("worker")])
        with stopped([victim["pid"]]):
            await asyncio.sleep(STALL_S)
        return f"{host.name}, {victim['process']}"

    async def _all_stalled(self) -> str:
        with stopped(pids_of(self._cluster.base.name)):
            await asyncio.sleep(STALL_S)
        return "the machine of NATS, PostgreSQL and S3"

    async def _nats_killed(self) -> str:
        async with self._cluster.without_nats():
            await asyncio.sleep(AWAY_S)
        return "NATS"

    async def _database_killed(self) -> str:
        await asyncio.to_thread(self._cluster.postgres.stop, signal.SIGQUIT)
        try:
            await asyncio.sleep(AWAY_S)
        finally:
            await asyncio.to_thread(self._start_database)
        return "PostgreSQL"

    def _start_database(self) -> None:
        with self._cluster.base.inside():
            self._cluster.postgres.start()

    async def _disk_full(self) -> str:
        host = self._host()
        filler = host.data / FILLER
        try:
            await asyncio.to_thread(fill, filler)
            await asyncio.sleep(AWAY_S)
        finally:
            await asyncio.to_thread(filler.unlink, missing_ok=True)
        return host.name

    async def _clock(self, ahead: int) -> str:
        host = self._host()
        host.clock.set(ahead)
        try:
            await asyncio.sleep(AWAY_S)
        finally:
            host.clock.set(0)
        return host.name


@contextmanager
def stopped(pids: list[int]) -> Iterator[None]:
    """Stop these processes meanwhile (SIGSTOP)."""
    try:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def fill(file: Path) -> None:
    """Write until the disk takes no more."""
    with suppress(OSError), file.open("wb", buffering=0) as into:
        while True:
            into.write(bytes(1 << 20))


def pids_of(name: str) -> list[int]:
    """Return the processes on a machine."""
    return [int(pid) for pid in nets.ip("netns", "pids", name).split()]


def _kill_all(host: Host) -> None:
    for pid in pids_of(host.machine.name):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

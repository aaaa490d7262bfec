"""A cluster: real hosts of one service, each a machine of its own, with one NATS, PostgreSQL and S3 server. Rule: the way in and the way between are
two networks, so that a host may be cut from the others while its people are not.

NATS runs with `deploy/nats.conf` and keys of `deploy/nats_keys.py` as they are shipped; only paths and its address are put in.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp

from server.main.commands.upgrade_commands import answer as ask
from tests.cluster.clock import Clock, built
from tests.cluster.drops import Drops
from tests.cluster.nets import OURS, Machine, Nets
from tests.deploy.proxies import DEPLOY
from tests.server.fleet.migrate.upgrades import FREE, Person, Talk
from tests.server.main.processes.test_process_group import Several
from tests.server.site.web.servers import ROOT
from tests.support import services
from tests.support.forkserver import START

PORT, CLUSTER_PORT = 8080, 9467
LASTING = (
    "secret",
    "keys/identity.key",
    "keys/kept.key",
    "keys/receipt.key",
)  # copied once, before a host's first start
PATIENCE = 30.0  # seconds for anything that comes by itself
PAUSE = 0.02  # seconds between two lines of one who talks
NOTHING_KEPT = {"SERENDIP_STORE__ENABLED": "false", "SERENDIP_OBJECTS__URL": ""}


class Host:
    """One of a cluster."""

    def __init__(self, name: str, machine: Machine, folder: Path, settings: Mapping[str, str], library: Path) -> None:
        self.name = name
        self.machine = machine
        self.folder = folder
        self.settings = dict(settings)
        self.drops = Drops(machine)
        self._server: Several | None = None
        (folder / "data" / "keys").mkdir(parents=True, mode=0o700)
        (folder / "data").chmod(0o700)
        self.clock = Clock(library, folder / "clock")

    @property
    def address(self) -> str:
        """Where the others reach it."""
        return self.settings["SERENDIP_CLUSTER__ADDRESS"]

    @property
    def server(self) -> Several:
        """Its processes that run now."""
        assert self._server is not None
        return self._server

    @property
    def data(self) -> Path:
        """Its folder."""
        return self.folder / "data"

    def start(self) -> None:
        """Begin it on its machine; `ready` waits."""
        settings = {**self.settings, **self.clock.environment}
        with self.machine.inside():
            self._server = Several(self.folder, at=str(PORT), **settings)

    async def ready(self) -> None:
        """Wait until it serves, all its processes."""
        await self.server.ready()
        await self.server.told("process.ready", 2 + int(self.settings["SERENDIP_WORKERS"]))

    def end(self) -> None:
        """Kill what is left of it."""
        if self._server is not None:
            self._server.end()
            self._server = None

    async def again(self) -> None:
        """Kill what is left of it, and start it anew."""
        await asyncio.to_thread(self.end)
        self.start()
        await self.ready()

    def copy_keys(self, of: Host) -> None:
        """As an operator does."""
        for name in LASTING:
            (self.data / name).write_bytes((of.data / name).read_bytes())
            (self.data / name).chmod(0o600)

    async def person(self, http: aiohttp.ClientSession) -> Person:
        """Somebody who is connected here."""
        return await Person(http, PORT, self.machine.public).open()

    async def people(self, http: aiohttp.ClientSession, count: int) -> list[Person]:
        """So many."""
        return list(await asyncio.gather(*[self.person(http) for _ in range(count)]))

    async def get(self, http: aiohttp.ClientSession, path: str) -> tuple[int, Any]:
        """(status, body) of an answer in JSON."""
        async with http.get(f"http://{self.machine.public}:{PORT}{path}") as said:
            return said.status, await said.json()

    async def says(self, http: aiohttp.ClientSession, path: str, so: Callable[[Any], object]) -> int:
        """Ask until what is answered is so; the status."""
        async with asyncio.timeout(PATIENCE):
            while True:
                status, found = await self.get(http, path)
                if so(found):
                    return status
                await asyncio.sleep(0.05)

    async def counts(self, http: aiohttp.ClientSession, line: str) -> float:
        """A figure of its metrics, by the line's name and labels."""
        async with http.get(f"http://{self.machine.public}:{self.server.metrics}/metrics") as said:
            text = await said.text()
        found = re.search(rf"^{re.escape(line)} (\S+)$", text, re.M)
        return float(found[1]) if found else 0.0

    async def figure(self, http: aiohttp.ClientSession, line: str, so: Callable[[float], bool]) -> None:
        """Wait until a figure is so."""
        async with asyncio.timeout(PATIENCE):
            while not so(await self.counts(http, line)):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)

    async def stands(self) -> dict[str, Any]:
        """`serendip status`, of several hosts: once the hub has said how they stand, a moment after the start."""
        while "cluster" not in (said := await asyncio.to_thread(ask, self.data, {"do": "status"}, show=False)):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        found: dict[str, Any] = said["cluster"]
        return found

    async def alone(self) -> None:
        """Wait until it says why it has no connection to NATS: its processes learn of that one after the other."""
        async with asyncio.timeout(PATIENCE):
            while (await self.stands())["away"] is None:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)

    async def hears(self, *others: Host) -> None:
        """Wait until it hears these and no one else."""
        wanted = sorted((other.address, "serving") for other in others)
        async with asyncio.timeout(PATIENCE):
            while sorted((one[1], one[3]) for one in (await self.stands())["others"]) != wanted:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)

    async def run(self, *words: str) -> tuple[int, str]:
        """A command of `serendip` on that machine; (status, what it printed). What it said beside that is in `run.log`."""
        command = [sys.executable, "-c", START, *words, "--data", str(self.data)]
        settings = {**os.environ, **FREE, **self.settings, **self.clock.environment}

        def begun() -> subprocess.Popen[str]:
            with self.machine.inside(), (self.folder / "run.log").open("ab") as beside:
                return subprocess.Popen(
                    command, cwd=ROOT, env=settings, stdout=subprocess.PIPE, stderr=beside, text=True
                )

        program = await asyncio.to_thread(begun)
        out, _ = await asyncio.to_thread(program.communicate, timeout=60)
        return program.returncode, out

    def mended(self) -> None:
        """Nothing of it is cut, late or wrong any more."""
        self.drops.set()
        self.clock.set(0)
        self.machine.up(link=True)


class Cluster:
    """Three hosts, or as many as are told. Use it as a context; every call of it blocks but those that are coroutines."""

    def __init__(self, folder: Path, hosts: int = 3, **settings: str) -> None:
        """`settings`: of every host, beside the usual ones."""
        self._folder = folder
        self._count = hosts
        self._settings = settings
        self._stack = ExitStack()
        self.hosts: list[Host] = []
        self.nats: services.Nats
        self.keys = folder / "nats"

    def __enter__(self) -> Cluster:
        try:
            self._begin()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _begin(self) -> None:
        self._nets = Nets()
        self._stack.callback(self._nets.close)
        self._library = built(self._folder)
        machines = [self._nets.machine() for _ in range(self._count)]
        self.base = self._nets.machine()
        self._serve()
        self.hosts = [self._host(f"host-{machine.number}", machine) for machine in machines]
        self._stack.callback(self._end)
        asyncio.run(self._start())

    def _serve(self) -> None:
        """What all hosts share."""
        at = self.base.private
        self._keyed(["--server", at, *(f"host-{number}" for number in range(1, self._count + 1))])
        config = (DEPLOY / "nats.conf").read_text().replace('"/etc/nats/', f'"{self.keys}/')
        config = re.sub(r"^listen: .*\n", "", config, flags=re.M)
        beside = os.path.relpath(self.keys / "users.conf", Path(tempfile.gettempdir()) / "any")
        config = config.replace("include users.conf", f"include {beside}")
        made = (services.nats(config, at), services.postgres(at), services.s3(at))
        for one in made:
            self._stack.push(one)

        def begin(one: AbstractContextManager[Any]) -> Any:
            with self.base.inside():
                return one.__enter__()

        with ThreadPoolExecutor(len(made)) as pool:  # side by side: each waits for a program that starts
            self.nats, self.postgres, self.s3 = pool.map(begin, made)

    def _keyed(self, words: Sequence[str]) -> None:
        """Have the keys of NATS made."""
        subprocess.run(
            [sys.executable, DEPLOY / "nats_keys.py", self.keys, *words],
            check=True,
            timeout=30,
            stdout=subprocess.DEVNULL,
        )

    def _host(self, name: str, machine: Machine) -> Host:
        settings = {
            **FREE,
            "SERENDIP_WORKERS": "1",
            "SERENDIP_SAFETY__MODERATED": "true",
            "SERENDIP_SAFETY__UNATTENDED": "true",
            "SERENDIP_SESSION__GRACE": "90",  # longer than a test waits for anything: what is told before is told by something else
            "SERENDIP_SERVER__HOST": machine.public,
            "SERENDIP_SERVER__HOSTS": "*",
            "SERENDIP_SERVER__PROXIES": f"{self._nets.public(OURS)}/32",
            "SERENDIP_METRICS__HOST": machine.public,
            "SERENDIP_METRICS__HOSTS": "*",
            "SERENDIP_STORE__URL": self.postgres.url("postgres").replace("+asyncpg", ""),
            "SERENDIP_OBJECTS__URL": f"s3://{self.s3.bucket}/cluster",
            "SERENDIP_OBJECTS__ENDPOINT": self.s3.endpoint,
            "SERENDIP_OBJECTS__ACCESS_KEY": self.s3.access_key,
            "SERENDIP_OBJECTS__SECRET_KEY": self.s3.secret_key,
            "SERENDIP_CLUSTER__NATS": f"tls://{self.base.private}:{self.nats.port}",
            "SERENDIP_CLUSTER__CREDENTIALS": str(self.keys / f"{name}.seed"),
            "SERENDIP_CLUSTER__CA": str(self.keys / "ca.pem"),
            "SERENDIP_CLUSTER__ADDRESS": f"{machine.private}:{CLUSTER_PORT}",
        }
        return Host(name, machine, self._folder / name, settings | self._settings, self._library)

    async def _start(self) -> None:
        """The first makes the tables and the keys, the others have them."""
        first, *rest = self.hosts
        first.start()
        await first.ready()
        for host in rest:
            host.copy_keys(first)
            host.start()
        await asyncio.gather(*[host.ready() for host in rest])
        await self.whole()

    def _end(self) -> None:
        for host in self.hosts:
            host.end()

    async def whole(self) -> None:
        """Wait until every host hears all others, and nothing of any is away."""

        async def well(host: Host) -> None:
            await host.hears(*[other for other in self.hosts if other is not host])
            assert await host.says(http, "/readyz", lambda said: said == {"status": "ready", "degraded": []}) == 200

        async with aiohttp.ClientSession() as http:
            await asyncio.gather(*[well(host) for host in self.hosts])

    def faults(self) -> list[dict[str, Any]]:
        """What our own code did wrong, by the logs."""
        names = ("process.hung", "task.failed", "worker.fault", "loop.fault", "cluster.fault", "process.died")
        return [line for host in self.hosts for name in names for line in host.server.events(name)]

    @asynccontextmanager
    async def guest(self, name: str, *, keys: bool = True, seed: bool = True, **settings: str) -> AsyncIterator[Host]:
        """A further host that serves until the end. `keys`: those of the others; `seed`: NATS knows it."""
        if seed:
            await asyncio.to_thread(self.admit, name)
        machine = self._nets.machine()
        host = self._host(name, machine)
        host.settings.update(settings)
        if keys:
            host.copy_keys(self.hosts[0])
        try:
            host.start()
            try:
                await host.ready()
                yield host
            finally:
                await asyncio.to_thread(host.end)
        finally:
            await asyncio.to_thread(machine.gone)
            if seed:
                await asyncio.to_thread(self.expel, name)

    def admit(self, name: str) -> None:
        """NATS knows a further host."""
        self._keyed([name])
        self.nats.process.send_signal(1)

    def expel(self, name: str) -> None:
        """And knows it no more."""
        (self.keys / f"{name}.seed").unlink()
        self._keyed([])
        self.nats.process.send_signal(1)

    def renew_certificate(self) -> None:
        """NATS gets another certificate, as an operator gives it."""
        self._keyed(["--renew"])
        self.nats.process.send_signal(1)

    @asynccontextmanager
    async def without_nats(self) -> AsyncIterator[None]:
        """It is killed, and comes back at the end, whatever was found: others need it."""
        await asyncio.to_thread(self.nats.stop)
        try:
            yield
        finally:
            await asyncio.to_thread(self._restart_nats)

    def _restart_nats(self) -> None:
        with self.base.inside():
            self.nats.start()


async def acquainted(one: Person, two: Person, word: str, **more: Any) -> tuple[Person, Person]:
    """They look for each other, and meet."""
    for person in (one, two):
        await person.say("find", interests=[word], strict=True, **more)
    for person in (one, two):
        await person.hear("matched")
    return one, two


@asynccontextmanager
async def talking(http: aiohttp.ClientSession, *hosts: Host) -> AsyncIterator[None]:
    """Two people of each host say numbered lines meanwhile: none is lost, doubled or late for ever, and nobody leaves."""
    async with AsyncExitStack() as stack:
        twos = [await host.people(http, 2) for host in hosts]
        pairs = [acquainted(one, two, f"at {host.name}") for host, (one, two) in zip(hosts, twos, strict=True)]
        talks = [Talk(*pair, pause=PAUSE) for pair in await asyncio.gather(*pairs)]
        stack.callback(lambda: [task.cancel() for talk in talks for task in talk._tasks])
        yield
        for host, talk in zip(hosts, talks, strict=True):
            heard, wrong = await talk.end()
            assert wrong == [], host.name
            assert heard > 0
            for person in talk.pair:
                await person.socket.close()


@contextmanager
def mended(cluster: Cluster) -> Iterator[None]:
    """Whatever was cut is whole afterwards."""
    try:
        yield
    finally:
        for host in cluster.hosts:
            host.mended()

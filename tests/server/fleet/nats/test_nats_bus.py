"""The connection to a real NATS: what is said arrives sealed, and whatever ends it is made anew."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import secrets
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import nats as library
import nkeys
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from server.fleet.nats.nats_bus import MESSAGE_MAX, UNSENT, NatsBus
from server.fleet.rpc.rpc_seal import Seal
from server.ops.config.cluster_settings import Cluster
from server.ops.security import secret_keys
from tests.deploy.proxies import DEPLOY
from tests.support import services


class Listener:
    """A bus that runs, and what it heard."""

    def __init__(self, settings: Cluster, seal: Seal) -> None:
        self.heard: asyncio.Queue[bytes] = asyncio.Queue()
        self.bus = NatsBus(settings, seal, {"all": self.heard.put_nowait})

    async def comes(self, what: bytes) -> None:
        """Say it until it is heard: what is said while there is no connection is lost."""
        async with asyncio.timeout(20):
            while True:
                self.bus.say("all", what)
                try:
                    async with asyncio.timeout(0.2):
                        while await self.heard.get() != what:
                            pass
                        return
                except TimeoutError:
                    pass


@asynccontextmanager
async def listening(data: Path, *servers: str, **settings: Any) -> AsyncIterator[Listener]:
    """A bus of a service of its own."""
    chosen = Cluster(nats=servers, **{"name": secrets.token_hex(8), **settings})
    listener = Listener(chosen, Seal(await asyncio.to_thread(secret_keys.load, data)))
    task = asyncio.create_task(listener.bus.run())
    try:
        yield listener
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def started(config: str = "") -> AsyncIterator[services.Nats]:
    """A NATS server of the test's own."""
    made = services.nats(config)
    server = await asyncio.to_thread(made.__enter__)
    try:
        yield server
    finally:
        await asyncio.to_thread(made.__exit__, None, None, None)


async def until(what: Callable[[], object]) -> None:
    """Wait for something of another task."""
    async with asyncio.timeout(20):
        while not what():  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.01)


async def test_what_is_said_is_heard_by_all_who_have_the_secret(tmp_path: Path, nats: services.Nats) -> None:
    name = secrets.token_hex(8)
    async with (
        listening(tmp_path / "one", nats.url, name=name) as one,
        listening(tmp_path / "other", nats.url, name=name) as other,
    ):
        await other.comes(b"mine")
        await one.comes(b"hello")
        assert one.heard.empty()
        assert one.bus.dropped["seal"] >= 1  # another secret
        assert other.heard.empty()


async def test_what_is_too_long_or_not_sealed_is_counted_and_passed_over(tmp_path: Path, nats: services.Nats) -> None:
    async with listening(tmp_path, nats.url, name="long") as one:
        await one.comes(b"first")
        client = await library.connect(nats.url)
        for data in (b"", b"x", bytes(100), bytes(MESSAGE_MAX + 1)):
            await client.publish("long.1.all", data)
        await client.close()
        async with asyncio.timeout(20):
            while not one.bus.dropped["size"]:
                await one.comes(b"last")
        assert (one.bus.dropped["seal"], one.bus.dropped["size"]) == (3, 1)


async def test_while_nats_is_away_nothing_is_kept_and_then_it_goes_on(tmp_path: Path) -> None:
    async with started() as server, listening(tmp_path, server.url) as one:
        await one.comes(b"before")
        await asyncio.to_thread(server.stop)
        await until(lambda: not one.bus.up)
        assert one.bus.fault is not None
        assert server.url in one.bus.fault
        one.bus.say("all", b"lost")
        assert one.bus.dropped["unsent"] >= 1
        await asyncio.to_thread(server.start)
        await one.comes(b"after")
        assert one.bus.connects == 2
        assert one.heard.empty()


async def test_of_several_servers_one_that_lives_is_found(tmp_path: Path, nats: services.Nats) -> None:
    dead = [f"nats://127.0.0.1:{port}" for port in services.free_ports(3)]
    async with listening(tmp_path, *dead, nats.url) as one:
        await one.comes(b"found")


async def test_a_connection_is_given_up_and_made_anew(tmp_path: Path, nats: services.Nats) -> None:
    async with listening(tmp_path, nats.url) as one:
        await one.comes(b"before")
        one.bus.renew()
        await until(lambda: one.bus.connects == 2)
        await one.comes(b"after")


async def test_what_waits_is_bounded(tmp_path: Path, nats: services.Nats) -> None:
    async with listening(tmp_path, nats.url) as one:
        await one.comes(b"first")
        assert one.bus.takes
        for _ in range(UNSENT + 10):  # nothing is taken between
            one.bus.say("all", b"much")
        assert not one.bus.takes
        assert one.bus.dropped["unsent"] >= 10
        await one.comes(b"last")


async def test_a_host_proves_who_it_is_over_tls(tmp_path: Path) -> None:
    seed = nkeys.encode_seed(secrets.token_bytes(32), nkeys.PREFIX_BYTE_USER)
    public = nkeys.from_seed(bytearray(seed)).public_key.decode()
    await asyncio.to_thread((tmp_path / "seed").write_bytes, seed)
    certificate, key = await asyncio.to_thread(certified, tmp_path)
    config = f"""
        tls {{ cert_file: "{certificate}", key_file: "{key}" }}
        authorization {{ users = [ {{ nkey: {public}, permissions: {{ publish: "mine.>", subscribe: "mine.>" }} }} ] }}
    """
    async with started(config) as server:
        address = server.url.replace("nats:", "tls:")
        proven = {"credentials": tmp_path / "seed", "ca": certificate}
        async with listening(tmp_path / "data", address, name="mine", **proven) as one:
            await one.comes(b"in")
        for wrong, words in (
            ({"ca": certificate}, "uthorization"),
            ({"credentials": tmp_path / "seed"}, "certificate"),
        ):
            async with listening(tmp_path / "data", address, name="mine", **wrong) as out:
                await until(lambda out=out, words=words: words in (out.bus.fault or ""))
                assert not out.bus.up
        async with listening(tmp_path / "data", address, name="theirs", **proven) as stranger:
            await until(lambda: stranger.bus.up and stranger.bus.refused)
            assert "theirs" in (stranger.bus.trouble or "")


async def test_a_renewed_authority_and_another_seed_are_read_without_a_restart(tmp_path: Path) -> None:
    folder, files = tmp_path / "nats", tmp_path / "host"

    def keyed(*words: str) -> None:
        command = [sys.executable, str(DEPLOY / "nats_keys.py"), str(folder), "--name", "mine", *words]
        subprocess.run(command, check=True, capture_output=True, timeout=60)

    def copied() -> None:
        files.mkdir(exist_ok=True)
        for name in ("ca.pem", "one.seed"):
            shutil.copy(folder / name, files / name)

    def config() -> str:
        users = (folder / "users.conf").read_text()
        return f'tls {{ cert_file: "{folder}/cert.pem", key_file: "{folder}/key.pem" }}\n{users}'

    await asyncio.to_thread(keyed, "--server", services.HERE, "one")
    await asyncio.to_thread(copied)
    async with started(await asyncio.to_thread(config)) as server:
        address = server.url.replace("nats:", "tls:")
        async with listening(
            tmp_path / "data", address, name="mine", credentials=files / "one.seed", ca=files / "ca.pem"
        ) as one:
            await one.comes(b"before")
            for name in ("ca.key", "ca.pem", "one.seed"):
                await asyncio.to_thread((folder / name).unlink)
            await asyncio.to_thread(keyed, "one")
            await asyncio.to_thread(server.stop)
            server.config = await asyncio.to_thread(config)
            await asyncio.to_thread(server.start)
            await until(lambda: "certificate" in (one.bus.fault or ""))
            await asyncio.to_thread(copied)
            await one.comes(b"after")


def certified(folder: Path) -> tuple[Path, Path]:
    """A certificate of this machine, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "nats")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - datetime.timedelta(1)).not_valid_after(now + datetime.timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    certificate, secret = folder / "cert.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, secret

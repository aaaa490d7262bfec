"""Check whether the hosts that are connected to NATS can form one cluster: cluster ports, secrets, clocks, releases, databases."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final

import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error

from server.fleet.cluster.cluster_heartbeat import ALL
from server.fleet.cluster.membership import DEAD, Beat, read
from server.fleet.nats import nats_connection
from server.fleet.nats.nats_connection import Proof
from server.fleet.rpc import node_info
from server.fleet.rpc.node_info import NodeHello
from server.fleet.rpc.rpc_client import HostAway, RpcClient
from server.fleet.rpc.rpc_envelope import Kind
from server.fleet.rpc.rpc_seal import Seal
from server.main.checks.certificate_checks import authority, certificates
from server.main.checks.check_finding import Finding, error, ok, warning
from server.ops import version
from server.ops.config.cluster_settings import Cluster
from server.ops.health.certificates import nats_places
from server.ops.security.secret_keys import Keys

LISTEN = DEAD  # seconds: a host that is not received for this long is absent
SKEW: Final = 5.0  # seconds that two clocks may differ
NODE: Final = 5  # random bytes


class Heard:
    """Messages received from a cluster. `foreign`: number of messages that this service did not seal."""

    def __init__(self, seal: Seal) -> None:
        self._seal = seal
        self.beats: dict[str, Beat] = {}
        self.foreign = 0

    async def take(self, message: Msg) -> None:
        """Record one message."""
        body = self._seal.opened(message.subject.encode(), message.data)
        beat = None
        if body is not None:
            try:
                beat = read(orjson.loads(body))
            except ValueError:
                beat = None
        if beat is None:
            self.foreign += 1
        else:
            self.beats[beat.node] = beat


async def hosts(settings: Cluster, keys: Keys) -> list[Finding]:
    """Run all checks of a cluster."""
    seal = Seal(keys)
    heard = Heard(seal)
    try:
        proof = await asyncio.to_thread(Proof.read, settings)
    except OSError as fault:
        return [
            error(
                "nats",
                f"{fault.filename}: {fault.strerror}",
                "cluster.credentials and cluster.ca name files that the service may read",
            )
        ]
    found = [await _nats(settings, server, proof, heard) for server in settings.nats]
    found += await certificates(nats_places(settings))
    if settings.ca is not None:
        found += await authority(settings.ca)
    if heard.foreign:
        said = f"{heard.foreign} messages of {settings.name}.{settings.id} are not sealed by this service"
        found.append(
            warning(
                "cluster",
                said,
                "another service has this name, or a host another DATA/secret: choose another cluster.name, or copy the secret",
            )
        )
    asker = RpcClient(seal, secrets.token_hex(NODE))
    asked = [(beat, await _hello(asker, beat.address)) for beat in sorted(heard.beats.values())]
    for beat, answer in asked:
        found.append(_host(beat, answer, settings))
    return found + _together([answer for _, answer in asked if isinstance(answer, NodeHello)], heard.beats, settings)


async def _nats(settings: Cluster, server: str, proof: Proof, heard: Heard) -> Finding:
    """Check that NATS is reachable, and that this host may publish and subscribe."""
    refused: list[str] = []

    async def troubled(fault: Exception) -> None:
        refused.append(nats_connection.words(fault))

    try:
        client = await nats_connection.connect(server, proof, troubled=troubled)
    except Exception as fault:  # noqa: BLE001 - whatever a library makes of a network
        return error(
            "nats",
            f"{server}: {nats_connection.words(fault)}",
            "does it run, may this machine reach it, and does it know this host?",
        )
    try:
        echoed = await _echo(client, f"{settings.name}.{settings.id}", heard.take)
    except Error as fault:
        refused.append(nats_connection.words(fault))
        echoed = False
    finally:
        await nats_connection.end(client)
    if refused or not echoed:
        may = f"its user must publish and subscribe to {settings.name}.>"
        return error("nats", f"{server}: {refused[0] if refused else 'what is said does not come back'}", may)
    return ok("nats", f"{server} lets this host speak and listen")


async def _echo(client: Client, base: str, take: Callable[[Msg], Awaitable[None]]) -> bool:
    """Whether a published message is received; meanwhile the messages of other hosts are recorded."""
    came = asyncio.Event()

    async def back(_: Msg) -> None:
        came.set()

    subject = f"{base}.check.{secrets.token_hex(8)}"
    await client.subscribe(subject, cb=back)
    await client.subscribe(f"{base}.{ALL}", cb=take)
    await client.publish(subject, b"")
    await client.flush(nats_connection.PATIENCE)
    try:
        async with asyncio.timeout(nats_connection.PATIENCE):
            await came.wait()
    except TimeoutError:
        return False
    await asyncio.sleep(LISTEN)
    return True


async def _hello(asker: RpcClient, address: str) -> NodeHello | str:
    """Return a host's answer about itself, or the reason for its absence."""
    try:
        return node_info.read(await asker.ask(address, Kind.HELLO, b""))
    except HostAway as away:
        return str(away)
    except ValueError:
        return "what it answers is no answer"


def _host(beat: Beat, answer: NodeHello | str, settings: Cluster) -> Finding:
    """Return the finding about one host."""
    name = "this host" if beat.address == settings.address else "host"
    said = f"{name} {beat.node} at {beat.address}"
    if isinstance(answer, str):
        return error(
            "cluster",
            f"{said}: {answer}",
            "the port must be open between all hosts, at the address that cluster.address of that host says",
        )
    if answer.node != beat.node and answer.cluster == settings.id:
        return ok("cluster", f"{said}: reached, another generation of its processes answers")
    if answer.node != beat.node:
        return error(
            "cluster",
            f"{said}: host {answer.node} of cluster {answer.cluster} answers there",
            "two hosts have one cluster.address",
        )
    ahead = answer.time / 1000 - time.time()
    if abs(ahead) > SKEW:
        return warning(
            "cluster", f"{said}: its clock is {ahead:+.0f} s from this one's", "set the clocks (timedatectl)"
        )
    if answer.version != version.VERSION:
        return warning("cluster", f"{said}: version {answer.version}, here {version.VERSION}", "finish the deploy")
    return ok("cluster", f"{said}: reached, version {answer.version}, clock {ahead:+.1f} s")


def _together(answers: list[NodeHello], beats: Mapping[str, Beat], settings: Cluster) -> list[Finding]:
    """Return findings about values in which all hosts have to agree."""
    if not beats:
        return [
            warning("cluster", f"no host of {settings.name}.{settings.id} is heard", "does the service run on any?")
        ]
    found = []
    if apart(answer.secrets[:1] for answer in answers):
        found.append(
            warning(
                "cluster",
                "hosts seal with different secrets",
                "copy DATA/secret and DATA/secret.previous to all, and restart them",
            )
        )
    if apart(answer.epochs for answer in answers):
        found.append(
            error(
                "cluster", "hosts have different keys of epochs", "each lacks rows of the others: see /readyz of each"
            )
        )
    if apart(answer.schema for answer in answers if answer.schema):
        found.append(
            error("cluster", "hosts have databases of different revisions", "store.url must be the same everywhere")
        )
    return found


def apart(values: Iterable[object]) -> bool:
    """Whether the values differ."""
    listed = list(values)
    return any(value != listed[0] for value in listed)

"""Whether hosts can be one service, tried with a real NATS and real hosts."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from server.fleet.cluster.membership import Beat
from server.fleet.rpc.node_info import NodeHello
from server.fleet.rpc.rpc_seal import Seal
from server.main.checks.check_finding import Finding, Level
from server.main.checks.cluster_host_checks import _host, _together
from server.main.checks.cluster_host_checks import hosts as asked
from server.ops import version
from server.ops.config.cluster_settings import Cluster
from server.ops.security import secret_keys
from tests.server.fleet.cluster.test_cluster_heartbeat import hub, named
from tests.server.fleet.nats.test_nats_bus import started, until
from tests.support import services

pytestmark = pytest.mark.blocking  # makes folders, waits for programs
HELLO = NodeHello("b", "1", version.VERSION, 0, [1], [7], "r")
BEAT = Beat("b", "10.0.0.2:9467", version.VERSION, 0, 0.0)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine may be late with everything, and a host that is there has to be heard."""
    monkeypatch.setattr("server.main.checks.cluster_host_checks.LISTEN", 5.0)


@pytest.fixture
def held(tmp_path: Path) -> secret_keys.Keys:
    return secret_keys.load(tmp_path / "held")


def wrong(found: list[Finding]) -> list[str]:
    """What is not well."""
    return [one.said for one in found if one.level]


async def test_a_nats_that_is_not_there_is_an_error_and_nobody_heard_a_warning(
    nats: services.Nats, held: secret_keys.Keys
) -> None:
    away = Cluster(nats=(f"nats://127.0.0.1:{services.free_port()}",))
    assert [one.level for one in await asked(away, held)] == [Level.ERROR, Level.WARNING]
    settings = named(nats)
    assert wrong(await asked(settings, held)) == [f"no host of {settings.name}.1 is heard"]
    unread = settings.model_copy(update={"credentials": Path("/nowhere/seed")})
    assert wrong(await asked(unread, held)) == ["/nowhere/seed: No such file or directory"]


async def test_who_may_not_speak_there_is_told_what_is_wanted(held: secret_keys.Keys) -> None:
    config = 'no_auth_user: any\nauthorization { users: [ { user: any, password: x, permissions: { publish: "theirs.>" } } ] }'
    async with started(config) as nats:
        settings = named(nats)
        said, remedy = next((one.said, one.remedy) for one in await asked(settings, held) if one.check == "nats")
        assert "ermissions" in said
        assert f"{settings.name}.>" in remedy
        assert wrong(await asked(named(nats, name="theirs"), held)) == ["no host of theirs.1 is heard"]


async def test_a_host_that_cannot_be_reached_and_one_with_another_secret_are_named(
    nats: services.Nats, held: secret_keys.Keys, tmp_path: Path
) -> None:
    settings = named(nats, address=f"127.0.0.1:{services.free_port()}")
    async with hub(settings, Seal(held)) as one, hub(settings, Seal(secret_keys.load(tmp_path / "other"))) as other:
        await until(lambda: one.cell.bus.up and other.cell.bus.up)
        found = wrong(await asked(settings, held))
    assert len(found) == 2
    assert "are not sealed by this service" in found[0]
    assert found[1].endswith("refused: no process listens there")


def test_what_two_hosts_do_not_agree_in() -> None:
    now = int(time.time() * 1000)
    same = HELLO._replace(time=now)
    for answer, level, words in (
        (same, Level.OK, "reached"),
        (same._replace(node="c"), Level.OK, "another generation"),
        (same._replace(node="c", cluster="2"), Level.ERROR, "of cluster 2 answers there"),
        (same._replace(time=now - 9_000), Level.WARNING, "its clock is -9 s"),
        (same._replace(version="9"), Level.WARNING, "version 9"),
        ("no answer within 2 s", Level.ERROR, "no answer"),
    ):
        said = _host(BEAT, answer, Cluster())
        assert (said.level, words in said.said) == (level, True), said
    others = (
        ("secrets", [2, 1], "different secrets"), ("epochs", [6], "different keys of epochs"), ("schema", "q", "different revisions"),
    )  # fmt: skip
    assert _together([HELLO, HELLO], {"b": BEAT}, Cluster()) == []
    assert _together([HELLO, HELLO._replace(schema="")], {"b": BEAT}, Cluster()) == []  # it keeps nothing
    for name, value, words in others:
        (said,) = _together([HELLO, HELLO._replace(**{name: value})], {"b": BEAT}, Cluster())
        assert words in said.said
